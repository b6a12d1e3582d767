#include "client/sync_engine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "client/limits.h"
#include "client_test_support.h"

namespace martlet::client {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using Show = SyncEngine::Show;
using AskSync = SyncEngine::AskSync;
using AskFetch = SyncEngine::AskFetch;
using Dropped = SyncEngine::Dropped;

constexpr Duration kTailCheck = std::chrono::minutes(2);

std::vector<std::uint64_t> shown(const std::vector<SyncEngine::Action>& actions) {
  std::vector<std::uint64_t> seqs;
  for (const Show& show : only<Show>(actions)) seqs.push_back(show.message.seq.value());
  return seqs;
}

ConversationNews news(std::uint64_t last, std::uint32_t generation = 1) {
  ConversationNews n;
  n.conversation = conversation();
  n.last_seq = Seq(last);
  n.generation = Generation(generation);
  return n;
}

SyncAnswer sync_answer(std::vector<ConversationNews> changed, Bytes token = "t1") {
  SyncAnswer answer;
  answer.conversations = std::move(changed);
  answer.token = std::move(token);
  return answer;
}

FetchAnswer fetch_answer(std::uint64_t from, std::uint64_t to) {
  FetchAnswer answer;
  for (std::uint64_t seq = from; seq <= to; ++seq) answer.messages.push_back(message(seq));
  return answer;
}

class SyncEngineTest : public testing::Test {
 protected:
  // A device that has synced once, has shown 1 to 3, and is connected and idle.
  void start_known() {
    Cursor cursor{.shown = 3, .target = 3, .durable = 3, .generation = 1, .recent = {}};
    engine_.emplace(random_, "t0", std::map<ConversationId, Cursor>{{conversation(), cursor}});
    engine_->on_connected(kTailCheck, at_ms(0));
    engine_->on_sync_answer(sync_answer({}), at_ms(1));
    engine_->take_actions();
  }
  void start_new() {
    engine_.emplace(random_, "", std::map<ConversationId, Cursor>{});
    engine_->on_connected(kTailCheck, at_ms(0));
  }
  void skip_second_sync() {
    engine_->tick(at_ms(2'000));
    engine_->on_sync_answer(sync_answer({}), at_ms(2'000));
    engine_->take_actions();
  }
  std::vector<SyncEngine::Action> actions() { return engine_->take_actions(); }

  SeededRandom random_{7};
  std::optional<SyncEngine> engine_;
};

TEST_F(SyncEngineTest, NextMessageIsShownAtOnce) {
  start_known();
  engine_->on_event(message(4), at_ms(10));
  EXPECT_THAT(shown(actions()), ElementsAre(4));
}

TEST_F(SyncEngineTest, OldMessageIsDropped) {
  start_known();
  engine_->on_event(message(3), at_ms(10));
  EXPECT_THAT(actions(), IsEmpty());
  EXPECT_EQ(engine_->counters().duplicates, 1U);
}

TEST_F(SyncEngineTest, GapThatFillsItselfIsNotFetched) {
  start_known();
  engine_->on_event(message(5), at_ms(10));
  engine_->on_event(message(4), at_ms(100));
  EXPECT_THAT(shown(actions()), ElementsAre(4, 5));
  engine_->tick(at_ms(1'000));
  EXPECT_THAT(only<AskFetch>(actions()), IsEmpty());
}

TEST_F(SyncEngineTest, GapIsFetchedAfterTheWait) {
  start_known();
  engine_->on_event(message(6), at_ms(10));
  EXPECT_EQ(engine_->next_deadline(), at_ms(310));
  engine_->tick(at_ms(309));
  EXPECT_THAT(only<AskFetch>(actions()), IsEmpty());
  engine_->tick(at_ms(310));
  const auto asked = only<AskFetch>(actions());
  ASSERT_EQ(asked.size(), 1U);
  EXPECT_THAT(asked[0].ranges, ElementsAre(ConversationRange{conversation(), {4, 5}}));
  engine_->on_fetch_answer(fetch_answer(4, 5), at_ms(320));
  EXPECT_THAT(shown(actions()), ElementsAre(4, 5, 6));
}

TEST_F(SyncEngineTest, OwnAcknowledgementFillsItsPlace) {
  start_known();
  engine_->on_event(message(5), at_ms(10));
  engine_->on_own(message(4), at_ms(20));
  const auto shows = only<Show>(actions());
  ASSERT_EQ(shows.size(), 2U);
  EXPECT_EQ(shows[0].origin, Origin::kOwn);
  EXPECT_EQ(shows[1].origin, Origin::kLive);
}

TEST_F(SyncEngineTest, AnUnknownGroupBeginsWhereSyncSays) {
  start_known();
  skip_second_sync();
  engine_->on_event(message(90, 1, 0, "g:birds"), at_ms(3'000));
  engine_->tick(at_ms(3'299));
  EXPECT_THAT(actions(), IsEmpty()) << "neither shown nor fetched from its first message on";
  engine_->tick(at_ms(3'300));
  ASSERT_EQ(only<AskSync>(actions()).size(), 1U);
  ConversationNews group = news(91);
  group.conversation = conversation("g:birds");
  group.start_seq = Seq(90);
  engine_->on_sync_answer(sync_answer({group}), at_ms(3'310));
  EXPECT_THAT(shown(actions()), ElementsAre(90));
  engine_->on_event(message(91, 1, 0, "g:birds"), at_ms(3'320));
  EXPECT_THAT(shown(actions()), ElementsAre(91));
}

TEST_F(SyncEngineTest, AnUnknownGroupWaitsAtThePaceOfADatabaseThatIsBehind) {
  start_known();
  skip_second_sync();
  engine_->on_event(message(90, 1, 0, "g:birds"), at_ms(3'000));
  engine_->tick(at_ms(3'300));
  actions();
  SyncAnswer behind = sync_answer({});
  behind.behind = true;
  behind.again_in_ms = 2'000;
  engine_->on_sync_answer(behind, at_ms(3'310));
  engine_->tick(at_ms(5'309));
  EXPECT_THAT(only<AskSync>(actions()), IsEmpty());
  engine_->tick(at_ms(5'310));
  EXPECT_THAT(only<AskSync>(actions()), SizeIs(1));
}

TEST_F(SyncEngineTest, AGroupThatSyncDoesNotTellIsNotAskedForAgain) {
  start_known();
  skip_second_sync();
  engine_->on_event(message(90, 1, 0, "g:birds"), at_ms(3'000));
  engine_->tick(at_ms(3'300));
  engine_->on_event(message(7, 1, 0, "g:bees"), at_ms(3'305));
  engine_->on_sync_answer(sync_answer({}), at_ms(3'310));
  actions();
  engine_->tick(at_ms(3'610));
  ASSERT_THAT(only<AskSync>(actions()), SizeIs(1))
      << "the one that came later was not asked for yet";
  engine_->on_sync_answer(sync_answer({}), at_ms(3'620));
  actions();
  engine_->tick(at_ms(30'000));
  EXPECT_THAT(only<AskSync>(actions()), IsEmpty());
  EXPECT_EQ(engine_->counters().discarded, 2U);
}

TEST_F(SyncEngineTest, TheFirstMessageOfAGroupIsShownAtOnce) {
  start_known();
  engine_->on_own(message(1, 1, 0, "g:birds"), at_ms(10));
  EXPECT_THAT(shown(actions()), ElementsAre(1));
}

TEST_F(SyncEngineTest, SyncsAtLoginAgainTwoSecondsLaterAndThenWithinTheInterval) {
  start_known();
  EXPECT_EQ(engine_->next_deadline(), at_ms(2'000));
  engine_->tick(at_ms(2'000));
  EXPECT_EQ(only<AskSync>(actions()).size(), 1U);
  MonotonicTime before = at_ms(2'010);
  for (int i = 0; i < 100; ++i) {
    engine_->on_sync_answer(sync_answer({}), before);
    const MonotonicTime next = *engine_->next_deadline();
    EXPECT_GE(next, before + kTailCheck * 3 / 4);
    EXPECT_LE(next + kGapWait, before + kTailCheck);
    before = next;
    engine_->tick(before);
    EXPECT_EQ(only<AskSync>(actions()).size(), 1U);
  }
}

TEST_F(SyncEngineTest, ResyncHintBringsASyncWithinItsTime) {
  start_known();
  skip_second_sync();
  engine_->on_resync(std::chrono::seconds(10), at_ms(5'000));
  EXPECT_LE(*engine_->next_deadline(), at_ms(15'000));
  engine_->tick(at_ms(15'000));
  EXPECT_EQ(only<AskSync>(actions()).size(), 1U);
}

TEST_F(SyncEngineTest, AHintThatComesWhileASyncIsOutBringsAnother) {
  start_known();
  skip_second_sync();
  engine_->sync_now(at_ms(5'000));
  EXPECT_EQ(only<AskSync>(actions()).size(), 1U);
  engine_->on_resync({}, at_ms(5'001));
  EXPECT_THAT(only<AskSync>(actions()), IsEmpty()) << "one at a time";
  engine_->on_sync_answer(sync_answer({}), at_ms(5'002));
  EXPECT_EQ(only<AskSync>(actions()).size(), 1U) << "the answer may be older than the hint";
  EXPECT_FALSE(engine_->is_settled());
  engine_->on_sync_answer(sync_answer({}), at_ms(5'003));
  EXPECT_THAT(only<AskSync>(actions()), IsEmpty());
  EXPECT_TRUE(engine_->is_settled());
}

TEST_F(SyncEngineTest, AHintWhileASyncIsOutIsForgottenWithItsFailure) {
  start_known();
  skip_second_sync();
  engine_->sync_now(at_ms(5'000));
  engine_->on_resync({}, at_ms(5'001));
  engine_->on_sync_error(true, std::chrono::seconds(3), at_ms(5'002));
  EXPECT_GE(*engine_->next_deadline(), at_ms(8'002)) << "the repeat is younger than the hint";
  actions();
  engine_->tick(*engine_->next_deadline());
  EXPECT_EQ(only<AskSync>(actions()).size(), 1U);
  engine_->on_sync_answer(sync_answer({}), at_ms(12'000));
  EXPECT_THAT(only<AskSync>(actions()), IsEmpty());
}

TEST_F(SyncEngineTest, EventsWaitForTheFirstSyncOfANewDevice) {
  start_new();
  engine_->on_event(message(8), at_ms(1));
  EXPECT_THAT(shown(actions()), IsEmpty());
  ConversationNews changed = news(7);
  changed.newest = {message(6), message(7)};
  engine_->on_sync_answer(sync_answer({changed}), at_ms(5));
  EXPECT_THAT(shown(actions()), ElementsAre(6, 7, 8));
  EXPECT_TRUE(engine_->is_settled());
}

TEST_F(SyncEngineTest, WaitingEventsAreBounded) {
  start_new();
  for (std::uint64_t seq = 1; seq <= kMaxWaitingEvents + 5; ++seq) {
    engine_->on_event(message(seq), at_ms(1));
  }
  EXPECT_EQ(engine_->counters().waited, kMaxWaitingEvents);
  EXPECT_EQ(engine_->counters().discarded, 5U);
}

TEST_F(SyncEngineTest, ConversationThatBeganAfterTheTokenIsFetchedWhole) {
  start_known();
  engine_->on_event(message(3, 1, 0, "u:alice:carol"), at_ms(10));
  engine_->tick(at_ms(310));
  const auto asked = only<AskFetch>(actions());
  ASSERT_EQ(asked.size(), 1U);
  EXPECT_THAT(asked[0].ranges,
              ElementsAre(ConversationRange{conversation("u:alice:carol"), {1, 2}}));
}

TEST_F(SyncEngineTest, PagesOfASyncAreAskedForAndTheTokenIsSavedWithTheLast) {
  start_new();
  actions();
  SyncAnswer first = sync_answer({news(2)}, "");
  first.next_page = "p2";
  engine_->on_sync_answer(first, at_ms(1));
  const std::vector<SyncEngine::Action> middle = actions();
  const auto asked = only<AskSync>(middle);
  ASSERT_EQ(asked.size(), 1U);
  EXPECT_EQ(asked[0].page, "p2");
  EXPECT_THAT(only<SyncEngine::SaveToken>(middle), IsEmpty());
  engine_->on_sync_answer(sync_answer({}, "t9"), at_ms(2));
  const std::vector<SyncEngine::Action> last = actions();
  ASSERT_EQ(only<SyncEngine::SaveToken>(last).size(), 1U);
  EXPECT_EQ(only<SyncEngine::SaveToken>(last)[0].token, "t9");
}

TEST_F(SyncEngineTest, LackingRangesAreSavedBeforeTheToken) {
  start_known();
  skip_second_sync();
  engine_->sync_now(at_ms(3'000));
  engine_->on_sync_answer(sync_answer({news(9)}, "t5"), at_ms(3'001));
  bool target_saved = false;
  for (const SyncEngine::Action& action : actions()) {
    if (const auto* save = std::get_if<SyncEngine::SaveCursor>(&action)) {
      target_saved = save->cursor.target == 9;
    }
    if (std::holds_alternative<SyncEngine::SaveToken>(action)) {
      EXPECT_TRUE(target_saved);
    }
  }
}

TEST_F(SyncEngineTest, RestartedDeviceFetchesWhatItStillLacked) {
  Cursor cursor{.shown = 3, .target = 9, .durable = 9, .generation = 1, .recent = {}};
  engine_.emplace(random_, "t5", std::map<ConversationId, Cursor>{{conversation(), cursor}});
  engine_->on_connected(kTailCheck, at_ms(0));
  engine_->on_sync_answer(sync_answer({}), at_ms(1));
  const auto asked = only<AskFetch>(actions());
  ASSERT_EQ(asked.size(), 1U);
  EXPECT_THAT(asked[0].ranges, ElementsAre(ConversationRange{conversation(), {4, 9}}));
}

TEST_F(SyncEngineTest, WhatWasMissedWhileAwayIsNotCountedAsLostLive) {
  start_known();
  engine_->on_disconnected();
  engine_->on_connected(kTailCheck, at_ms(10'000));
  engine_->on_sync_answer(sync_answer({news(6)}), at_ms(10'001));
  EXPECT_EQ(only<AskFetch>(actions()).size(), 1U);
  engine_->on_fetch_answer(fetch_answer(4, 6), at_ms(10'002));
  EXPECT_EQ(engine_->counters().live_missed, 0U);
}

TEST_F(SyncEngineTest, TailCheckCountsWhatLiveShouldHaveBrought) {
  start_known();
  engine_->tick(at_ms(2'000));
  engine_->on_sync_answer(sync_answer({news(6)}), at_ms(2'001));
  engine_->on_event(message(4), at_ms(2'100));
  engine_->tick(at_ms(2'301));
  EXPECT_EQ(only<AskFetch>(actions()).size(), 1U);
  EXPECT_EQ(engine_->counters().live_missed, 2U);
  engine_->on_fetch_answer(fetch_answer(5, 6), at_ms(2'310));
  EXPECT_THAT(shown(actions()), ElementsAre(5, 6));
}

TEST_F(SyncEngineTest, FetchFollowsWhatRemains) {
  start_known();
  engine_->tick(at_ms(2'000));
  engine_->on_sync_answer(sync_answer({news(9)}), at_ms(2'001));
  engine_->tick(at_ms(2'301));
  actions();
  FetchAnswer page = fetch_answer(4, 6);
  page.remaining = {{conversation(), {7, 9}}};
  engine_->on_fetch_answer(page, at_ms(2'310));
  const auto asked = only<AskFetch>(actions());
  ASSERT_EQ(asked.size(), 1U);
  EXPECT_THAT(asked[0].ranges, ElementsAre(ConversationRange{conversation(), {7, 9}}));
}

TEST_F(SyncEngineTest, EmptyFetchIsRepeatedLaterNotAtOnce) {
  start_known();
  engine_->on_event(message(6), at_ms(10));
  engine_->tick(at_ms(310));
  actions();
  engine_->on_fetch_answer({}, at_ms(320));
  EXPECT_THAT(only<AskFetch>(actions()), IsEmpty());
  EXPECT_GT(*engine_->next_deadline(), at_ms(500));
}

TEST_F(SyncEngineTest, WithheldSeqsCountAsReceived) {
  start_known();
  engine_->on_event(message(6), at_ms(10));
  engine_->tick(at_ms(310));
  FetchAnswer page = fetch_answer(5, 5);
  page.withheld = {{conversation(), {4, 4}}};
  engine_->on_fetch_answer(page, at_ms(320));
  EXPECT_THAT(shown(actions()), ElementsAre(5, 6));
  EXPECT_TRUE(engine_->is_settled());
}

TEST_F(SyncEngineTest, OneFetchCarriesTheGapsOfManyConversationsWithinTheBodyLimit) {
  std::map<ConversationId, Cursor> cursors;
  for (int i = 0; i < 1'200; ++i) {
    const std::string name = "u:a:b" + std::to_string(10'000 + i);
    cursors[conversation(name)] = Cursor{.shown = 1, .target = 3, .durable = 3};
  }
  engine_.emplace(random_, "t", std::move(cursors));
  engine_->on_connected(kTailCheck, at_ms(0));
  engine_->on_sync_answer(sync_answer({}), at_ms(1));
  const auto asked = only<AskFetch>(actions());
  ASSERT_EQ(asked.size(), 1U);
  EXPECT_GT(asked[0].ranges.size(), 500U);
  EXPECT_LE(asked[0].ranges.size() * (10 + kRangeOverheadBytes), kMaxFetchBodyBytes);
}

TEST_F(SyncEngineTest, BehindDatabaseIsAskedAgainWhenItSays) {
  start_new();
  SyncAnswer answer = sync_answer({});
  answer.behind = true;
  answer.again_in_ms = 3'000;
  engine_->on_sync_answer(answer, at_ms(10));
  EXPECT_EQ(engine_->next_deadline(), at_ms(3'010));
}

TEST_F(SyncEngineTest, FailedSyncIsRepeatedAfterTheTimeTold) {
  start_new();
  actions();
  engine_->on_sync_error(true, std::chrono::seconds(4), at_ms(0));
  EXPECT_EQ(engine_->next_deadline(), at_ms(4'000));
  engine_->tick(at_ms(4'000));
  EXPECT_EQ(only<AskSync>(actions()).size(), 1U);
}

TEST_F(SyncEngineTest, TokenThatTheServerDoesNotKnowIsDropped) {
  start_known();
  engine_->tick(at_ms(2'000));
  actions();
  engine_->on_sync_error(false, {}, at_ms(2'001));
  engine_->tick(*engine_->next_deadline());
  const auto asked = only<AskSync>(actions());
  ASSERT_EQ(asked.size(), 1U);
  EXPECT_EQ(asked[0].token, "");
}

TEST_F(SyncEngineTest, LowerGenerationIsIgnored) {
  start_known();
  engine_->on_event(message(4, 2), at_ms(10));
  engine_->on_event(message(5, 1), at_ms(11));
  EXPECT_THAT(shown(actions()), ElementsAre(4));
  EXPECT_EQ(engine_->counters().old_generation, 1U);
}

TEST_F(SyncEngineTest, HigherGenerationReplacesWhatWasShownAboveTheLastSync) {
  start_known();
  engine_->on_event(message(4, 1), at_ms(10));
  engine_->on_event(message(5, 1), at_ms(11));
  actions();
  engine_->on_event(message(4, 2), at_ms(20));
  const std::vector<SyncEngine::Action> after = actions();
  ASSERT_EQ(only<Dropped>(after).size(), 1U);
  EXPECT_EQ(only<Dropped>(after)[0].from, Seq(4));
  EXPECT_THAT(shown(after), ElementsAre(4));
  EXPECT_EQ(only<AskSync>(after).size(), 1U);
}

TEST_F(SyncEngineTest, HigherGenerationWithSurvivorsShowsNothingTwice) {
  start_known();
  engine_->on_event(message(4, 1), at_ms(10));
  engine_->on_event(message(5, 1), at_ms(11));
  actions();
  engine_->on_event(message(6, 2), at_ms(20));
  engine_->tick(at_ms(330));
  EXPECT_EQ(only<AskFetch>(actions()).size(), 1U);
  engine_->on_fetch_answer(fetch_answer(4, 5), at_ms(340));
  const std::vector<SyncEngine::Action> after = actions();
  EXPECT_THAT(only<Dropped>(after), IsEmpty());
  EXPECT_THAT(shown(after), ElementsAre(6));
}

TEST_F(SyncEngineTest, LostTailWithoutSuccessorsIsDroppedAfterSync) {
  start_known();
  engine_->on_event(message(4, 1), at_ms(10));
  engine_->on_disconnected();
  engine_->on_connected(kTailCheck, at_ms(20));
  actions();
  engine_->on_sync_answer(sync_answer({news(3, 2)}), at_ms(30));
  const auto dropped = only<Dropped>(actions());
  ASSERT_EQ(dropped.size(), 1U);
  EXPECT_EQ(dropped[0].from, Seq(4));
}

TEST_F(SyncEngineTest, AnswersOfALostConnectionAreNotTaken) {
  start_known();
  engine_->tick(at_ms(2'000));
  engine_->on_disconnected();
  actions();
  engine_->on_sync_answer(sync_answer({news(9)}), at_ms(2'001));
  EXPECT_THAT(actions(), IsEmpty());
}

TEST_F(SyncEngineTest, ConversationOfOthersIsFoundAndGivenUp) {
  start_known();
  const auto at = [](std::string_view name, std::uint64_t seq) { return message(seq, 1, 0, name); };
  engine_->on_event(at("u:aaron:alice", 2), at_ms(10));
  engine_->on_event(at("u:alice:bob", 5), at_ms(10));
  engine_->tick(at_ms(400));
  ASSERT_EQ(only<AskFetch>(engine_->take_actions()).at(0).ranges.size(), 2U);
  engine_->on_fetch_of_others(at_ms(410));
  const auto alone = only<AskFetch>(engine_->take_actions());
  ASSERT_EQ(alone.size(), 1U);
  ASSERT_EQ(alone[0].ranges.size(), 1U);
  EXPECT_EQ(alone[0].ranges[0].conversation.str(), "u:aaron:alice");
  engine_->on_fetch_of_others(at_ms(420));
  EXPECT_EQ(only<AskFetch>(engine_->take_actions()).at(0).ranges.at(0).conversation,
            conversation());
  engine_->on_fetch_answer(fetch_answer(4, 4), at_ms(430));
  EXPECT_THAT(shown(engine_->take_actions()), ElementsAre(4, 5));
  EXPECT_TRUE(engine_->is_settled());
}

}  // namespace
}  // namespace martlet::client
