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

TEST_F(GroupDeskTest, ASyncWaitsAlsoForGroupsThatALaterAnswerTold) {
  bus_.hold_pongs = true;
  desk_->begin(user("ann"));
  sync("ann");
  answer(behind(as_of(5, {"ann"})));
  ASSERT_EQ(bus_.pongs.size(), 1u);
  advance(seconds(2));
  const GroupId other = GroupId::trusted("other");
  answer(wire::GroupsAnswer{.memberships = {place("ann", 1, 5), place("ann", 1, 5, other)}});
  EXPECT_TRUE(listens(other));
  bus_.pongs[0]({});
  EXPECT_TRUE(syncs_.empty()) << "the broker does not know the other yet";
  ASSERT_EQ(bus_.pongs.size(), 2u);
  bus_.pongs[1]({});
  EXPECT_EQ(syncs_, Lines{"ok"});
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

TEST_F(GroupDeskTest, WhoMayHaveBeenRemovedGetsNothingUntilTheAnswer) {
  enter("ann", 1, 5);
  enter("ben", 1, 5);
  enter("cat", 7, 7);
  hear(event(8, 7));
  hear(event(9, 7));
  EXPECT_EQ(got_, (Lines{"cat", "cat"})) << "who is known waits for nobody";
  ASSERT_EQ(bus_.asked.size(), 1u) << "one question for both";
  EXPECT_EQ(question().group, kTeam);
  EXPECT_EQ(question().users, (std::vector<UserId>{user("ann"), user("ben")}));
  EXPECT_TRUE(hints_.empty());
  answer(as_of(7, {"ann"}));
  EXPECT_EQ(got_, (Lines{"cat", "cat"})) << "a SYNC brings what was missed";
  EXPECT_EQ(hints_, (Lines{"ann:g:team", "ben:g:team"})) << "ben, too, that he was removed at 7";
  EXPECT_EQ(within_ms_, kShortSpreadMs);
  EXPECT_TRUE(desk_->is_outside(user("ben"), kTeam));
  EXPECT_TRUE(bus_.asked.empty());
  hear(event(10, 7));
  EXPECT_EQ(got_, (Lines{"cat", "cat", "ann", "cat"}));
  EXPECT_NE(registry_.render().find("reason=\"unknown_members\"} 4\n"), std::string::npos);
}

TEST_F(GroupDeskTest, ALoginThatPersistIsBehindWithStopsNobodyElse) {
  enter("ann", 1, 45);
  desk_->begin(user("bob"));
  answer(behind(as_of(40, {"bob"})));
  hear(event(46, 45));
  EXPECT_EQ(got_, Lines{"ann"});
  ASSERT_EQ(bus_.asked.size(), 1u);
  EXPECT_EQ(question().users, std::vector<UserId>{user("bob")});
  answer(behind(as_of(40, {"bob"})));
  hear(event(47, 45));
  EXPECT_EQ(got_, (Lines{"ann", "ann"}));
  EXPECT_TRUE(bus_.asked.empty()) << "not again before it is time";
  EXPECT_TRUE(hints_.empty()) << "SYNC would be behind as well";
}

TEST_F(GroupDeskTest, WhoIsNotAskedAboutStays) {
  enter("ann", 1, 5);
  enter("ben", 7, 7);
  hear(event(8, 7));
  EXPECT_EQ(question().users, std::vector<UserId>{user("ann")});
  answer(as_of(7, {}));
  hear(event(9, 7));
  EXPECT_EQ(got_, (Lines{"ben", "ben"}));
}

TEST_F(GroupDeskTest, MoreUsersThanAQuestionTakesAreAskedAboutInTurn) {
  GroupDesk::Options options;
  options.max_users_per_question = 1;
  restart(options);
  enter("ann", 1, 5);
  enter("ben", 1, 5);
  hear(event(8, 7));
  EXPECT_EQ(question().users, std::vector<UserId>{user("ann")});
  answer(as_of(7, {"ann"}));
  EXPECT_EQ(question().users, std::vector<UserId>{user("ben")});
  answer(as_of(7, {"ben"}));
  EXPECT_EQ(hints_, (Lines{"ann:g:team", "ben:g:team"}));
  hear(event(9, 7));
  EXPECT_EQ(got_, (Lines{"ann", "ben"}));
}

TEST_F(GroupDeskTest, ManyAreHintedOverALongerTime) {
  for (std::size_t i = 0; i <= kFewHints; ++i) enter("u" + std::to_string(i), 1, 5);
  hear(event(8, 7));
  Lines all;
  for (std::size_t i = 0; i <= kFewHints; ++i) all.push_back("u" + std::to_string(i));
  answer(as_of(7, all));
  EXPECT_EQ(hints_.size(), all.size());
  EXPECT_EQ(within_ms_, kSpreadMs);
}

TEST_F(GroupDeskTest, AChangeThatCameAfterTheQuestionIsAskedForAnew) {
  enter("ann", 1, 5);
  hear(event(8, 7));
  hear(event(11, 10));
  answer(as_of(7, {"ann"}));
  EXPECT_TRUE(hints_.empty());
  answer(as_of(10, {"ann"}));
  EXPECT_EQ(hints_, Lines{"ann:g:team"});
  hear(event(12, 10));
  EXPECT_EQ(got_, Lines{"ann"});
}

TEST_F(GroupDeskTest, AnAnswerThatIsBehindLetsNothingPass) {
  enter("ann", 1, 5);
  hear(event(8, 7));
  answer(behind(as_of(5, {"ann"})));
  hear(event(9, 7));
  EXPECT_TRUE(bus_.asked.empty());
  advance(seconds(2));
  answer(as_of(7, {}));
  EXPECT_EQ(delivered(), 0u);
  EXPECT_EQ(hints_, Lines{"ann:g:team"});
  EXPECT_EQ(desk_->size(), 0u) << "nobody here is in it any more";
}

TEST_F(GroupDeskTest, WithoutAnAnswerItIsAskedAgainAfterAPause) {
  enter("ann", 1, 5);
  hear(event(8, 7));
  for (int i = 0; i < 3; ++i) {
    answer(fail(ErrorCode::kUnavailable));
    hear(event(9, 7));
    EXPECT_TRUE(bus_.asked.empty());
    advance(seconds(2));
  }
  EXPECT_TRUE(hints_.empty());
  answer(as_of(7, {"ann"}));
  EXPECT_EQ(hints_, Lines{"ann:g:team"});
  advance(seconds(20));
  EXPECT_TRUE(bus_.asked.empty()) << "all is known";
}

TEST_F(GroupDeskTest, AnAnswerWithoutEndIsNotAskedForWithoutPause) {
  enter("ann", 1, 5);
  hear(event(8, 7));
  answer(as_of(5, {"ann"}));
  EXPECT_TRUE(bus_.asked.empty()) << "it was not behind, and says less than the event";
  advance(seconds(2));
  EXPECT_EQ(bus_.asked.size(), 1u);
}

TEST_F(GroupDeskTest, AQuestionIsForgottenWithTheLastMember) {
  enter("ann", 1, 5);
  hear(event(8, 7));
  desk_->end(user("ann"));
  answer(as_of(7, {"ann"}));
  EXPECT_EQ(delivered(), 0u);
  EXPECT_TRUE(hints_.empty());
  advance(seconds(20));
  EXPECT_TRUE(bus_.asked.empty());
}

TEST_F(GroupDeskTest, NobodyMissesTyping) {
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
  EXPECT_EQ(within_ms_, kShortSpreadMs) << "with many others, maybe";
  hear(event(7, 6));
  EXPECT_EQ(delivered(), 1u);
}

TEST_F(GroupDeskTest, WhoComesByThemselfIsToldAtOnce) {
  desk_->begin(user("zoe"));
  answer(wire::GroupsAnswer{});
  within_ms_ = 1;
  desk_->hear_own(user("zoe"), change(6, 5, MembersAction::kJoined));
  EXPECT_EQ(hints_, Lines{"zoe:g:team"});
  EXPECT_EQ(within_ms_, 0u);
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

TEST_F(GroupDeskTest, WhoMissedSomethingAndIsPutOutByAChangeIsTold) {
  enter("ann", 1, 5);
  hear(change(8, 7, MembersAction::kDisbanded));
  EXPECT_EQ(delivered(), 0u) << "maybe it is not theirs";
  EXPECT_EQ(hints_, Lines{"ann:g:team"});
  EXPECT_EQ(desk_->size(), 0u);
}

TEST_F(GroupDeskTest, AfterALogWasCutOffTheMembersAreAskedForAnew) {
  enter("ann", 1, 100);
  desk_->doubt(shard_of(ConversationId::of_group(kTeam), 16));
  EXPECT_EQ(question().users, std::vector<UserId>{user("ann")}) << "before anything comes";
  hear(event(86, 85));
  EXPECT_EQ(delivered(), 0u);
  answer(as_of(85, {}));
  EXPECT_EQ(delivered(), 0u);
  EXPECT_EQ(hints_, Lines{"ann:g:team"});
  EXPECT_EQ(within_ms_, kSpreadMs) << "as all members of all groups of the shard";
  EXPECT_EQ(desk_->size(), 0u);
}

TEST_F(GroupDeskTest, NothingOfALogThatWasCutOffIsBelievedLater) {
  enter("vera", 1, 5);
  enter("will", 1, 39);
  hear(event(46, 45));
  const auto before = std::move(bus_.asked.front());
  bus_.asked.pop_front();
  desk_->doubt(shard_of(ConversationId::of_group(kTeam), 16));
  before.callback(wire::encode(as_of(40, {"vera", "will"})));
  EXPECT_EQ(hints_, (Lines{"vera:g:team", "will:g:team"}));
  EXPECT_EQ(delivered(), 0u) << "what came before is of the old log";
  hear(change(43, 40, MembersAction::kRemoved, {"will"}));
  hear(event(44, 43));
  EXPECT_EQ(got_, (Lines{"vera", "vera"})) << "45 was not the newest change any more";
}

TEST_F(GroupDeskTest, AnotherShardIsNotDoubted) {
  enter("ann", 1, 5);
  const ShardId shard = shard_of(ConversationId::of_group(kTeam), 16);
  desk_->doubt(ShardId(std::uint16_t((shard.value() + 1) % 16)));
  hear(event(6, 5));
  EXPECT_EQ(got_, Lines{"ann"});
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

TEST_F(GroupDeskTest, APageThatTellsOfOneWhoMissedSomethingIsFollowedByAHint) {
  enter("ann", 1, 5);
  hear(event(8, 7));
  const auto page = page_of(wire::Membership::Member, 1, 7, 7);
  desk_->correct(user("ann"), page);
  EXPECT_EQ(hints_, Lines{"ann:g:team"}) << "8 came after its snapshot";
  desk_->correct(user("ann"), page);
  EXPECT_EQ(hints_.size(), 1u) << "or it would never end";
  hear(event(9, 7));
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
  EXPECT_FALSE(desk_->renew(user("ann"), kTeam)) << "nobody listens to it";
  enter("ann", 1, 5);
  EXPECT_FALSE(desk_->renew(user("ann"), kTeam));
  desk_->begin(user("ben"));
  answer(wire::GroupsAnswer{});
  advance(seconds(11));
  EXPECT_FALSE(desk_->renew(user("ben"), kTeam)) << "who is not in it";
  EXPECT_TRUE(desk_->renew(user("ann"), kTeam));
}

}  // namespace
}  // namespace martlet::edge
