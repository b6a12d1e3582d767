#include <gtest/gtest.h>

#include "rig.h"
#include "wire/members_change.h"

namespace martlet::dispatcher::testing {
namespace {

using Kind = wire::AnswerKind;
using Action = MembersAction;
using namespace std::chrono_literals;

// Messages and changes of a group that is in memory: alice owns it, bob is in it.
class Groups : public ::testing::Test {
 protected:
  Groups() {
    rig.change({.id = id_of(1), .change = created({"bob"})});
    rig.settle();
    rig.answers();
    rig.events();
  }
  std::uint64_t next() { return ++number; }
  void act(const std::string& from, MembersChange change) {
    rig.change({.from = from, .id = id_of(next()), .change = std::move(change)});
  }
  void send(const std::string& from) {
    rig.send({.from = from, .to = "g:team", .id = id_of(next())});
  }
  ErrorCode refusal() {
    rig.settle();
    const OutgoingAnswer answer = rig.only_answer();
    EXPECT_EQ(answer.answer.kind, Kind::kRefused);
    return answer.answer.error;
  }
  ErrorCode refusal_of(const std::string& from, MembersChange change) {
    act(from, std::move(change));
    return refusal();
  }
  Seq accepted() {
    rig.settle();
    const OutgoingAnswer answer = rig.only_answer();
    EXPECT_EQ(answer.answer.kind, Kind::kAccepted) << error_name(answer.answer.error);
    return answer.answer.seq;
  }

  Rig rig;
  std::uint64_t number = 100;
};

TEST_F(Groups, AMembersMessageGetsTheNextNumber) {
  send("bob");
  EXPECT_EQ(accepted(), Seq(2));
  const auto events = rig.events();
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].members_at, Seq(1));
  EXPECT_TRUE(events[0].concerned.empty());
}

TEST_F(Groups, OthersMayNotWrite) {
  send("carol");
  EXPECT_EQ(refusal(), ErrorCode::kNotMember);
}

TEST_F(Groups, AChangeIsAnEntryLikeAMessage) {
  act("alice", act_of(Action::kInvited, {"carol"}));
  rig.settle();
  const OutgoingAnswer answer = rig.only_answer();
  EXPECT_EQ(answer.answer.kind, Kind::kAccepted);
  EXPECT_EQ(answer.answer.command, wire::Command::GroupInvite);
  EXPECT_EQ(answer.answer.client_msg_id, id_of(number));
  EXPECT_EQ(answer.answer.seq, Seq(2));
  EXPECT_EQ(answer.conversation, "g:team");
  const wire::Entry entry = rig.log.batches().back().entries.back();
  EXPECT_EQ(entry.kind, wire::EntryKind::kMembers);
  EXPECT_EQ(entry.sender, user("alice"));
  EXPECT_EQ(*wire::parse_members_change(entry.content), act_of(Action::kInvited, {"carol"}));
}

TEST_F(Groups, MembersAtIsTheLastChangeBeforeAnEvent) {
  act("alice", act_of(Action::kInvited, {"carol"}));
  send("carol");  // overtakes what waits for the database: she is not in it yet
  rig.settle();
  rig.answers();
  send("carol");
  rig.settle();
  const auto events = rig.events();
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(events[0].members_at, Seq(1));
  EXPECT_EQ(events[0].concerned, std::vector<UserId>{user("carol")});
  EXPECT_EQ(events[1].members_at, Seq(2));
}

TEST_F(Groups, AChangeHoldsFromItsNumberOn) {
  act("alice", act_of(Action::kRemoved, {"bob"}));
  send("bob");
  rig.settle();
  const auto answers = rig.answers();
  ASSERT_EQ(answers.size(), 2u);
  EXPECT_EQ(answers[0].answer.error, ErrorCode::kNotMember);
  EXPECT_EQ(answers[1].answer.seq, Seq(2));
}

