#include "persist/applier_core.h"

#include <gtest/gtest.h>

#include "persist/limits.h"

namespace martlet::persist {
namespace {

using bus::LogRecord;
using bus::LogSequence;
using store::ApplyOutcome;
using store::ShardState;

constexpr ShardId kShard(3);

class ApplierCoreTest : public testing::Test {
 protected:
  static Inspection inspection(std::uint64_t watermark, std::uint64_t first, std::uint64_t last,
                               std::uint64_t base = 0) {
    return {{LogPosition(watermark), base, Generation(1)},
            {kShard, LogSequence(first), LogSequence(last), 0}};
  }
  // Follows a log from its first entry on; a fetch is under way.
  ApplierCore::Actions follow(std::uint64_t watermark = 0, std::uint64_t base = 0) {
    EXPECT_TRUE(core_.begin().inspect);
    return core_.inspected(inspection(watermark, 1, watermark - base + 10, base), now_);
  }
  static std::vector<LogRecord> records(std::uint64_t first, std::uint64_t count) {
    std::vector<LogRecord> records;
    for (std::uint64_t i = 0; i < count; ++i)
      records.push_back({LogSequence(first + i), "batch " + std::to_string(first + i)});
    return records;
  }
  ApplierCore::Actions applied(ApplyOutcome outcome, std::size_t dead = 0) {
    return core_.applied({outcome, "why", 7, dead}, now_);
  }
  // After any backoff.
  ApplierCore::Actions later() {
    now_ += 2 * kMaxBackoff;
    return core_.tick(now_);
  }

