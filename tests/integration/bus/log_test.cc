#include <gtest/gtest.h>
#include <spdlog/fmt/fmt.h>

#include <string>
#include <vector>

#include "bus/jetstream.h"
#include "bus/nats_bus.h"
#include "bus/nats_log.h"
#include "bus/subjects.h"
#include "model/limits.h"
#include "nats_client.h"
#include "support/nats_server.h"
#include "support/run_loop.h"

namespace martlet::bus {
namespace {

using namespace std::chrono_literals;
using Appended = tl::expected<LogSequence, AppendError>;
using Records = Result<std::vector<LogRecord>>;

constexpr ShardId kShard{3};

class LogTest : public ::testing::Test {
 protected:
  LogTest()
      : bus_(std::move(
            connect(loop_, {server_.url(), "log test", 5s, test::nats_client()}).value())),
        log_(*bus_) {
    EXPECT_TRUE(ensure(kShard, {}));
  }

  // Starts something that calls back once, and runs the loop until it did.
  template <class T, class Start>
  T wait(Start start) {
    std::optional<T> result;
    start([&](T value) { result.emplace(std::move(value)); });
    EXPECT_TRUE(test::run_until(
        loop_, [&] { return result.has_value(); }, 20s));
    return std::move(*result);
  }
  Result<void> ensure(ShardId shard, const LogOptions& options) {
    return wait<Result<void>>([&](auto done) { log_.ensure(shard, options, done); });
  }
  Appended append(std::uint64_t expected, BytesView batch, Duration timeout = 5s) {
    return wait<Appended>(
        [&](auto done) { log_.append(kShard, LogSequence(expected), batch, timeout, done); });
  }
  void fill(std::uint64_t count) {
    for (std::uint64_t i = 0; i < count; ++i) {
      ASSERT_TRUE(append(i, "batch " + std::to_string(i + 1)));
    }
  }
  LogInfo info() {
    return wait<Result<LogInfo>>([&](auto done) { log_.info(kShard, 5s, done); }).value();
  }
  LogInfos ask(const std::vector<ShardId>& shards) {
    return wait<Result<LogInfos>>([&](auto done) { log_.infos(shards, 5s, done); }).value();
  }
  // Of the stream, as the server tells it.
  std::uint64_t max_bytes() {
    const auto answer = wait<Result<Bytes>>([&](auto done) {
      bus_->request("$JS.API.STREAM.INFO." + subject::log_stream(kShard), {}, 5s, done);
    });
    const std::string key = R"("max_bytes":)";
    return std::stoull(answer.value().substr(answer->find(key) + key.size()));
  }
  // The only one there is.
  std::string consumer() {
    const auto answer = wait<Result<Bytes>>([&](auto done) {
      bus_->request("$JS.API.CONSUMER.NAMES." + subject::log_stream(kShard), {}, 5s, done);
    });
    const std::string key = R"("consumers":[")";
    const std::size_t begin = answer.value().find(key) + key.size();
    return answer->substr(begin, answer->find('"', begin) - begin);
  }
  Result<void> purge(std::uint64_t keep_from, const LogInfo& now) {
    return wait<Result<void>>(
        [&](auto done) { log_.purge_below(kShard, LogSequence(keep_from), now, done); });
  }
  Records next(LogReader& reader, std::size_t bytes = 4U << 20, Duration max_wait = 0s) {
    return wait<Records>([&](auto done) { reader.next(bytes, max_wait, done); });
  }
  std::vector<std::uint64_t> sequences(const Records& records) {
    std::vector<std::uint64_t> result;
    for (const LogRecord& record : records.value()) result.push_back(record.sequence.value());
    return result;
  }

  test::NatsServer server_;
  event::Loop loop_;
  std::unique_ptr<NatsBus> bus_;
  NatsLog log_;
};

TEST_F(LogTest, ANewLogIsEmpty) {
  const LogInfo now = info();
  EXPECT_EQ(now.first.value(), 1U);
  EXPECT_EQ(now.last.value(), 0U);
}

TEST_F(LogTest, EnsuringAgainChangesNothing) {
  fill(2);
  EXPECT_TRUE(ensure(kShard, {}));
  EXPECT_EQ(info().last.value(), 2U);
}

TEST_F(LogTest, ALogWithOtherSettingsIsAnError) {
  const ShardId other(9);
  const auto created = wait<Result<Bytes>>([&](auto done) {
    bus_->request("$JS.API.STREAM.CREATE." + subject::log_stream(other),
                  R"({"name":")" + subject::log_stream(other) + R"(","subjects":[")" +
                      subject::log(other) + R"("],"storage":"memory"})",
                  5s, done);
  });
  ASSERT_TRUE(created);
  ASSERT_EQ(created->find("error"), Bytes::npos) << *created;
  const auto done = ensure(other, {});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::kConflict);
}