// Nobody hears of what never happened.
TEST_F(Groups, ARefusalBecauseOfAChangeWaitsUntilThatIsInTheLog) {
  act("alice", act_of(Action::kRemoved, {"bob"}));
  send("bob");
  EXPECT_TRUE(rig.answers().empty());
  rig.fail_append(bus::AppendFailure::kUnknown);
  EXPECT_TRUE(rig.answers().empty());
  rig.take_over();
  send("bob");
  rig.settle();
  EXPECT_EQ(rig.only_answer().answer.kind, Kind::kAccepted);
}

TEST_F(Groups, RefusalsThatWaitForAChangeAreBounded) {
  act("alice", act_of(Action::kRemoved, {"bob"}));
  for (std::size_t i = 0; i < kMaxRefusedPerChange + 10; ++i) send("bob");
  rig.settle();
  EXPECT_EQ(rig.answers().size(), 1 + kMaxRefusedPerChange);
}

// Copies of a frame come late: its sender was told that it never will be in the log.
TEST_F(Groups, ACopyOfWhatWasRefusedIsRefusedThoughItWouldBeAllowedNow) {
  const ClientMsgId id = id_of(next());
  rig.send({.from = "carol", .to = "g:team", .id = id});
  EXPECT_EQ(refusal(), ErrorCode::kNotMember);
  act("alice", act_of(Action::kInvited, {"carol"}));
  rig.settle();
  rig.answers();
  rig.send({.from = "carol", .to = "g:team", .id = id});
  EXPECT_EQ(refusal(), ErrorCode::kNotMember);
  send("carol");
  EXPECT_EQ(accepted(), Seq(3));
}

// Of two sessions, so that both wait for the database.
TEST_F(Groups, CopiesThatWaitedTogetherFindTheSameThoughAnInvitationStoodBetweenThem) {
  rig.store_all();
  rig.take_over();  // the group is cold now
  const ClientMsgId id = id_of(next());
  rig.send({.from = "carol", .to = "g:team", .id = id, .session = {1, 1}});
  act("alice", act_of(Action::kInvited, {"carol"}));
  rig.send({.from = "carol", .to = "g:team", .id = id, .session = {2, 2}});
  rig.settle();
  std::size_t refused = 0;
  for (const OutgoingAnswer& answer : rig.answers()) {
    refused += answer.answer.error == ErrorCode::kNotMember ? 1 : 0;
  }
  EXPECT_EQ(refused, 2u);
}

TEST_F(Groups, ACopyOfWhatAChangeRefusedIsRefusedToo) {
  const ClientMsgId id = id_of(next());
  act("alice", act_of(Action::kRemoved, {"bob"}));
  rig.send({.from = "bob", .to = "g:team", .id = id});
  rig.settle();
  ASSERT_EQ(rig.answers().size(), 2u);
  act("alice", act_of(Action::kInvited, {"bob"}));
  rig.settle();
  rig.answers();
  rig.send({.from = "bob", .to = "g:team", .id = id});
  EXPECT_EQ(refusal(), ErrorCode::kNotMember);
}

TEST_F(Groups, AGroupIsCreatedOnce) {
  EXPECT_EQ(refusal_of("dave", created()), ErrorCode::kGroupTaken);
  EXPECT_EQ(refusal_of("alice", created({"bob"})), ErrorCode::kGroupTaken);
}

TEST_F(Groups, ARepeatedCreationIsAnsweredAlike) {
  rig.change({.id = id_of(1), .change = created({"bob"})});
  EXPECT_EQ(accepted(), Seq(1));
  rig.change({.id = id_of(1), .change = created({"carol"})});
  EXPECT_EQ(refusal(), ErrorCode::kConflict);
}

TEST_F(Groups, ARepeatIsAnsweredAlikeBySomebodyWhoLeft) {
  act("bob", act_of(Action::kLeft));
  EXPECT_EQ(accepted(), Seq(2));
  rig.change({.from = "bob", .id = id_of(number), .change = act_of(Action::kLeft)});
  EXPECT_EQ(accepted(), Seq(2));
  send("bob");
  EXPECT_EQ(refusal(), ErrorCode::kNotMember);
}