  SeededRandom random_{1};
  ApplierCore core_{kShard, random_};
  MonotonicTime now_{std::chrono::hours(1)};
};

TEST_F(ApplierCoreTest, ReadsFromTheEntryAfterTheWatermark) {
  const auto actions = follow(1005, 1000);
  EXPECT_EQ(actions.open_reader, LogSequence(6));
  EXPECT_TRUE(actions.fetch);
  EXPECT_FALSE(actions.apply);
  ASSERT_TRUE(actions.stored) << "the watermark is announced at once";
  EXPECT_EQ(actions.stored->state.watermark, LogPosition(1005));
}

TEST_F(ApplierCoreTest, AppliesWhatItFetchedWhileItFetchesMore) {
  follow(1005, 1000);
  const auto actions = core_.fetched(records(6, 3), now_);
  ASSERT_TRUE(actions.apply);
  EXPECT_EQ(actions.apply->expected.watermark, LogPosition(1005));
  ASSERT_EQ(actions.apply->batches.size(), 3u);
  EXPECT_EQ(actions.apply->batches[0].position, LogPosition(1006));
  EXPECT_EQ(actions.apply->batches[2].bytes, "batch 8");
  EXPECT_TRUE(actions.fetch);
}

TEST_F(ApplierCoreTest, FetchesNoFurtherThanOnePartAhead) {
  follow();
  ASSERT_TRUE(core_.fetched(records(1, 3), now_).apply);
  const auto actions = core_.fetched(records(4, 3), now_);
  EXPECT_FALSE(actions.apply);
  EXPECT_FALSE(actions.fetch);
}

TEST_F(ApplierCoreTest, GoesOnAfterACommit) {
  follow();
  core_.fetched(records(1, 3), now_);
  core_.fetched(records(4, 2), now_);
  const auto actions = applied(ApplyOutcome::kCommitted);
  ASSERT_TRUE(actions.stored);
  EXPECT_EQ(actions.stored->state.watermark, LogPosition(3));
  EXPECT_EQ(actions.stored->batches, 3u);
  EXPECT_EQ(actions.stored->messages, 7u);
  ASSERT_TRUE(actions.apply);
  EXPECT_EQ(actions.apply->expected.watermark, LogPosition(3));
  EXPECT_EQ(actions.apply->batches.size(), 2u);
  EXPECT_TRUE(actions.fetch);
}

TEST_F(ApplierCoreTest, AnEmptyFetchIsRepeated) {
  follow();
  const auto actions = core_.fetched(records(1, 0), now_);
  EXPECT_TRUE(actions.fetch);
  EXPECT_FALSE(actions.apply);
}

TEST_F(ApplierCoreTest, RetriesTheSameBatchesAfterABackoff) {
  follow();
  core_.fetched(records(1, 2), now_);
  const auto failed = applied(ApplyOutcome::kRetry);
  EXPECT_FALSE(failed.apply);
  EXPECT_FALSE(core_.tick(now_).apply) << "not at once";
  const auto actions = later();
  ASSERT_TRUE(actions.apply);
  EXPECT_EQ(actions.apply->batches.size(), 2u);
  EXPECT_FALSE(actions.inspect);
}

TEST_F(ApplierCoreTest, BackoffGrowsToItsLimit) {
  follow();
  core_.fetched(records(1, 1), now_);
  for (int i = 0; i < 20; ++i) {
    applied(ApplyOutcome::kRetry);
    now_ += kMaxBackoff + kMaxBackoff * 3 / 10;
    ASSERT_TRUE(core_.tick(now_).apply) << i;
  }
  applied(ApplyOutcome::kRetry);
  now_ += kMaxBackoff / 2;
  EXPECT_FALSE(core_.tick(now_).apply);
}

TEST_F(ApplierCoreTest, LooksAtTheRowWhenACommitIsUnknown) {
  follow();
  core_.fetched(records(1, 2), now_);
  EXPECT_FALSE(applied(ApplyOutcome::kUnknown).apply);
  const auto looked = later();
  EXPECT_TRUE(looked.inspect);
  EXPECT_FALSE(looked.apply);
  // It was committed after all: what is stored is not applied again.
  const auto actions = core_.inspected(inspection(2, 1, 10), now_);
  EXPECT_EQ(actions.open_reader, LogSequence(3));
}

TEST_F(ApplierCoreTest, StartsAnewWhenFenced) {
  follow();
  core_.fetched(records(1, 2), now_);
  core_.fetched(records(3, 2), now_);
  applied(ApplyOutcome::kFenced);
  EXPECT_TRUE(later().inspect);
  const auto actions = core_.inspected(inspection(4, 1, 10), now_);
  EXPECT_EQ(actions.open_reader, LogSequence(5));
  EXPECT_FALSE(actions.apply) << "nothing of before is applied";
}

TEST_F(ApplierCoreTest, AppliesOneByOneAfterARefusalAndThenTogetherAgain) {
  follow();
  core_.fetched(records(1, 2), now_);
  core_.fetched(records(3, 2), now_);
  auto actions = applied(ApplyOutcome::kRefused);
  ASSERT_TRUE(actions.apply);
  EXPECT_TRUE(actions.apply->one_by_one);
  EXPECT_EQ(actions.apply->batches.size(), 1u);
  actions = applied(ApplyOutcome::kCommitted, 1);
  ASSERT_EQ(actions.alarms.size(), 1u);
  EXPECT_EQ(actions.alarms[0].alarm, Alarm::kDead);
  EXPECT_TRUE(actions.apply->one_by_one);
  EXPECT_EQ(actions.apply->batches[0].position, LogPosition(2));
  actions = applied(ApplyOutcome::kCommitted);
  ASSERT_TRUE(actions.apply);
  EXPECT_FALSE(actions.apply->one_by_one);
  EXPECT_EQ(actions.apply->batches.size(), 2u);
}

TEST_F(ApplierCoreTest, ABatchRefusedEntryByEntryIsAnAlarmAndRetried) {
  follow();
  core_.fetched(records(1, 1), now_);
  applied(ApplyOutcome::kRefused);
  const auto actions = applied(ApplyOutcome::kRefused);
  ASSERT_EQ(actions.alarms.size(), 1u);
  EXPECT_EQ(actions.alarms[0].alarm, Alarm::kRefused);
  EXPECT_FALSE(actions.apply);
  EXPECT_TRUE(core_.is_stuck());
  EXPECT_TRUE(later().apply);
  EXPECT_TRUE(core_.is_stuck()) << "until one is stored";
  applied(ApplyOutcome::kCommitted);
  EXPECT_FALSE(core_.is_stuck());
}

TEST_F(ApplierCoreTest, ADuplicateStopsTheShardForGood) {
  follow();
  core_.fetched(records(1, 1), now_);
  const auto actions = applied(ApplyOutcome::kDuplicate);
  ASSERT_EQ(actions.alarms.size(), 1u);
  EXPECT_EQ(actions.alarms[0].alarm, Alarm::kDuplicate);
  EXPECT_TRUE(core_.is_stuck());
  const auto after = later();
  EXPECT_FALSE(after.apply);
  EXPECT_FALSE(after.inspect);
}

TEST_F(ApplierCoreTest, AGapInTheLogIsAnAlarmOnceAndLookedAtAgain) {
  core_.begin();
  const auto gap = core_.inspected(inspection(5, 9, 20), now_);
  ASSERT_EQ(gap.alarms.size(), 1u);
  EXPECT_EQ(gap.alarms[0].alarm, Alarm::kGap);
  EXPECT_FALSE(gap.open_reader);
  EXPECT_TRUE(core_.is_stuck());
  EXPECT_TRUE(later().inspect);
  EXPECT_TRUE(core_.inspected(inspection(5, 9, 20), now_).alarms.empty());
  later();
  EXPECT_EQ(core_.inspected(inspection(8, 9, 20), now_).open_reader, LogSequence(9));
  EXPECT_FALSE(core_.is_stuck());
}

TEST_F(ApplierCoreTest, AnEmptyLogIsNoGap) {
  core_.begin();
  EXPECT_EQ(core_.inspected(inspection(5, 6, 5), now_).open_reader, LogSequence(6));
}

TEST_F(ApplierCoreTest, StartsAnewWhenTheReaderFails) {
  follow();
  EXPECT_FALSE(core_.fetched(fail(ErrorCode::kConflict, "gap"), now_).fetch);
  EXPECT_TRUE(later().inspect);
}

TEST_F(ApplierCoreTest, RecordsThatDoNotFollowAreNotApplied) {
  follow();
  const auto actions = core_.fetched(records(2, 1), now_);
  EXPECT_FALSE(actions.apply);
  EXPECT_TRUE(later().inspect);
}

TEST_F(ApplierCoreTest, WaitsForTheApplyUnderWayBeforeItStartsAnew) {
  follow();
  core_.fetched(records(1, 1), now_);
  core_.fetched(fail(ErrorCode::kUnavailable, ""), now_);
  EXPECT_FALSE(later().inspect) << "the apply is under way";
  const auto actions = applied(ApplyOutcome::kCommitted);
  EXPECT_TRUE(actions.stored);
  EXPECT_FALSE(actions.fetch);
  EXPECT_TRUE(later().inspect);
}

TEST_F(ApplierCoreTest, ARowOfAnotherGenerationIsDoubt) {
  follow();
  core_.row_seen({LogPosition(0), 0, Generation(1)}, LogPosition(0), now_);
  EXPECT_TRUE(core_.is_following());
  core_.row_seen({LogPosition(0), 0, Generation(2)}, LogPosition(0), now_);
  EXPECT_FALSE(core_.is_following());
  EXPECT_TRUE(later().inspect);
}

TEST_F(ApplierCoreTest, AWatermarkThatGoesBackIsDoubt) {
  follow(8);
  core_.row_seen({LogPosition(7), 0, Generation(1)}, LogPosition(8), now_);
  EXPECT_FALSE(core_.is_following());
}

TEST_F(ApplierCoreTest, ARowReadBeforeOurCommitIsNoDoubt) {
  follow(8);
  core_.fetched(records(9, 2), now_);
  applied(ApplyOutcome::kCommitted);
  core_.row_seen({LogPosition(8), 0, Generation(1)}, LogPosition(8), now_);
  EXPECT_TRUE(core_.is_following());
}

TEST_F(ApplierCoreTest, StartsNothingOnceReleased) {
  follow();
  core_.fetched(records(1, 1), now_);
  core_.fetched(records(2, 1), now_);
  core_.release();
  const auto actions = applied(ApplyOutcome::kCommitted);
  EXPECT_TRUE(actions.stored) << "what was stored is still announced";
  EXPECT_FALSE(actions.apply);
  EXPECT_FALSE(core_.is_applying());
  EXPECT_FALSE(later().inspect);
}

}  // namespace
}  // namespace martlet::persist
