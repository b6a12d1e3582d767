#include <gtest/gtest.h>

#include "rig.h"

namespace martlet::dispatcher::testing {
namespace {

using Kind = wire::AnswerKind;
using namespace std::chrono_literals;

// Messages of a shard whose conversations are not in memory.
TEST(Cold, AnUnknownConversationIsAskedOfTheDatabase) {
  Rig rig;
  rig.send({.id = id_of(1)});
  ASSERT_TRUE(rig.question.has_value());
  ASSERT_EQ(rig.question->conversations.size(), 1u);
  EXPECT_EQ(rig.question->conversations[0].str(), "u:alice:bob");
  EXPECT_TRUE(rig.question->messages.empty());
  EXPECT_FALSE(rig.append.has_value());
  rig.settle();
  EXPECT_EQ(rig.only_answer().answer.seq, Seq(1));
}

TEST(Cold, ARecipientThatDoesNotExistIsRefusedForGood) {
  Rig rig;
  rig.send({.to = "nobody", .id = id_of(1)});
  rig.send({.to = "nobody", .id = id_of(2)});
  rig.settle();
  const auto answers = rig.answers();
  ASSERT_EQ(answers.size(), 2u);
  for (const OutgoingAnswer& answer : answers) {
    EXPECT_EQ(answer.answer.kind, Kind::kRefused);
    EXPECT_EQ(answer.answer.error, ErrorCode::kNoSuchUser);
  }
  EXPECT_EQ(rig.core().parked(), 0u);
}

TEST(Cold, FramesOfAColdConversationKeepTheirOrder) {
  Rig rig;
  for (std::uint64_t i = 1; i <= 20; ++i) {
    rig.send({.from = i % 2 ? "alice" : "bob", .to = i % 2 ? "bob" : "alice", .id = id_of(i)});
  }
  rig.settle();
  const auto answers = rig.answers();
  ASSERT_EQ(answers.size(), 20u);
  for (std::uint64_t i = 1; i <= 20; ++i) {
    EXPECT_EQ(answers[i - 1].answer.client_msg_id, id_of(i));
    EXPECT_EQ(answers[i - 1].answer.seq, Seq(i));
  }
}

TEST(Cold, OneQuestionIsUnderWayAtATimeAndTheNextHoldsAllThatCameMeanwhile) {
  Rig rig;
  rig.send({.id = id_of(1)});
  rig.send({.to = "carol", .id = id_of(2)});
  rig.send({.to = "dave", .id = id_of(3)});
  ASSERT_EQ(rig.question->conversations.size(), 1u);
  rig.answer_question();
  ASSERT_EQ(rig.question->conversations.size(), 2u);
}

TEST(Cold, AQuestionHasAtMost256Items) {
  Rig rig;
  rig.send({.id = id_of(1)});
  for (int i = 0; i < 600; ++i) {
    const std::string peer = "u" + std::to_string(i);
    rig.database.users.insert(peer);
    rig.send({.from = peer, .to = "bob", .id = id_of(10)});
  }
  rig.answer_question();
  EXPECT_EQ(rig.question->conversations.size(), kMaxColdItems);
  rig.settle();
  EXPECT_EQ(rig.answers().size(), 601u);
  EXPECT_EQ(rig.database.questions, 1u + 3u);
}

TEST(Cold, TheQuestionNamesTheLeastWatermark) {
  Rig rig;
  rig.send({.id = id_of(1)});
  rig.settle();
  rig.store_all();
  rig.send({.to = "carol", .id = id_of(2)});
  EXPECT_EQ(rig.question->min_watermark, rig.database.watermark);
}

TEST(Cold, AnAnswerOfAnOlderSnapshotIsAskedAgain) {
  Rig rig;
  rig.send({.id = id_of(1)});
  rig.settle();
  rig.store_all();
  rig.answers();
  rig.send({.to = "carol", .id = id_of(2)});
  auto stale = rig.database.answer(*rig.question);
  stale->watermark = LogPosition(0);
  rig.question.reset();
  rig.core().cold_answer(stale, rig.moment);
  rig.take();
  EXPECT_FALSE(rig.append.has_value());
  EXPECT_FALSE(rig.question.has_value());
  rig.pass(kColdRetryPause);
  EXPECT_TRUE(rig.question.has_value());
  rig.settle();
  EXPECT_EQ(rig.only_answer().answer.seq, Seq(1));
}

TEST(Cold, AnAnswerOfAHigherGenerationIsDoubt) {
  Rig rig;
  rig.send({.id = id_of(1)});
  rig.database.generation = Generation(2);
  rig.answer_question();
  EXPECT_TRUE(rig.is_doubting);
  EXPECT_TRUE(rig.answers().empty());
}

TEST(Cold, WithoutTheDatabaseFramesAreRefusedAsRetryableAfterTwoSeconds) {
  Rig rig;
  rig.database.is_up = false;
  rig.send({.id = id_of(1)});
  for (int i = 0; i < 19; ++i) {
    if (rig.question) rig.answer_question();
    rig.pass(100ms);
  }
  EXPECT_TRUE(rig.answers().empty());
  rig.pass(100ms);
  const OutgoingAnswer refusal = rig.only_answer();
  EXPECT_EQ(refusal.answer.error, ErrorCode::kUnavailable);
  EXPECT_GT(refusal.answer.retry_after_ms, 0u);
  EXPECT_EQ(rig.core().parked(), 0u);
}

TEST(Cold, WithoutTheDatabaseHotConversationsGoOn) {
  Rig rig;
  rig.send({.id = id_of(1)});
  rig.settle();
  rig.answers();
  rig.database.is_up = false;
  rig.send({.to = "carol", .id = id_of(2)});
  rig.send({.id = id_of(3)});
  rig.finish_append();
  EXPECT_EQ(rig.only_answer().answer.client_msg_id, id_of(3));
}

// A sender that needs a look-up holds up itself, not its peer.
TEST(Cold, ALookUpOfOneSenderDoesNotHoldUpTheOther) {
  Rig rig;
  rig.send({.id = id_of(1)});
  rig.settle();
  rig.store_all();
  rig.pass(kWindowTime + 1s);
  rig.answers();
  const ClientMsgId fresh = id_of(4, rig.moment.wall_ms);
  rig.send({.id = id_of(2), .first_sent_ms = 0});
  rig.send({.id = id_of(3)});
  rig.send({.from = "bob", .to = "alice", .id = fresh});
  ASSERT_TRUE(rig.append.has_value());
  const auto batch = wire::parse_batch(rig.append->batch);
  ASSERT_EQ(batch->entries.size(), 1u);
  EXPECT_EQ(batch->entries[0].client_msg_id, fresh);
  rig.settle();
  const auto answers = rig.answers();
  ASSERT_EQ(answers.size(), 3u);
  EXPECT_EQ(answers[1].answer.client_msg_id, id_of(2));
  EXPECT_EQ(answers[2].answer.client_msg_id, id_of(3));
}

TEST(Cold, ParkedFramesOfOneUserAreBounded) {
  Rig rig;
  for (std::uint64_t i = 1; i <= 70; ++i) rig.send({.id = id_of(i)});
  EXPECT_EQ(rig.core().parked(), kMaxParkedFramesPerUser);
  const auto answers = rig.answers();
  ASSERT_EQ(answers.size(), 6u);
  for (const OutgoingAnswer& answer : answers) EXPECT_EQ(answer.answer.error, ErrorCode::kBusy);
}

TEST(Cold, ParkedFramesOfAShardAreBounded) {
  Rig rig({.parked_frames = 100});
  for (int i = 0; i < 120; ++i) {
    rig.send({.from = "u" + std::to_string(i), .to = "bob", .id = id_of(1)});
  }
  EXPECT_EQ(rig.core().parked(), 100u);
  EXPECT_EQ(rig.answers().size(), 20u);
}

TEST(Cold, ParkedBytesOfAShardAreBounded) {
  Rig rig;
  const std::string content(kMaxBodyBytes - 1024, 'x');
  for (int i = 0; i < 300; ++i) {
    rig.send({.from = "u" + std::to_string(i), .to = "bob", .id = id_of(1), .content = content});
  }
  EXPECT_LE(rig.core().parked() * content.size(), kMaxParkedBytes);
  EXPECT_FALSE(rig.answers().empty());
}

TEST(Cold, TheEdgesRepeatOfAParkedFrameIsNotParkedAgain) {
  Rig rig;
  rig.send({.id = id_of(1)});
  rig.send({.id = id_of(1)});
  EXPECT_EQ(rig.core().parked(), 1u);
}

TEST(Cold, CopiesThroughSeveralEdgesAreLoggedOnceAndAllAnswered) {
  Rig rig;
  rig.send({.id = id_of(1), .first_sent_ms = 0});
  rig.send({.id = id_of(1), .edge = "edge2", .session = {2, 2}, .first_sent_ms = 0});
  rig.settle();
  const auto answers = rig.answers();
  ASSERT_EQ(answers.size(), 2u);
  EXPECT_EQ(answers[0].answer.message_id, answers[1].answer.message_id);
  EXPECT_EQ(rig.events().size(), 1u);
}

// The memory limit holds, and what was forgotten is continued.
TEST(Cold, ThirtyThousandConversationsWithAnEarlyForgetfulMemory) {
  constexpr int kConversations = 30'000;
  Rig rig({.heads = 1'000});
  for (std::uint64_t round = 1; round <= 2; ++round) {
    for (int i = 0; i < kConversations; ++i) {
      const std::string peer = "peer" + std::to_string(i);
      rig.database.users.insert(peer);
      rig.send({.to = peer, .id = id_of(round)});
      if (rig.core().parked() < 60 && i + 1 < kConversations) continue;
      rig.settle();
      rig.store_all();
      EXPECT_LE(rig.core().heads(), 1'000u + 64u);
    }
    const auto answers = rig.answers();
    ASSERT_EQ(answers.size(), static_cast<std::size_t>(kConversations));
    for (const OutgoingAnswer& answer : answers) ASSERT_EQ(answer.answer.seq, Seq(round));
    rig.events();
    rig.pass(kWindowTime + 1s);
  }
  EXPECT_LT(rig.core().window(), 10u);
  EXPECT_LT(rig.database.questions, 2u * kConversations / 20);
}

TEST(Cold, WhatIsNotStoredIsNotForgotten) {
  Rig rig({.heads = 10});
  for (int i = 0; i < 50; ++i) {
    const std::string peer = "peer" + std::to_string(i);
    rig.database.users.insert(peer);
    rig.send({.to = peer, .id = id_of(1)});
    rig.settle();
  }
  EXPECT_EQ(rig.core().heads(), 50u);
  rig.store_all();
  EXPECT_EQ(rig.core().heads(), 10u);
}

}  // namespace
}  // namespace martlet::dispatcher::testing
