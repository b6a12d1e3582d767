#include "base/hash.h"
#include "bus/subjects.h"
#include "wire/group_answers.h"
#include "wire/group_requests.h"
#include "wire/members_change.h"
#include "world.h"

namespace martlet::persist {
namespace {

using store::change;
using store::group;

class GroupsTest : public PersistTest {
 protected:
  void log(std::string_view actor, const MembersChange& change) {
    wire::Entry entry = message(birds_, actor);
    entry.kind = wire::EntryKind::kMembers;
    entry.content = wire::encode(change);
    entry.content_hash = base::hash64(entry.content);
    append(store::shard_of(birds_), {entry});
  }
  wire::GroupsAnswer asked(const wire::GroupsQuestion& question) {
    const auto answer =
        wire::parse_groups_answer(request(bus::subject::rpc_groups(), wire::encode(question)));
    EXPECT_TRUE(answer) << answer.error().detail;
    return *answer;
  }

  const ConversationId birds_ = group("birds");
  const GroupId id_ = GroupId::trusted("birds");
};

TEST_F(GroupsTest, AnswersHaveWhatWasInTheLogWhenTheQuestionCame) {
  start_following();
  log("alice", change(MembersAction::kCreated));
  for (int i = 0; i < 5; ++i) {
    log("alice", change(MembersAction::kInvited, {"bob"}));
    const auto with = asked({user("bob"), {}, {}});
    EXPECT_FALSE(with.behind);
    ASSERT_EQ(with.memberships.size(), 1u);
    EXPECT_EQ(with.memberships[0].members_at, with.memberships[0].from_seq);
    log("alice", change(MembersAction::kRemoved, {"bob"}));
    const auto without = asked({{}, id_, {user("alice"), user("bob")}});
    ASSERT_EQ(without.memberships.size(), 1u);
    EXPECT_EQ(without.memberships[0].user, user("alice"));
    EXPECT_GT(without.members_at, with.memberships[0].members_at);
  }
}

TEST_F(GroupsTest, QuestionsWithTooManyUsersAreRefused) {
  start_following();
  std::vector<UserId> users;
  for (int i = 0; i < 2001; ++i) users.push_back(user("user" + std::to_string(i)));
  EXPECT_EQ(asked({{}, id_, users}).error.code, ErrorCode::kBadRange);
}

TEST_F(GroupsTest, FetchOfAMemberWaitsForTheMembership) {
  start_following();
  log("alice", change(MembersAction::kCreated));
  log("alice", change(MembersAction::kInvited, {"bob"}));
  append(store::shard_of(birds_), {message(birds_, "alice")});
  const auto fetch = [&](std::string_view name) {
    return read(wire::Command::Fetch, name, wire::encode(wire::Fetch{{{birds_, Seq(1), Seq(3)}}}));
  };
  const auto answer = fetch("bob");
  ASSERT_EQ(answer.error.code, ErrorCode::kNone) << answer.error.detail;
  const auto page = *wire::parse_fetch_page(answer.body);
  EXPECT_EQ(page.messages.size(), 2u);
  ASSERT_EQ(page.withheld.size(), 1u);
  EXPECT_EQ(page.withheld[0].to, Seq(1));
  EXPECT_EQ(fetch("carol").error.code, ErrorCode::kNotMember);
  const Bytes history = wire::encode(wire::History{birds_});
  EXPECT_EQ(read(wire::Command::History, "carol", history).error.code, ErrorCode::kNotMember);
}

TEST_F(GroupsTest, SyncTellsMembersAndFormerOnes) {
  start_following();
  log("alice", change(MembersAction::kCreated, {"bob", "carol"}));
  log("alice", change(MembersAction::kRemoved, {"carol"}));
  append(store::shard_of(birds_), {message(birds_, "alice")});
  const auto state = [&](std::string_view name) { return synced(name).conversations.at(0); };
  EXPECT_EQ(state("bob").membership, wire::Membership::Member);
  EXPECT_EQ(state("bob").members_at, Seq(2));
  EXPECT_EQ(state("bob").last_seq, Seq(3));
  EXPECT_EQ(state("carol").membership, wire::Membership::Former);
  EXPECT_EQ(state("carol").last_seq, Seq(2));
}

TEST_F(GroupsTest, InfoAndListAreForMembers) {
  start_following();
  MembersChange created = change(MembersAction::kCreated, {"bob"});
  created.title = "Birds";
  log("alice", created);
  const Bytes info = wire::encode(wire::GroupInfo{id_, "", 0});
  const auto answer = read(wire::Command::GroupInfo, "bob", info);
  ASSERT_EQ(answer.error.code, ErrorCode::kNone) << answer.error.detail;
  EXPECT_EQ(wire::parse_group_info_page(answer.body)->members.size(), 2u);
  EXPECT_EQ(read(wire::Command::GroupInfo, "carol", info).error.code, ErrorCode::kNotMember);
  const auto list = read(wire::Command::GroupList, "bob", wire::encode(wire::GroupList{"", 0}));
  ASSERT_EQ(list.error.code, ErrorCode::kNone) << list.error.detail;
  const auto page = wire::parse_group_list_page(list.body);
  ASSERT_EQ(page->groups.size(), 1u);
  EXPECT_EQ(page->groups[0].title, "Birds");
}

// Else somebody who was removed would go on reading the list.
TEST_F(GroupsTest, InfoAndListAreRefusedWhileTheDatabaseIsBehind) {
  start_following();
  log("alice", change(MembersAction::kCreated, {"bob"}));
  const Bytes info = wire::encode(wire::GroupInfo{id_, "", 0});
  const Bytes list = wire::encode(wire::GroupList{"", 0});
  ASSERT_EQ(read(wire::Command::GroupInfo, "bob", info).error.code, ErrorCode::kNone);
  const Blocked blocked(connect(), store::shard_of(birds_));
  log("alice", change(MembersAction::kRemoved, {"bob"}));
  for (const auto& [command, body] :
       {std::pair(wire::Command::GroupInfo, &info), std::pair(wire::Command::GroupList, &list)}) {
    const auto answer = read(command, "bob", *body);
    EXPECT_EQ(answer.error.code, ErrorCode::kUnavailable);
    EXPECT_GT(answer.error.retry_after_ms, 0u);
  }
}

}  // namespace
}  // namespace martlet::persist