TEST_F(LogTest, AnotherLimitIsGivenToALogThatExists) {
  fill(2);
  EXPECT_TRUE(ensure(kShard, {.max_bytes = 1U << 20}));
  EXPECT_EQ(max_bytes(), (1U << 20) + kStreamReserveBytes);
  EXPECT_TRUE(ensure(kShard, {.max_bytes = 512U << 20}));
  EXPECT_EQ(max_bytes(), (512U << 20) + kStreamReserveBytes);
  EXPECT_EQ(info().first.value(), 1U);
  EXPECT_EQ(append(2, "goes on").value().value(), 3U);
}

TEST_F(LogTest, ALimitBelowWhatTheLogHoldsWaits) {
  for (std::uint64_t i = 0; i < 5; ++i) ASSERT_TRUE(append(i, std::string(kMaxAppendBytes, 'x')));
  const std::uint64_t before = max_bytes();
  EXPECT_TRUE(ensure(kShard, {.max_bytes = 1U << 20})) << "it is served";
  EXPECT_EQ(max_bytes(), before);
  EXPECT_EQ(info().first.value(), 1U) << "nothing was deleted";
  ASSERT_TRUE(purge(4, info()));
  EXPECT_TRUE(ensure(kShard, {.max_bytes = 1U << 20}));
  EXPECT_EQ(max_bytes(), (1U << 20) + kStreamReserveBytes);
  EXPECT_EQ(info().first.value(), 4U);
}

TEST_F(LogTest, AppendsOnlyBehindTheExpectedSequence) {
  EXPECT_EQ(append(0, "a").value().value(), 1U);
  EXPECT_EQ(append(1, "b").value().value(), 2U);
  EXPECT_EQ(append(0, "again").error().failure, AppendFailure::kWrongSequence);
  EXPECT_EQ(append(1, "behind").error().failure, AppendFailure::kWrongSequence);
  EXPECT_EQ(append(3, "ahead").error().failure, AppendFailure::kWrongSequence);
  EXPECT_EQ(info().last.value(), 2U);
}

TEST_F(LogTest, AFirstAppendWithAnotherExpectationIsRefused) {
  EXPECT_EQ(append(7, "a").error().failure, AppendFailure::kWrongSequence);
  EXPECT_EQ(info().last.value(), 0U);
}

TEST_F(LogTest, TheLargestBatchFits) {
  EXPECT_TRUE(append(0, std::string(kMaxAppendBytes, 'x')));
}

TEST_F(LogTest, WithoutAStreamAnAppendIsRefused) {
  const auto result =
      wait<Appended>([&](auto done) { log_.append(ShardId(9), LogSequence(0), "x", 5s, done); });
  EXPECT_EQ(result.error().failure, AppendFailure::kRefused);
}

TEST_F(LogTest, AnAppendWithoutAnAnswerIsUnknownAndMayBeThere) {
  fill(1);
  server_.pause();
  EXPECT_EQ(append(1, "late", 200ms).error().failure, AppendFailure::kUnknown);
  server_.resume();
  // The one that timed out was first, so this one is refused.
  EXPECT_EQ(append(1, "next").error().failure, AppendFailure::kWrongSequence);
  EXPECT_EQ(info().last.value(), 2U);
}

TEST_F(LogTest, AnAcknowledgedAppendSurvivesAKilledServer) {
  fill(20);
  server_.kill();
  const auto lost = append(20, "lost", 500ms);
  EXPECT_EQ(lost.error().failure, AppendFailure::kUnknown);
  server_.restart();
  ASSERT_TRUE(test::run_until(loop_, [&] { return bus_->is_connected(); }));
  EXPECT_EQ(info().last.value(), 20U);
  EXPECT_TRUE(append(20, "batch 21"));
  const auto reader = log_.read(kShard, LogSequence(1));
  const Records records = next(*reader);
  ASSERT_EQ(records.value().size(), 21U);
  for (const LogRecord& record : *records) {
    EXPECT_EQ(record.batch, "batch " + std::to_string(record.sequence.value()));
  }
}

TEST_F(LogTest, ReadsFromTheMiddle) {
  fill(5);
  const auto reader = log_.read(kShard, LogSequence(4));
  EXPECT_EQ(sequences(next(*reader)), (std::vector<std::uint64_t>{4, 5}));
}

