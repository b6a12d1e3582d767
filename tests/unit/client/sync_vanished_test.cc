// Conversations of which a lost tail left nothing: no SYNC tells of them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "client/limits.h"
#include "client/sync_engine.h"
#include "client_test_support.h"

namespace martlet::client {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using AskSync = SyncEngine::AskSync;
using Dropped = SyncEngine::Dropped;
using Show = SyncEngine::Show;

class SyncVanishedTest : public testing::Test {
 protected:
  // A device that knows of no conversation, and is shown the first two messages of one.
  SyncVanishedTest() {
    engine_.emplace(random_, "t0", std::map<ConversationId, Cursor>{});
    engine_->on_connected(std::chrono::minutes(2), at_ms(0));
    answer_sync(1);
    engine_->on_event(message(1), at_ms(10));
    engine_->on_event(message(2), at_ms(11));
    actions();
  }

  void answer_sync(std::int64_t ms, bool behind = false) {
    SyncAnswer answer;
    answer.token = "t1";
    answer.behind = behind;
    engine_->on_sync_answer(std::move(answer), at_ms(ms));
  }
  std::vector<SyncEngine::Action> sync(std::int64_t ms) {
    engine_->sync_now(at_ms(ms));
    answer_sync(ms + 1);
    return actions();
  }
  std::vector<SyncEngine::Action> actions() { return engine_->take_actions(); }

  SeededRandom random_{7};
  std::optional<SyncEngine> engine_;
};

TEST_F(SyncVanishedTest, WhatTwoSyncsDoNotTellIsTakenBack) {
  EXPECT_THAT(only<Dropped>(sync(1'000)), IsEmpty());
  const auto dropped = only<Dropped>(sync(7'000));
  ASSERT_THAT(dropped, SizeIs(1));
  EXPECT_EQ(dropped[0].from, Seq(1));
  EXPECT_EQ(engine_->find_cursor(conversation())->shown, 0U);
  EXPECT_THAT(only<Dropped>(sync(14'000)), IsEmpty());
}

TEST_F(SyncVanishedTest, TheSecondSyncIsAskedForSoon) {
  sync(1'000);
  engine_->tick(at_ms(1'001 + to_ms(kVanishedAfter)));
  EXPECT_THAT(only<AskSync>(actions()), SizeIs(1));
}

TEST_F(SyncVanishedTest, ReplicaThatIsLateTakesNothingBack) {
  sync(1'000);
  EXPECT_THAT(only<Dropped>(sync(2'000)), IsEmpty());
  engine_->sync_now(at_ms(7'000));
  SyncAnswer answer;
  answer.token = "t2";
  ConversationNews news;
  news.conversation = conversation();
  news.last_seq = Seq(2);
  news.generation = Generation(1);
  answer.conversations.push_back(std::move(news));
  engine_->on_sync_answer(std::move(answer), at_ms(7'001));
  EXPECT_THAT(only<Dropped>(actions()), IsEmpty());
  EXPECT_THAT(only<Dropped>(sync(14'000)), IsEmpty());
}

TEST_F(SyncVanishedTest, AnswersThatAreBehindSayNothing) {
  for (std::int64_t ms = 1'000; ms < 30'000; ms += 7'000) {
    engine_->sync_now(at_ms(ms));
    answer_sync(ms + 1, true);
    EXPECT_THAT(only<Dropped>(actions()), IsEmpty());
  }
}

TEST_F(SyncVanishedTest, WhatCameAfterTheQuestionIsNotMissedInItsAnswer) {
  for (std::int64_t ms = 1'000; ms < 30'000; ms += 7'000) {
    engine_.emplace(random_, "t0", std::map<ConversationId, Cursor>{});
    engine_->on_connected(std::chrono::minutes(2), at_ms(ms));
    engine_->on_event(message(1), at_ms(ms + 1));
    answer_sync(ms + 2);
    EXPECT_THAT(only<Dropped>(actions()), IsEmpty());
  }
}

TEST_F(SyncVanishedTest, NewMessagesUnderTheOldNumbersAreShown) {
  sync(1'000);
  sync(7'000);
  engine_->on_event(message(1, 2, 99), at_ms(8'000));
  const auto shown = only<Show>(actions());
  ASSERT_THAT(shown, SizeIs(1));
  EXPECT_EQ(shown[0].message.seq, Seq(1));
}

}  // namespace
}  // namespace martlet::client
