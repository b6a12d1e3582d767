#include <gtest/gtest.h>

#include "rig.h"

namespace martlet::dispatcher::testing {
namespace {

using Kind = wire::AnswerKind;
using Action = MembersAction;

// Groups that are not in memory: the database tells who is in them.
class GroupCold : public ::testing::Test {
 protected:
  // "team" of alice and bob with one message is stored, and nothing of it is in memory.
  void make_cold() {
    rig.change({.id = id_of(1), .change = created({"bob"})});
    rig.settle();
    rig.send({.to = "g:team", .id = id_of(2)});
    rig.settle();
    rig.store_all();
    rig.log.purge_below(rig.log.last());
    rig.pass(2 * kWindowTime);
    rig.take_over();
    rig.answers();
    rig.events();
  }
  ClientMsgId fresh() { return id_of(++number, rig.moment.wall_ms); }
  void send(const std::string& from) { rig.send({.from = from, .to = "g:team", .id = fresh()}); }
  void act(const std::string& from, MembersChange change) {
    rig.change({.from = from, .id = fresh(), .change = std::move(change)});
  }

  Rig rig;
  std::uint64_t number = 100;
};

TEST_F(GroupCold, MembersAndNumbersComeFromTheDatabase) {
  make_cold();
  send("bob");
  send("carol");
  ASSERT_EQ(rig.question->conversations, std::vector<ConversationId>{group("team")});
  rig.settle();
  const auto answers = rig.answers();
  ASSERT_EQ(answers.size(), 2u);
  EXPECT_EQ(answers[0].answer.error, ErrorCode::kNotMember);
  EXPECT_EQ(answers[1].answer.seq, Seq(3));
  EXPECT_EQ(rig.events()[0].members_at, Seq(1));
}

TEST_F(GroupCold, AGroupThatNobodyCreatedIsNone) {
  send("alice");
  act("alice", act_of(Action::kLeft));
  rig.settle();
  const auto answers = rig.answers();
  ASSERT_EQ(answers.size(), 2u);
  for (const auto& answer : answers) EXPECT_EQ(answer.answer.error, ErrorCode::kNoSuchGroup);
  EXPECT_EQ(rig.core().parked(), 0u);
  EXPECT_EQ(rig.core().heads(), 0u) << "what does not exist is not remembered";
}

TEST_F(GroupCold, AGroupIsCreatedAmongThoseWhoAskedForItTooEarly) {
  rig.send({.id = id_of(50)});  // is asked for first, so that all others are asked for at once
  send("bob");
  act("alice", created({"bob"}));
  send("bob");
  rig.answer_question();
  rig.answer_question();
  rig.settle();
  auto answers = rig.answers();
  ASSERT_EQ(answers.size(), 4u);
  std::erase_if(answers, [](const auto& answer) {
    return !answer.conversation.starts_with("g:") && answer.answer.error == ErrorCode::kNone;
  });
  ASSERT_EQ(answers.size(), 3u);
  EXPECT_EQ(answers[0].answer.error, ErrorCode::kNoSuchGroup);
  EXPECT_EQ(answers[1].answer.seq, Seq(1));
  EXPECT_EQ(answers[2].answer.seq, Seq(2));
}

TEST_F(GroupCold, ACreationThatComesWhileTheGroupIsAskedForIsAccepted) {
  send("bob");
  ASSERT_TRUE(rig.question.has_value());
  act("alice", created({"bob"}));
  rig.settle();
  const auto answers = rig.answers();
  ASSERT_EQ(answers.size(), 2u);
  EXPECT_EQ(answers[0].answer.error, ErrorCode::kNoSuchGroup);
  EXPECT_EQ(answers[1].answer.seq, Seq(1));
}

TEST_F(GroupCold, OnlyOneOfTwoCreationsWins) {
  act("alice", created());
  act("bob", created());
  rig.settle();
  const auto answers = rig.answers();
  ASSERT_EQ(answers.size(), 2u);
  EXPECT_EQ(answers[0].answer.seq, Seq(1));
  EXPECT_EQ(answers[1].answer.error, ErrorCode::kGroupTaken);
}

TEST_F(GroupCold, ACreationOfAGroupInTheDatabaseIsTaken) {
  make_cold();
  act("dave", created());
  rig.settle();
  EXPECT_EQ(rig.only_answer().answer.error, ErrorCode::kGroupTaken);
}

TEST_F(GroupCold, AnOldCreationIsRecognizedByTheDatabase) {
  make_cold();
  rig.change({.id = id_of(1), .change = created({"bob"}), .first_sent_ms = 0});
  ASSERT_EQ(rig.question->messages.size(), 1u);
  rig.settle();
  EXPECT_EQ(rig.only_answer().answer.seq, Seq(1));
}

TEST_F(GroupCold, AnOldChangeWithOtherContentIsAConflict) {
  make_cold();
  rig.change({.id = id_of(1), .change = created({"carol"}), .first_sent_ms = 0});
  rig.settle();
  EXPECT_EQ(rig.only_answer().answer.error, ErrorCode::kConflict);
}

TEST_F(GroupCold, WhatFoundNoRoomInAnAnswerIsAskedAgain) {
  make_cold();
  rig.database.omits = 2;
  send("bob");
  rig.settle();
  EXPECT_EQ(rig.only_answer().answer.seq, Seq(3));
  EXPECT_EQ(rig.database.omits, 0u);
}

TEST_F(GroupCold, ADisbandedGroupIsKnownAsSuch) {
  make_cold();
  act("alice", act_of(Action::kDisbanded));
  rig.settle();
  rig.store_all();
  rig.log.purge_below(rig.log.last());
  rig.take_over();
  rig.answers();
  send("alice");
  rig.settle();
  EXPECT_EQ(rig.only_answer().answer.error, ErrorCode::kNoSuchGroup);
  act("alice", created());
  rig.settle();
  EXPECT_EQ(rig.only_answer().answer.error, ErrorCode::kGroupTaken);
}

TEST_F(GroupCold, AQuestionHasAllUsersOfAFrameOrNone) {
  for (int i = 0; i < 10; ++i) {
    std::vector<std::string> names;
    for (int k = 0; k < 100; ++k) {
      names.push_back("u" + std::to_string(i) + "_" + std::to_string(k));
      rig.database.users.insert(names.back());
    }
    rig.change({.group = "g" + std::to_string(i), .id = id_of(1), .change = created(names)});
  }
  for (int rounds = 0; rig.question && rounds < 100; ++rounds) {
    EXPECT_LE(rig.question->items(), kMaxColdItems);
    rig.answer_question();
    if (rig.append) rig.finish_append();
  }
  rig.settle();
  const auto answers = rig.answers();
  ASSERT_EQ(answers.size(), 10u);
  for (const auto& answer : answers) EXPECT_EQ(answer.answer.seq, Seq(1));
}

TEST_F(GroupCold, UsersWhomSeveralNameAreAskedOnceForEachGroup) {
  for (const char* name : {"g1", "g2", "g2", "g3"}) {
    rig.change({.group = name, .id = fresh(), .change = created({"bob", "carol"})});
  }
  rig.answer_question();
  ASSERT_TRUE(rig.question.has_value());
  EXPECT_EQ(rig.question->users.size(), 6u);
  rig.settle();
  EXPECT_EQ(rig.answers().size(), 4u);
}

TEST_F(GroupCold, AFailedQuestionAsksForUsersAgain) {
  rig.database.is_up = false;
  act("alice", created({"bob"}));
  rig.answer_question();
  rig.database.is_up = true;
  rig.pass(kColdRetryPause);
  ASSERT_TRUE(rig.question.has_value());
  EXPECT_EQ(rig.question->users.size(), 2u);
  rig.settle();
  EXPECT_EQ(rig.only_answer().answer.seq, Seq(1));
}

TEST_F(GroupCold, MembersCountForTheLimitOfHeads) {
  Rig small({.heads = 4});
  std::vector<std::string> names;
  for (int i = 0; i < 64; ++i) {
    names.push_back("u" + std::to_string(i));
    small.database.users.insert(names.back());
  }
  small.change({.group = "big", .id = id_of(1), .change = created(names)});
  small.settle();
  EXPECT_EQ(small.core().heads(), 1u);
  small.send({.id = id_of(2)});
  small.settle();
  small.store_all();
  EXPECT_EQ(small.core().heads(), 1u) << "the big one leaves, the small one stays";
  small.send({.to = "g:big", .id = id_of(3)});
  small.settle();
  EXPECT_EQ(small.answers().back().answer.seq, Seq(2));
}

}  // namespace
}  // namespace martlet::dispatcher::testing