TEST_F(LogTest, ReadsInPartsOfTheGivenSize) {
  const std::string large(kMaxAppendBytes, 'x');
  for (std::uint64_t i = 0; i < 10; ++i) ASSERT_TRUE(append(i, large));
  const auto reader = log_.read(kShard, LogSequence(1));
  std::vector<std::uint64_t> all;
  int parts = 0;
  while (all.size() < 10 && parts < 10) {
    const Records records = next(*reader, 1U << 20);
    EXPECT_LE(records.value().size(), 4U);
    for (const std::uint64_t s : sequences(records)) all.push_back(s);
    ++parts;
  }
  EXPECT_EQ(all, (std::vector<std::uint64_t>{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}));
}

// Nobody answers a request to a consumer that is gone: the reader fails, so that a new one begins.
TEST_F(LogTest, AReaderWhoseConsumerIsGoneFails) {
  ASSERT_TRUE(append(0, "first"));
  const auto reader = log_.read(kShard, LogSequence(1));
  ASSERT_TRUE(next(*reader));
  const std::string list =
      wait<Result<Bytes>>([&](auto done) {
        bus_->request("$JS.API.CONSUMER.NAMES." + subject::log_stream(kShard), {}, 5s, done);
      }).value();
  const std::string key = R"("consumers":[")";
  const std::size_t begin = list.find(key) + key.size();
  const std::string name = list.substr(begin, list.find('"', begin) - begin);
  ASSERT_TRUE(wait<Result<Bytes>>([&](auto done) {
    bus_->request("$JS.API.CONSUMER.DELETE." + subject::log_stream(kShard) + "." + name, {}, 5s,
                  done);
  }));
  ASSERT_TRUE(append(1, "second"));
  bool failed = false;
  for (int i = 0; i < 10 && !failed; ++i) failed = !next(*reader, 4U << 20, 100ms);
  EXPECT_TRUE(failed);
}

// A request's time is over while entries come: 2.9.10 may forget it without a word.
TEST_F(LogTest, FollowsALogThatGrowsWhileRequestsEnd) {
  constexpr std::uint64_t kEntries = 3000;
  const auto reader = log_.read(kShard, LogSequence(1));
  std::uint64_t seen = 0;
  bool failed = false;
  std::function<void()> follow = [&] {
    reader->next(4U << 20, 20ms, [&](Records records) {
      failed = failed || !records;
      if (failed) return;
      seen += records->size();
      follow();
    });
  };
  follow();
  for (std::uint64_t i = 0; i < kEntries; ++i) ASSERT_TRUE(append(i, "an entry"));
  EXPECT_TRUE(test::run_until(loop_, [&] { return failed || seen == kEntries; }));
  EXPECT_FALSE(failed);
  EXPECT_EQ(seen, kEntries);
}

// The server ends a request without a word when its bytes are used up exactly. What it counts
// beside the payload differs between versions, so all are tried.
TEST_F(LogTest, ARequestWhoseBytesAreUsedUpExactlyIsOver) {
  constexpr std::size_t kBytes = 2 * (kMaxAppendBytes / 2 + 8192);
  std::uint64_t last = 0;
  for (std::size_t counted = 0; counted < 160; ++counted) {
    const std::string half(kBytes / 2 - counted, 'x');
    const auto reader = log_.read(kShard, LogSequence(last + 1));
    for (int i = 0; i < 2; ++i) ASSERT_TRUE(append(last++, half));
    std::size_t seen = 0;
    while (seen < 2) {
      const Records records = next(*reader, kBytes);
      ASSERT_TRUE(records && !records->empty()) << counted;
      seen += records->size();
    }
    ASSERT_TRUE(append(last++, "more"));
    const Records more = next(*reader, kBytes);
    ASSERT_TRUE(more && more->size() == 1) << counted;
  }
}

TEST_F(LogTest, WithNothingNewItWaitsAndThenSaysNothing) {
  fill(1);
  const auto reader = log_.read(kShard, LogSequence(2));
  const MonotonicTime start = loop_.now();
  EXPECT_TRUE(next(*reader, 4U << 20, 300ms).value().empty());
  EXPECT_GE(loop_.now() - start, 290ms);
  EXPECT_TRUE(next(*reader).value().empty());
}

TEST_F(LogTest, AWaitingReaderGetsANewEntryAtOnce) {
  const auto reader = log_.read(kShard, LogSequence(1));
  EXPECT_TRUE(next(*reader).value().empty());
  std::optional<Records> got;
  reader->next(4U << 20, 10s, [&](Records records) { got.emplace(std::move(records)); });
  const MonotonicTime start = loop_.now();
  fill(1);
  ASSERT_TRUE(test::run_until(loop_, [&] { return got.has_value(); }));
  EXPECT_EQ(sequences(*got), (std::vector<std::uint64_t>{1}));
  EXPECT_LT(loop_.now() - start, 5s);
}

