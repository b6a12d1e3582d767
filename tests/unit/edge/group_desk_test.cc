#include "group_desk_fixture.h"

namespace martlet::edge {
namespace {

using std::chrono::seconds;

// ---- sessions --------------------------------------------------------------------------------

TEST_F(GroupDeskTest, TheFirstSessionAsksForTheGroupsAndListensToThem) {
  desk_->begin(user("ann"));
  EXPECT_EQ(question().user, user("ann"));
  EXPECT_FALSE(listens());
  answer(wire::GroupsAnswer{.memberships = {place("ann", 1, 5)}});
  EXPECT_TRUE(listens());
  desk_->begin(user("ann"));
  EXPECT_TRUE(bus_.asked.empty()) << "the second session finds all known";
  bus_.deliver("im.g.team", "x");
  EXPECT_EQ(got_, Lines{"team:x"});
}

TEST_F(GroupDeskTest, ASyncWaitsUntilTheBrokerKnowsTheSubscriptions) {
  bus_.hold_pongs = true;
  desk_->begin(user("ann"));
  sync("ann");
  answer(wire::GroupsAnswer{.memberships = {place("ann", 1, 5)}});
  EXPECT_TRUE(syncs_.empty());
  ASSERT_EQ(bus_.pongs.size(), 1u);
  bus_.pongs[0]({});
  EXPECT_EQ(syncs_, Lines{"ok"});
  sync("ann");
  EXPECT_EQ(syncs_, (Lines{"ok", "ok"})) << "at once";
}

TEST_F(GroupDeskTest, ASyncOfOneWithoutGroupsGoesOnWithTheAnswer) {
  desk_->begin(user("ann"));
  sync("ann");
  answer(wire::GroupsAnswer{});
  EXPECT_EQ(syncs_, Lines{"ok"});
}

TEST_F(GroupDeskTest, ASyncIsRefusedWhenPersistIsAwayAndTheNextAsksAnew) {
  desk_->begin(user("ann"));
  sync("ann");
  answer(fail(ErrorCode::kUnavailable));
  EXPECT_EQ(syncs_, Lines{"UNAVAILABLE"});
  sync("ann");
  answer(wire::GroupsAnswer{.memberships = {place("ann", 1, 5)}});
  EXPECT_EQ(syncs_.back(), "ok");
}

TEST_F(GroupDeskTest, ASyncWaitsNotForEver) {
  desk_->begin(user("ann"));
  sync("ann");
  advance(seconds(6));
  EXPECT_EQ(syncs_, Lines{"UNAVAILABLE"});
  answer(wire::GroupsAnswer{});
  sync("ann");
  EXPECT_EQ(syncs_.back(), "ok");
}

TEST_F(GroupDeskTest, ASyncIsRefusedWhenTheBrokerDoesNotConfirm) {
  bus_.hold_pongs = true;
  desk_->begin(user("ann"));
  sync("ann");
  answer(wire::GroupsAnswer{.memberships = {place("ann", 1, 5)}});
  bus_.pongs[0](fail(ErrorCode::kTimeout));
  EXPECT_EQ(syncs_, Lines{"UNAVAILABLE"});
}

TEST_F(GroupDeskTest, AnAnswerThatIsBehindIsAskedAgainAndThenHinted) {
  desk_->begin(user("ann"));
  sync("ann");
  answer(wire::GroupsAnswer{.behind = true, .again_in_ms = 1000});
  EXPECT_EQ(syncs_, Lines{"ok"}) << "what SYNC answers is behind as well";
  EXPECT_FALSE(desk_->is_outside(user("ann"), kTeam));
  advance(seconds(3));
  answer(wire::GroupsAnswer{.memberships = {place("ann", 1, 5)}});
  EXPECT_TRUE(listens());
  EXPECT_FALSE(hints_.empty());
  EXPECT_FALSE(desk_->is_outside(user("ann"), kTeam));
}

TEST_F(GroupDeskTest, WhoIsNotInAGroupIsOutside) {
  enter("ann", 1, 5);
  EXPECT_FALSE(desk_->is_outside(user("ann"), kTeam));
  EXPECT_TRUE(desk_->is_outside(user("ann"), GroupId::trusted("other")));
}

TEST_F(GroupDeskTest, TheSubscriptionLingersAfterTheLastSession) {
  enter("ann", 1, 5);
  enter("ben", 1, 5);
  desk_->end(user("ann"));
  advance(seconds(20));
  EXPECT_TRUE(listens());
  desk_->end(user("ben"));
  EXPECT_EQ(desk_->size(), 0u);
  EXPECT_TRUE(listens());
  advance(seconds(12));
  EXPECT_FALSE(listens());
}

TEST_F(GroupDeskTest, AnAnswerForASessionThatEndedIsHarmless) {
  desk_->begin(user("ann"));
  sync("ann");
  desk_->end(user("ann"));
  EXPECT_EQ(syncs_, Lines{"UNAVAILABLE"}) << "whoever waits is told";
  desk_->begin(user("ann"));
  answer(wire::GroupsAnswer{.memberships = {place("ann", 1, 5)}});
  EXPECT_FALSE(listens()) << "of the life before";
  answer(wire::GroupsAnswer{.memberships = {place("ann", 1, 5)}});
  EXPECT_TRUE(listens());
}

TEST_F(GroupDeskTest, FewQuestionsAreUnderWay) {
  GroupDesk::Options options;
  options.questions.max_under_way = 2;
  options.questions.max_waiting = 1;
  restart(options);
  for (const char* name : {"a", "b", "c", "d"}) desk_->begin(user(name));
  EXPECT_EQ(bus_.asked.size(), 2u);
  answer(wire::GroupsAnswer{});
  EXPECT_EQ(bus_.asked.size(), 2u);
  answer(wire::GroupsAnswer{});
  answer(wire::GroupsAnswer{});
  EXPECT_TRUE(bus_.asked.empty());
  sync("d");
  answer(wire::GroupsAnswer{});
  EXPECT_EQ(syncs_, Lines{"ok"}) << "the one for whom there was no room asks with the SYNC";
}

// ---- events ----------------------------------------------------------------------------------

TEST_F(GroupDeskTest, MembersGetAnEvent) {
  enter("ann", 1, 5);
  enter("ben", 5, 5);
  hear(event(6, 5));
  EXPECT_EQ(got_, (Lines{"ann", "ben"}));
}

TEST_F(GroupDeskTest, AnEventAfterAnUnseenChangeWaitsForTheAnswer) {
  enter("ann", 1, 5);
  enter("ben", 1, 5);
  hear(event(8, 7));
  hear(event(9, 7));
  EXPECT_EQ(delivered(), 0u);
  EXPECT_EQ(desk_->held_events(), 2u);
  ASSERT_EQ(bus_.asked.size(), 1u) << "one question for both";
  EXPECT_EQ(question().group, kTeam);
  EXPECT_EQ(question().users, (std::vector<UserId>{user("ann"), user("ben")}));
  answer(wire::GroupsAnswer{.members_at = Seq(7), .memberships = {place("ann", 1, 7)}});
  EXPECT_EQ(got_, (Lines{"ann", "ann"})) << "ben was removed at 7";
  EXPECT_EQ(desk_->held_events(), 0u);
  EXPECT_EQ(desk_->held_bytes(), 0u);
  EXPECT_TRUE(hints_.empty());
}

TEST_F(GroupDeskTest, OnlyThoseWhoAreNotKnownAreAskedAbout) {
  enter("ann", 1, 5);
  enter("ben", 7, 7);
  hear(event(8, 7));
  EXPECT_EQ(question().users, std::vector<UserId>{user("ann")});
  answer(wire::GroupsAnswer{.members_at = Seq(7)});
  EXPECT_EQ(got_, Lines{"ben"}) << "who was not asked about stays";
}

TEST_F(GroupDeskTest, MoreUsersThanAQuestionTakesAreAskedAboutInTurn) {
  GroupDesk::Options options;
  options.max_users_per_question = 1;
  restart(options);
  enter("ann", 1, 5);
  enter("ben", 1, 5);
  hear(event(8, 7));
  EXPECT_EQ(question().users, std::vector<UserId>{user("ann")});
  answer(wire::GroupsAnswer{.members_at = Seq(7), .memberships = {place("ann", 1, 7)}});
  EXPECT_EQ(delivered(), 0u);
  EXPECT_EQ(question().users, std::vector<UserId>{user("ben")});
  answer(wire::GroupsAnswer{.members_at = Seq(7), .memberships = {place("ben", 1, 7)}});
  EXPECT_EQ(got_, (Lines{"ann", "ben"}));
}

TEST_F(GroupDeskTest, WhatComesBehindAHeldEventKeepsItsPlace) {
  enter("ann", 1, 5);
  hear(event(8, 7));
  hear(event(6, 5));
  EXPECT_EQ(delivered(), 0u);
  answer(wire::GroupsAnswer{.members_at = Seq(7), .memberships = {place("ann", 1, 7)}});
  EXPECT_EQ(delivered(), 2u);
}

TEST_F(GroupDeskTest, AChangeThatCameAfterTheQuestionIsAskedForAnew) {
  enter("ann", 1, 5);
  hear(event(8, 7));
  hear(event(11, 10));
  answer(wire::GroupsAnswer{.members_at = Seq(7), .memberships = {place("ann", 1, 7)}});
  EXPECT_EQ(delivered(), 1u);
  answer(wire::GroupsAnswer{.members_at = Seq(10), .memberships = {place("ann", 1, 10)}});
  EXPECT_EQ(delivered(), 2u);
}

TEST_F(GroupDeskTest, AnAnswerThatIsBehindLetsNothingPass) {
  enter("ann", 1, 5);
  hear(event(8, 7));
  answer(wire::GroupsAnswer{.members_at = Seq(5),
                            .memberships = {place("ann", 1, 5)},
                            .behind = true,
                            .again_in_ms = 500});
  EXPECT_EQ(delivered(), 0u);
  advance(seconds(2));
  answer(wire::GroupsAnswer{.members_at = Seq(7)});
  EXPECT_EQ(delivered(), 0u);
  EXPECT_EQ(desk_->size(), 0u) << "nobody here is in it any more";
}

TEST_F(GroupDeskTest, WithoutAnAnswerTheEventsAreDroppedAndMembersToldOnce) {
  enter("ann", 1, 5);
  hear(event(8, 7));
  answer(fail(ErrorCode::kUnavailable));
  advance(seconds(7));
  EXPECT_EQ(desk_->held_events(), 0u);
  EXPECT_EQ(hints_, Lines{"ann:g:team"});
  EXPECT_NE(registry_.render().find("reason=\"unknown_members\"} 1\n"), std::string::npos);
  bus_.asked.clear();

  hear(event(9, 7));
  advance(seconds(7));
  EXPECT_EQ(hints_.size(), 1u) << "persist is still away";
}

TEST_F(GroupDeskTest, AfterALossTheNextAnswerHintsToo) {
  enter("ann", 1, 5);
  hear(event(8, 7));
  advance(seconds(7));
  EXPECT_EQ(hints_.size(), 1u);
  answer(wire::GroupsAnswer{.members_at = Seq(7), .memberships = {place("ann", 1, 7)}});
  EXPECT_EQ(hints_.size(), 2u);
  hear(event(9, 7));
  EXPECT_EQ(delivered(), 1u);
}

TEST_F(GroupDeskTest, HeldEventsAreBounded) {
  GroupDesk::Options options;
  options.max_held_events_per_group = 3;
  restart(options);
  enter("ann", 1, 5);
  for (std::uint64_t seq = 8; seq < 12; ++seq) hear(event(seq, 7));
  EXPECT_EQ(desk_->held_events(), 0u);
  EXPECT_EQ(hints_, Lines{"ann:g:team"});
}

TEST_F(GroupDeskTest, HeldBytesAreBoundedOverAllGroups) {
  GroupDesk::Options options;
  options.max_held_bytes = 10;
  restart(options);
  enter("ann", 1, 5);
  hear(event(8, 7));
  EXPECT_EQ(desk_->held_bytes(), 0u);
  EXPECT_EQ(hints_.size(), 1u);
}

TEST_F(GroupDeskTest, HeldEventsGoWithTheLastMember) {
  enter("ann", 1, 5);
  hear(event(8, 7));
  desk_->end(user("ann"));
  EXPECT_EQ(desk_->held_events(), 0u);
  answer(wire::GroupsAnswer{.members_at = Seq(7), .memberships = {place("ann", 1, 7)}});
  EXPECT_EQ(delivered(), 0u);
  advance(seconds(20));
}

TEST_F(GroupDeskTest, TypingIsNotHeld) {
  enter("ann", 1, 5);
  enter("ben", 1, 7);
  GroupEvent typing = event(0, 7);
  hear(typing);
  EXPECT_EQ(got_, Lines{"ben"});
  EXPECT_TRUE(bus_.asked.empty());
}

TEST_F(GroupDeskTest, AHintToSyncReachesAllAlsoThoseWhoAreNotKnown) {
  enter("ann", 1, 5);
  GroupEvent hint = event(0, 7);
  const Bytes body = wire::encode(wire::ResyncEvent{});
  hint.command = wire::Command::ResyncEvent;
  hint.body = body;
  hear(hint);
  EXPECT_EQ(delivered(), 1u);
}

// ---- changes ---------------------------------------------------------------------------------

TEST_F(GroupDeskTest, WhoIsAddedIsListenedForAndToldToSync) {
  bus_.hold_pongs = true;
  desk_->begin(user("ann"));
  answer(wire::GroupsAnswer{});
  desk_->hear_own(user("ann"), change(6, 5, MembersAction::kInvited, {"ann"}));
  EXPECT_TRUE(listens());
  EXPECT_TRUE(hints_.empty()) << "not before the broker knows";
  for (const auto& pong : std::exchange(bus_.pongs, {})) pong({});
  EXPECT_EQ(hints_, Lines{"ann:g:team"});
  hear(event(7, 6));
  EXPECT_EQ(delivered(), 1u);
}

TEST_F(GroupDeskTest, WhoIsRemovedGetsNothingMore) {
  enter("ann", 1, 5);
  enter("ben", 1, 5);
  const auto removed = change(6, 5, MembersAction::kRemoved, {"ben"});
  desk_->hear_own(user("ben"), removed);
  hear(removed);
  hear(event(7, 6));
  EXPECT_EQ(got_, (Lines{"ann", "ann"}));
  EXPECT_TRUE(desk_->is_outside(user("ben"), kTeam));
}

TEST_F(GroupDeskTest, TheOtherOrderIsAsGood) {
  enter("ann", 1, 5);
  enter("ben", 1, 5);
  const auto removed = change(6, 5, MembersAction::kRemoved, {"ben"});
  hear(removed);
  hear(event(7, 6));
  desk_->hear_own(user("ben"), removed);
  EXPECT_EQ(got_, (Lines{"ann", "ann"}));
  EXPECT_TRUE(desk_->is_outside(user("ben"), kTeam));
}

TEST_F(GroupDeskTest, AChangeOfSomebodyWithoutASessionHereIsNothing) {
  desk_->hear_own(user("ann"), change(6, 5, MembersAction::kInvited, {"ann"}));
  EXPECT_EQ(desk_->size(), 0u);
  EXPECT_FALSE(listens());
}

TEST_F(GroupDeskTest, ADisbandedGroupIsLeft) {
  enter("ann", 1, 5);
  hear(change(6, 5, MembersAction::kDisbanded));
  EXPECT_EQ(delivered(), 1u);
  EXPECT_EQ(desk_->size(), 0u);
  advance(seconds(12));
  EXPECT_FALSE(listens());
}

TEST_F(GroupDeskTest, AfterALogWasCutOffTheMembersAreAskedForAnew) {
  enter("ann", 1, 100);
  desk_->doubt(shard_of(ConversationId::of_group(kTeam), 16));
  hear(event(86, 85));
  EXPECT_EQ(delivered(), 0u);
  answer(wire::GroupsAnswer{.members_at = Seq(85)});
  EXPECT_EQ(delivered(), 0u);
  EXPECT_EQ(desk_->size(), 0u);
}

// ---- SYNC ------------------------------------------------------------------------------------

TEST_F(GroupDeskTest, APageThatKnowsMoreBringsSomebodyIn) {
  desk_->begin(user("ann"));
  answer(wire::GroupsAnswer{});
  const auto page = page_of(wire::Membership::Member, 4, 9, 6);
  desk_->correct(user("ann"), page);
  EXPECT_TRUE(listens());
  EXPECT_EQ(hints_, Lines{"ann:g:team"}) << "for what came since the snapshot";
  desk_->correct(user("ann"), page);
  EXPECT_EQ(hints_.size(), 1u) << "or it would never end";
  hear(event(10, 6));
  EXPECT_EQ(delivered(), 1u);
}

TEST_F(GroupDeskTest, APageLetsHeldEventsGo) {
  enter("ann", 1, 5);
  hear(event(8, 7));
  desk_->correct(user("ann"), page_of(wire::Membership::Member, 1, 7, 7));
  EXPECT_EQ(delivered(), 1u);
}

TEST_F(GroupDeskTest, APageThatKnowsMorePutsSomebodyOut) {
  enter("ann", 1, 5);
  desk_->correct(user("ann"), page_of(wire::Membership::Former, 1, 8, 8));
  EXPECT_EQ(desk_->size(), 0u);
  EXPECT_TRUE(desk_->is_outside(user("ann"), kTeam));
}

TEST_F(GroupDeskTest, AnOldPagePutsNobodyOut) {
  enter("ann", 9, 9);
  desk_->correct(user("ann"), page_of(wire::Membership::Former, 1, 8, 8));
  EXPECT_FALSE(desk_->is_outside(user("ann"), kTeam));
}

TEST_F(GroupDeskTest, ASubscriptionIsRenewedSeldom) {
  EXPECT_FALSE(desk_->renew(kTeam)) << "nobody listens to it";
  enter("ann", 1, 5);
  EXPECT_FALSE(desk_->renew(kTeam));
  advance(seconds(11));
  EXPECT_TRUE(desk_->renew(kTeam));
}

}  // namespace
}  // namespace martlet::edge
