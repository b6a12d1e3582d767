#include "client/track.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "client_test_support.h"
#include "wire/limits.h"

namespace martlet::client {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::uint64_t> shown(const std::vector<Track::Step>& steps) {
  std::vector<std::uint64_t> seqs;
  for (const Track::Step& step : steps) {
    if (step.kind == Track::Step::Kind::kShow) seqs.push_back(step.message.seq.value());
  }
  return seqs;
}

// A track that has shown 1 to `live`, of which the database has 1 to `durable`.
Track track_at(std::uint64_t live, std::uint64_t durable) {
  Track track;
  track.raise_generation(Generation(1));
  track.told(durable);
  for (std::uint64_t seq = 1; seq <= live; ++seq) track.add(message(seq), Origin::kLive);
  track.advance();
  return track;
}

TEST(Track, ShowsInOrderWhateverTheOrderOfArrival) {
  Track track;
  track.add(message(3), Origin::kLive);
  track.add(message(2), Origin::kLive);
  EXPECT_THAT(shown(track.advance()), IsEmpty());
  track.add(message(1), Origin::kLive);
  EXPECT_THAT(shown(track.advance()), ElementsAre(1, 2, 3));
}

TEST(Track, TakesEachSeqOnce) {
  Track track;
  EXPECT_TRUE(track.add(message(1), Origin::kLive));
  EXPECT_FALSE(track.add(message(1), Origin::kLive));
  track.advance();
  EXPECT_FALSE(track.add(message(1), Origin::kFetched));
  EXPECT_THAT(track.advance(), IsEmpty());
}

TEST(Track, NamesWhatIsLacking) {
  Track track;
  track.add(message(2), Origin::kLive);
  track.withhold({5, 6});
  track.told(9);
  EXPECT_THAT(track.lacking(10), ElementsAre(SeqRange{1, 1}, SeqRange{3, 4}, SeqRange{7, 9}));
  EXPECT_THAT(track.lacking(1), ElementsAre(SeqRange{1, 1}));
  EXPECT_EQ(track.count_lacking({4, 8}), 3U);
}

TEST(Track, WithheldCountsAsReceived) {
  Track track;
  track.told(5);
  track.withhold({1, 3});
  track.add(message(4), Origin::kFetched);
  EXPECT_THAT(shown(track.advance()), ElementsAre(4));
  EXPECT_EQ(track.cursor().shown, 4U);
}

TEST(Track, OverlappingWithheldRangesMerge) {
  Track track;
  track.told(20);
  track.withhold({5, 8});
  track.withhold({12, 14});
  track.withhold({7, 13});
  track.withhold({1, 1});
  EXPECT_THAT(track.lacking(10), ElementsAre(SeqRange{2, 4}, SeqRange{15, 20}));
}

TEST(Track, SkipsHistoryBeforeItsStart) {
  Track track;
  track.start_after(80);
  track.told(82);
  EXPECT_THAT(track.lacking(10), ElementsAre(SeqRange{81, 82}));
}

TEST(Track, HigherGenerationTakesBackWhatTheDatabaseDoesNotHave) {
  Track track = track_at(5, 3);
  EXPECT_TRUE(track.raise_generation(Generation(2)));
  EXPECT_EQ(track.cursor().shown, 3U);
  EXPECT_FALSE(track.raise_generation(Generation(2)));
}

TEST(Track, SurvivorOfALostTailIsNotShownAgain) {
  Track track = track_at(5, 3);
  track.raise_generation(Generation(2));
  track.told(4);
  track.add(message(4), Origin::kFetched);
  const std::vector<Track::Step> steps = track.advance();
  EXPECT_THAT(shown(steps), IsEmpty());
  EXPECT_EQ(track.cursor().shown, 4U);
}

TEST(Track, NewMessageUnderAnOldNumberDropsTheOldOne) {
  Track track = track_at(5, 3);
  track.raise_generation(Generation(2));
  track.add(message(4, 2), Origin::kLive);
  const std::vector<Track::Step> steps = track.advance();
  ASSERT_EQ(steps.size(), 2U);
  EXPECT_EQ(steps[0].kind, Track::Step::Kind::kDrop);
  EXPECT_EQ(steps[0].drop_from, 4U);
  EXPECT_EQ(steps[1].message.id, message(4, 2).id);
}

TEST(Track, NewMessageUnderANumberThatWasWithheldDropsWhatFollowed) {
  Track track = track_at(3, 3);
  track.withhold({4, 5});
  track.add(message(6), Origin::kLive);
  track.advance();
  track.raise_generation(Generation(2));
  track.add(message(4, 2), Origin::kLive);
  const std::vector<Track::Step> steps = track.advance();
  ASSERT_EQ(steps.size(), 2U);
  EXPECT_EQ(steps[0].kind, Track::Step::Kind::kDrop);
  EXPECT_EQ(steps[0].drop_from, 4U);
  EXPECT_THAT(shown(steps), ElementsAre(4));
}

TEST(Track, NumberThatIsWithheldNowDropsWhatWasShownUnderIt) {
  Track track = track_at(5, 3);
  track.raise_generation(Generation(2));
  track.withhold({4, 6});
  const std::vector<Track::Step> steps = track.advance();
  ASSERT_EQ(steps.size(), 2U);
  EXPECT_EQ(steps[0].kind, Track::Step::Kind::kDrop);
  EXPECT_EQ(steps[0].drop_from, 4U);
  EXPECT_EQ(track.cursor().shown, 6U);
  EXPECT_FALSE(track.settle());
}

TEST(Track, WhatDidNotComeBackIsDroppedAfterSync) {
  Track track = track_at(5, 3);
  track.raise_generation(Generation(2));
  track.told(3);
  const std::optional<Track::Step> step = track.settle();
  ASSERT_TRUE(step);
  EXPECT_EQ(step->drop_from, 4U);
  EXPECT_FALSE(track.settle());
}

TEST(Track, DoubtSurvivesARestart) {
  Track before = track_at(5, 3);
  before.raise_generation(Generation(2));
  Track track(before.cursor());
  track.add(message(4), Origin::kFetched);
  EXPECT_THAT(shown(track.advance()), IsEmpty());
  EXPECT_TRUE(track.settle());
}

TEST(Track, SyncEndsTheMemoryOfRecentMessages) {
  Track track = track_at(5, 3);
  EXPECT_EQ(track.cursor().recent.size(), 2U);
  track.told(5);
  EXPECT_THAT(track.cursor().recent, IsEmpty());
}

TEST(Track, HugeNumbersOfAPeerAreCheap) {
  Track track;
  track.told(UINT64_MAX);
  track.withhold({2, UINT64_MAX});
  EXPECT_THAT(track.lacking(10), ElementsAre(SeqRange{1, 1}));
  EXPECT_FALSE(track.add(message(UINT64_MAX), Origin::kLive));
  track.add(message(1), Origin::kLive);
  EXPECT_THAT(shown(track.advance()), ElementsAre(1));
  EXPECT_EQ(track.cursor().shown, wire::kMaxSeq);
}

TEST(Track, NothingIsWaitedForAfterTheEndOfAMembership) {
  Track track;
  track.start_after(4);
  track.expect(Seq(10));
  track.told(6);
  track.end_at(6);
  EXPECT_THAT(track.lacking(10), ElementsAre(SeqRange{5, 6}));
  track.withhold({5, 6});
  track.advance();
  EXPECT_FALSE(track.is_lacking());
}

TEST(Track, EndOfAMembershipTakesNothingBack) {
  Track track;
  track.add(message(1), Origin::kLive);
  track.add(message(3), Origin::kLive);
  track.advance();
  track.end_at(0);
  EXPECT_EQ(track.cursor().shown, 1U);
  EXPECT_THAT(track.lacking(10), ElementsAre(SeqRange{2, 2}));
}

}  // namespace
}  // namespace martlet::client