TEST_F(Groups, ARepeatDuringTheAppendIsAnsweredWithIt) {
  act("bob", act_of(Action::kLeft));
  rig.change({.from = "bob",
              .id = id_of(number),
              .change = act_of(Action::kLeft),
              .request_id = 2,
              .edge = "edge2"});
  rig.settle();
  const auto answers = rig.answers();
  ASSERT_EQ(answers.size(), 2u);
  for (const auto& answer : answers) EXPECT_EQ(answer.answer.seq, Seq(2));
  EXPECT_EQ(rig.events().size(), 1u);
}

TEST_F(Groups, AMessageAndAChangeOfOneIdAreAConflict) {
  rig.send({.from = "bob", .to = "g:team", .id = id_of(7)});
  rig.settle();
  rig.answers();
  rig.change({.from = "bob", .id = id_of(7), .change = act_of(Action::kLeft)});
  EXPECT_EQ(refusal(), ErrorCode::kConflict);
}

TEST_F(Groups, RightsAreJudged) {
  EXPECT_EQ(refusal_of("bob", act_of(Action::kInvited, {"carol"})), ErrorCode::kForbidden);
  EXPECT_EQ(refusal_of("carol", act_of(Action::kJoined)), ErrorCode::kForbidden);
  EXPECT_EQ(refusal_of("alice", act_of(Action::kLeft)), ErrorCode::kOwnerStays);
  EXPECT_EQ(refusal_of("bob", act_of(Action::kDisbanded)), ErrorCode::kForbidden);
}

TEST_F(Groups, UsersWhoDoNotExistAreNotInvited) {
  EXPECT_EQ(refusal_of("alice", act_of(Action::kInvited, {"carol", "nobody"})),
            ErrorCode::kNoSuchUser);
  rig.change({.group = "other", .id = id_of(50), .change = created({"nobody"})});
  EXPECT_EQ(refusal(), ErrorCode::kNoSuchUser);
}

TEST_F(Groups, UsersInTooManyGroupsStayOut) {
  rig.database.in_many_groups = {"carol", "bob"};
  EXPECT_EQ(refusal_of("alice", act_of(Action::kInvited, {"carol"})), ErrorCode::kTooManyGroups);
  rig.change({.from = "carol", .group = "other", .id = id_of(50), .change = created()});
  EXPECT_EQ(refusal(), ErrorCode::kTooManyGroups);
}

TEST_F(Groups, WhoCameTooOftenStaysOutOfThatGroup) {
  rig.database.came_too_often = {{"carol", "team"}, {"bob", "team"}};
  EXPECT_EQ(refusal_of("alice", act_of(Action::kInvited, {"carol"})), ErrorCode::kForbidden);
  rig.change({.from = "carol", .group = "other", .id = id_of(50), .change = created({"bob"})});
  EXPECT_EQ(accepted(), Seq(1));
}

// Whoever is in it already does not come.
TEST_F(Groups, MembersInTooManyGroupsMayBeNamed) {
  rig.database.in_many_groups = {"bob"};
  act("alice", act_of(Action::kInvited, {"bob", "carol"}));
  EXPECT_EQ(accepted(), Seq(2));
  EXPECT_EQ(rig.events()[0].concerned, std::vector<UserId>{user("carol")});
}

TEST_F(Groups, WhoJoinsAnOpenGroupIsLookedUp) {
  rig.change({.group = "open", .id = id_of(2), .change = created({}, JoinPolicy::kAnyone)});
  rig.settle();
  rig.answers();
  rig.database.in_many_groups = {"carol"};
  rig.change({.from = "carol", .group = "open", .id = id_of(3), .change = act_of(Action::kJoined)});
  EXPECT_EQ(refusal(), ErrorCode::kTooManyGroups);
  rig.change({.from = "dave", .group = "open", .id = id_of(4), .change = act_of(Action::kJoined)});
  EXPECT_EQ(accepted(), Seq(2));
}