TEST_F(LogTest, FollowsALogThatGrows) {
  const auto reader = log_.read(kShard, LogSequence(1));
  std::vector<std::uint64_t> all;
  std::function<void()> follow = [&] {
    reader->next(4U << 20, 1s, [&](Records records) {
      for (const std::uint64_t s : sequences(records)) all.push_back(s);
      follow();
    });
  };
  follow();
  fill(300);
  EXPECT_TRUE(test::run_until(loop_, [&] { return all.size() >= 300; }));
  ASSERT_EQ(all.size(), 300U);
  for (std::uint64_t i = 0; i < 300; ++i) EXPECT_EQ(all[i], i + 1);
}

TEST_F(LogTest, OneRequestBringsWhatIsAppendedAfterIt) {
  constexpr std::uint64_t kEntries = 50;
  const auto reader = log_.read(kShard, LogSequence(1));
  std::uint64_t seen = 0;
  std::function<void()> follow = [&] {
    reader->next(4U << 20, 60s, [&](Records records) {
      seen += sequences(records).size();
      follow();
    });
  };
  follow();
  ASSERT_TRUE(append(0, "first"));
  ASSERT_TRUE(test::run_until(loop_, [&] { return seen == 1; }));
  const std::uint64_t before = bus_->stats().published;
  for (std::uint64_t i = 2; i <= kEntries; ++i) {
    ASSERT_TRUE(append(i - 1, "another"));
    ASSERT_TRUE(test::run_until(loop_, [&] { return seen == i; }));
  }
  EXPECT_EQ(bus_->stats().published - before, kEntries - 1) << "the appends alone";
}

// Records that were under way when a fetch was over: one comes, then somebody asks for the next,
// then another one comes before the first was handed out. Here they come since we ask the reader's
// consumer in its name.
TEST_F(LogTest, RecordsAroundANewCallAreHandedOutOnce) {
  fill(1);
  const std::string last = bus_->new_inbox();
  const std::size_t digits = last.rfind('.') + 1;
  const std::string inbox =
      fmt::format("{}{}", last.substr(0, digits), std::stoull(last.substr(digits)) + 1);
  const auto reader = log_.read(kShard, LogSequence(1));
  EXPECT_EQ(sequences(next(*reader)), (std::vector<std::uint64_t>{1}));
  std::vector<std::uint64_t> all{1};
  std::size_t calls = 0;
  std::size_t answers = 0;
  std::size_t copies = 0;
  // The server hands out to whole subjects before those with wildcards: at the second copy, the
  // reader has the first record.
  const auto copy = bus_->subscribe(inbox + ".0", {}, Priority::kAnswers, [&](const Incoming&) {
    if (++copies % 2 == 1) return;
    ++calls;
    reader->next(4U << 20, 5s, [&](Records records) {
      ++answers;
      for (const std::uint64_t s : sequences(records)) all.push_back(s);
    });
  });
  ASSERT_TRUE(wait<Result<void>>([&](auto done) { bus_->after_subscriptions(5s, done); }));
  const std::string stream = subject::log_stream(kShard);
  for (std::uint64_t turn = 1; turn <= 20; ++turn) {
    ASSERT_TRUE(append(2 * turn - 1, "one"));
    ASSERT_TRUE(append(2 * turn, "two"));
    bus_->publish_with_reply(jetstream::next_subject(stream, consumer()), inbox + ".0",
                             jetstream::next_batch(2, 1U << 20, 1s));
    ASSERT_TRUE(test::run_until(loop_, [&] { return answers == turn && copies == 2 * turn; }));
  }
  EXPECT_EQ(calls, 20U);
  // The last call may have been answered with one of the two.
  if (all.size() < 41)
    for (const std::uint64_t s : sequences(next(*reader, 4U << 20, 5s))) all.push_back(s);
  ASSERT_EQ(all.size(), 41U);
  for (std::size_t i = 0; i < all.size(); ++i) EXPECT_EQ(all[i], i + 1);
}

TEST_F(LogTest, AStartBehindTheEndIsAConflict) {
  fill(3);
  const auto reader = log_.read(kShard, LogSequence(5));
  EXPECT_EQ(next(*reader).error().code, ErrorCode::kConflict);
  EXPECT_EQ(next(*reader).error().code, ErrorCode::kConflict);
}

TEST_F(LogTest, AStartThatWasPurgedIsAConflict) {
  fill(5);
  ASSERT_TRUE(purge(3, info()));
  const auto reader = log_.read(kShard, LogSequence(2));
  EXPECT_EQ(next(*reader).error().code, ErrorCode::kConflict);
}

