#include <gtest/gtest.h>

#include "rig.h"

namespace martlet::dispatcher::testing {
namespace {

using Kind = wire::AnswerKind;
using namespace std::chrono_literals;

class Duplicates : public ::testing::Test {
 protected:
  Duplicates() {
    rig.send({.id = id_of(1)});
    rig.settle();
    rig.answers();
    rig.events();
  }
  // The window forgets id 1 and everything else that was stored.
  void let_the_window_forget() {
    rig.store_all();
    rig.pass(kWindowTime + 1s);
    rig.answers();
  }
  Rig rig;
};

TEST_F(Duplicates, ARepeatGetsTheSameAnswerAgain) {
  rig.send({.id = id_of(10)});
  rig.settle();
  const OutgoingAnswer first = rig.only_answer();
  rig.send({.id = id_of(10), .request_id = 2, .edge = "edge2", .session = {2, 2}});
  const OutgoingAnswer second = rig.only_answer();
  EXPECT_FALSE(rig.append.has_value());
  EXPECT_EQ(second.answer.seq, first.answer.seq);
  EXPECT_EQ(second.answer.message_id, first.answer.message_id);
  EXPECT_EQ(second.answer.time_ms, first.answer.time_ms);
  EXPECT_EQ(second.answer.request_id, 2u);
}

TEST_F(Duplicates, CopiesThatArriveDuringTheAppendAreAnsweredWithIt) {
  rig.send({.id = id_of(10)});
  rig.send({.id = id_of(10), .request_id = 2, .edge = "edge2", .session = {2, 2}});
  rig.send({.id = id_of(10), .request_id = 3, .edge = "edge1", .session = {3, 3}});
  EXPECT_TRUE(rig.answers().empty());
  rig.finish_append();
  const auto answers = rig.answers();
  ASSERT_EQ(answers.size(), 3u);
  for (const OutgoingAnswer& answer : answers) EXPECT_EQ(answer.answer.seq, Seq(2));
  EXPECT_EQ(rig.events().size(), 1u);
  EXPECT_FALSE(rig.append.has_value());
}

TEST_F(Duplicates, TheEdgesOwnRepeatIsAnsweredOnce) {
  rig.send({.id = id_of(10)});
  rig.send({.id = id_of(10)});
  rig.finish_append();
  EXPECT_EQ(rig.answers().size(), 1u);
}

TEST_F(Duplicates, CopiesOfOneMessageAreBounded) {
  rig.send({.id = id_of(10)});
  for (std::uint32_t i = 2; i < 100; ++i) rig.send({.id = id_of(10), .request_id = i});
  rig.finish_append();
  EXPECT_EQ(rig.answers().size(), kMaxAskersPerMessage);
}

TEST_F(Duplicates, TheSameIdWithAnotherContentIsAConflict) {
  rig.send({.id = id_of(1), .content = "another"});
  EXPECT_EQ(rig.only_answer().answer.error, ErrorCode::kConflict);
  rig.send({.id = id_of(10)});
  rig.send({.id = id_of(10), .content = "another", .request_id = 2});
  EXPECT_EQ(rig.only_answer().answer.error, ErrorCode::kConflict);
}

TEST_F(Duplicates, TheSameIdOfAnotherSenderOrConversationIsAnotherMessage) {
  rig.send({.from = "bob", .to = "alice", .id = id_of(1)});
  rig.send({.to = "carol", .id = id_of(1)});
  rig.settle();
  const auto answers = rig.answers();
  ASSERT_EQ(answers.size(), 2u);
  EXPECT_EQ(answers[0].answer.seq, Seq(2));
  EXPECT_EQ(answers[1].answer.seq, Seq(1));
}

TEST_F(Duplicates, AFreshMessageNeedsNoLookUp) {
  let_the_window_forget();
  rig.send({.id = id_of(10, rig.moment.wall_ms)});
  EXPECT_FALSE(rig.question.has_value());
  EXPECT_TRUE(rig.append.has_value());
}

TEST_F(Duplicates, AMessageFirstSentBeforeTheWindowIsLookedUp) {
  let_the_window_forget();
  rig.send({.id = id_of(1), .first_sent_ms = kStartMs});
  ASSERT_TRUE(rig.question.has_value());
  EXPECT_TRUE(rig.answers().empty());
  rig.answer_question();
  const OutgoingAnswer ack = rig.only_answer();
  EXPECT_EQ(ack.answer.seq, Seq(1));
  EXPECT_EQ(ack.answer.level, wire::AckLevel::Stored);
  EXPECT_FALSE(rig.append.has_value());
}

TEST_F(Duplicates, AMessageOfUnknownAgeIsLookedUp) {
  let_the_window_forget();
  rig.send({.id = id_of(10, rig.moment.wall_ms), .first_sent_ms = 0});
  ASSERT_TRUE(rig.question.has_value());
  rig.answer_question();
  EXPECT_TRUE(rig.append.has_value());
}

TEST_F(Duplicates, AFreshIdFirstSentBeforeTheWindowIsLookedUp) {
  let_the_window_forget();
  const WallMs edge = kStartMs + kClockMarginMs;
  rig.send({.id = id_of(10, rig.moment.wall_ms), .first_sent_ms = edge + 1});
  EXPECT_FALSE(rig.question.has_value());
  rig.send({.id = id_of(11, rig.moment.wall_ms), .first_sent_ms = edge});
  EXPECT_TRUE(rig.question.has_value());
}

// The lid of a laptop was closed before the answer came, and its monotonic clock stood still: it
// repeats the message minutes later and says that it is young.
TEST_F(Duplicates, AnOldIdIsLookedUpHoweverYoungItsAge) {
  let_the_window_forget();
  rig.send({.id = id_of(1), .first_sent_ms = rig.moment.wall_ms - 2'000});
  ASSERT_TRUE(rig.question.has_value());
  rig.answer_question();
  EXPECT_EQ(rig.only_answer().answer.seq, Seq(1));
  EXPECT_FALSE(rig.append.has_value());
}

TEST_F(Duplicates, AnIdIsOldUpToAMarginAboveTheWindowsOldest) {
  let_the_window_forget();
  rig.send({.id = id_of(10, kStartMs + kClockMarginMs + 1)});
  EXPECT_FALSE(rig.question.has_value());
  rig.send({.id = id_of(11, kStartMs + kClockMarginMs)});
  EXPECT_TRUE(rig.question.has_value());
}

TEST_F(Duplicates, AnIdOfTheFutureIsLookedUp) {
  let_the_window_forget();
  rig.send({.id = id_of(10, rig.moment.wall_ms + kClockMarginMs)});
  EXPECT_FALSE(rig.question.has_value());
  rig.send({.id = id_of(11, rig.moment.wall_ms + kClockMarginMs + 1)});
  EXPECT_TRUE(rig.question.has_value());
}

TEST_F(Duplicates, AnIdThatTellsNoTimeIsLookedUp) {
  let_the_window_forget();
  ClientMsgId id = id_of(10, rig.moment.wall_ms);
  id.bytes[6] = 0x40;  // a random UUID
  rig.send({.id = id});
  EXPECT_TRUE(rig.question.has_value());
}

TEST_F(Duplicates, AFrameOfAnEdgeWhoseClockIsAheadIsLookedUp) {
  let_the_window_forget();
  const WallMs ahead = rig.moment.wall_ms + 60'000;
  rig.send({.id = id_of(10, rig.moment.wall_ms), .first_sent_ms = ahead, .received_ms = ahead});
  EXPECT_TRUE(rig.question.has_value());
}

TEST_F(Duplicates, AFrameThatWasUnderWayForLongIsLookedUp) {
  let_the_window_forget();
  const WallMs long_ago = rig.moment.wall_ms - kRecentFrameMs;
  rig.send({.id = id_of(10, rig.moment.wall_ms), .received_ms = long_ago});
  EXPECT_TRUE(rig.question.has_value());
}

TEST_F(Duplicates, AConflictIsFoundInTheDatabaseToo) {
  let_the_window_forget();
  rig.send({.id = id_of(1), .content = "another", .first_sent_ms = 0});
  rig.answer_question();
  EXPECT_EQ(rig.only_answer().answer.error, ErrorCode::kConflict);
}

TEST_F(Duplicates, WhatWasFoundInTheDatabaseMayBeFollowed) {
  let_the_window_forget();
  rig.send({.id = id_of(1), .first_sent_ms = 0});
  rig.send({.id = id_of(10), .follows = id_of(1)});
  rig.settle();
  const auto answers = rig.answers();
  ASSERT_EQ(answers.size(), 2u);
  EXPECT_EQ(answers[0].answer.seq, Seq(1));
  EXPECT_EQ(answers[1].answer.seq, Seq(2));
}

TEST_F(Duplicates, WhatIsNotStoredIsNeverForgotten) {
  rig.pass(kWindowTime * 100);
  rig.send({.id = id_of(1), .first_sent_ms = 0});
  EXPECT_EQ(rig.only_answer().answer.seq, Seq(1));
  EXPECT_FALSE(rig.question.has_value());
}

TEST_F(Duplicates, WhatIsStoredIsKeptForTheWindowsTime) {
  rig.store_all();
  rig.pass(kWindowTime - 1ms);
  rig.send({.id = id_of(1), .first_sent_ms = 0});
  EXPECT_EQ(rig.only_answer().answer.seq, Seq(1));
  EXPECT_FALSE(rig.question.has_value());
}

TEST_F(Duplicates, ACrashBeforeTheAnswerDoesNotDoubleTheMessage) {
  rig.send({.id = id_of(10)});
  const AppendRequest request = *rig.append;
  rig.log.append(request.expected_last, request.batch);
  rig.take_over();
  rig.send({.id = id_of(10)});
  EXPECT_EQ(rig.only_answer().answer.seq, Seq(2));
  EXPECT_FALSE(rig.append.has_value());
}

TEST_F(Duplicates, ACrashBeforeTheAppendLeavesTheMessageOpen) {
  rig.send({.id = id_of(10)});
  rig.take_over();
  rig.send({.id = id_of(10)});
  rig.settle();
  EXPECT_EQ(rig.only_answer().answer.seq, Seq(2));
}

}  // namespace
}  // namespace martlet::dispatcher::testing