TEST_F(Groups, AChangeThatBringsNobodyAsksNobody) {
  rig.database.is_up = false;
  act("alice", act_of(Action::kRemoved, {"bob"}));
  EXPECT_EQ(accepted(), Seq(2));
}

TEST_F(Groups, ADisbandedGroupIsNoGroupAndItsIdStaysTaken) {
  act("alice", act_of(Action::kDisbanded));
  EXPECT_EQ(accepted(), Seq(2));
  EXPECT_TRUE(rig.events()[0].concerned.empty());
  send("alice");
  EXPECT_EQ(refusal(), ErrorCode::kNoSuchGroup);
  EXPECT_EQ(refusal_of("alice", created()), ErrorCode::kGroupTaken);
  EXPECT_EQ(refusal_of("alice", act_of(Action::kInvited, {"bob"})), ErrorCode::kNoSuchGroup);
}

TEST_F(Groups, ANewRoleIsSeenByWhoHasIt) {
  act("alice", act_of(Action::kRoleSet, {"bob"}, GroupRole::kOwner));
  EXPECT_EQ(accepted(), Seq(2));
  EXPECT_EQ(rig.events()[0].concerned, std::vector<UserId>{user("bob")});
  act("alice", act_of(Action::kLeft));
  EXPECT_EQ(accepted(), Seq(3));
}

TEST_F(Groups, AMessageThatFollowsAChangeComesAfterIt) {
  rig.change({.from = "carol", .group = "new", .id = id_of(60), .change = created()});
  rig.send({.from = "carol", .to = "g:new", .id = id_of(61), .follows = id_of(60)});
  rig.settle();
  const auto answers = rig.answers();
  ASSERT_EQ(answers.size(), 2u);
  EXPECT_EQ(answers[0].answer.seq, Seq(1));
  EXPECT_EQ(answers[1].answer.seq, Seq(2));
}

// The refusal of a member who is none would be for good, the missing message may still come.
TEST_F(Groups, WhatFollowsAMissingMessageIsOutOfOrderBeforeAnything) {
  rig.send({.from = "carol", .to = "g:team", .id = id_of(61), .follows = id_of(60)});
  EXPECT_EQ(refusal(), ErrorCode::kOutOfOrder);
}

TEST_F(Groups, StoredIsToldOfMessages) {
  rig.send({.from = "bob", .to = "g:team", .id = id_of(70), .wants_stored = true});
  rig.settle();
  rig.answers();
  rig.store_all();
  EXPECT_EQ(rig.only_answer().answer.kind, Kind::kStored);
}

TEST_F(Groups, ACursorInAGroupIsLogged) {
  rig.read("bob", group("team"), 1);
  rig.settle();
  EXPECT_EQ(rig.only_answer().answer.kind, Kind::kAccepted);
  const wire::Entry entry = rig.log.batches().back().entries.back();
  EXPECT_EQ(entry.kind, wire::EntryKind::kRead);
  EXPECT_EQ(entry.conversation, group("team"));
  EXPECT_EQ(entry.sender, user("bob"));
}

TEST_F(Groups, AnOldLeaseRefusesNobody) {
  rig.moment.renewal_age = 5s;
  send("carol");
  act("dave", created());
  rig.settle();
  EXPECT_TRUE(rig.answers().empty());
}

TEST_F(Groups, GarbageIsRefused) {
  wire::ClientFrame frame{"edge1",  {1, 1},   1,        "alice",
                          "phone",  kStartMs, kStartMs, wire::Command::GroupInvite,
                          "garbage"};
  rig.core().frame(frame, rig.moment);
  rig.take();
  EXPECT_EQ(rig.only_answer().answer.error, ErrorCode::kBadBody);
}

}  // namespace
}  // namespace martlet::dispatcher::testing