TEST_F(LogTest, AReaderThatPurgeOvertakesFindsTheGap) {
  const std::string large(kMaxAppendBytes, 'x');
  for (std::uint64_t i = 0; i < 10; ++i) ASSERT_TRUE(append(i, large));
  const auto reader = log_.read(kShard, LogSequence(1));
  EXPECT_EQ(sequences(next(*reader, 2 * kMaxAppendBytes)).front(), 1U);
  ASSERT_TRUE(purge(9, info()));
  EXPECT_EQ(next(*reader).error().code, ErrorCode::kConflict);
}

TEST_F(LogTest, AReaderOfALostServerFails) {
  fill(1);
  const auto reader = log_.read(kShard, LogSequence(1));
  EXPECT_EQ(sequences(next(*reader)), (std::vector<std::uint64_t>{1}));
  server_.restart();
  ASSERT_TRUE(test::run_until(loop_, [&] { return !bus_->is_connected(); }));
  ASSERT_TRUE(test::run_until(loop_, [&] { return bus_->is_connected(); }));
  EXPECT_FALSE(next(*reader));
  const auto again = log_.read(kShard, LogSequence(1));
  EXPECT_EQ(sequences(next(*again)), (std::vector<std::uint64_t>{1}));
}

TEST_F(LogTest, PurgeKeepsFromTheGivenSequence) {
  fill(5);
  ASSERT_TRUE(purge(3, info()));
  EXPECT_EQ(info().first.value(), 3U);
  EXPECT_EQ(info().last.value(), 5U);
  EXPECT_EQ(append(5, "next").value().value(), 6U);
}

TEST_F(LogTest, PurgeUpToTheLastEntryKeepsIt) {
  fill(5);
  ASSERT_TRUE(purge(5, info()));
  EXPECT_EQ(info().first.value(), 5U);
  EXPECT_EQ(append(5, "next").value().value(), 6U);
}

// What nats-server 2.9 makes of these costs the whole log or its fence.
TEST_F(LogTest, PurgeOutsideTheLogIsRefusedAndNotSent) {
  fill(5);
  for (const std::uint64_t keep_from : {0U, 1U, 6U, 7U, 100U}) {
    const auto done = purge(keep_from, info());
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, ErrorCode::kBadRange);
  }
  EXPECT_EQ(info().first.value(), 1U);
  EXPECT_EQ(info().last.value(), 5U);
  EXPECT_EQ(append(5, "next").value().value(), 6U);
}

TEST_F(LogTest, PurgeOfAnEmptyLogIsRefused) {
  EXPECT_FALSE(purge(1, info()));
  EXPECT_FALSE(purge(2, info()));
}

TEST_F(LogTest, AnEmptiedLogSaysSo) {
  fill(3);
  ASSERT_TRUE(purge(2, info()));
  wait<Result<Bytes>>([&](auto done) {
    bus_->request("$JS.API.STREAM.PURGE." + subject::log_stream(kShard), "", 5s, done);
  });
  EXPECT_EQ(info().first.value(), 4U);
  EXPECT_EQ(info().last.value(), 3U);
  const auto reader = log_.read(kShard, LogSequence(4));
  EXPECT_TRUE(next(*reader).value().empty());
}

TEST_F(LogTest, AllLogsAreToldInOneLookUpAndNothingElse) {
  fill(2);
  for (std::uint16_t shard = 4; shard < 8; ++shard) ASSERT_TRUE(ensure(ShardId(shard), {}));
  wait<Result<Bytes>>([&](auto done) {
    bus_->request("$JS.API.STREAM.CREATE.OTHER", R"({"name":"OTHER","subjects":["other.>"]})", 5s,
                  done);
  });
  const LogInfos infos = ask({});
  ASSERT_EQ(infos.found.size(), 5U);
  for (const LogInfo& one : infos.found) EXPECT_EQ(one.last.value(), one.shard == kShard ? 2U : 0U);
}

TEST_F(LogTest, AFewLogsAreToldAloneAndWhatDoesNotExistIsLeftOut) {
  fill(2);
  ASSERT_TRUE(ensure(ShardId(4), {}));
  const LogInfos infos = ask({kShard, ShardId(9)});
  ASSERT_EQ(infos.found.size(), 1U);
  EXPECT_EQ(infos.found[0].shard, kShard);
  EXPECT_EQ(infos.found[0].last.value(), 2U);
  EXPECT_TRUE(infos.silent.empty());
}

}  // namespace
}  // namespace martlet::bus
