#include "database.h"
#include "store/apply.h"
#include "store/cold.h"
#include "store/limits.h"

namespace martlet::store {
namespace {

class GroupApplyTest : public DatabaseTest {
 protected:
  void SetUp() override {
    DatabaseTest::SetUp();
    if (HasFatalFailure()) return;
    connection_ = prepared();
    add_users({"alice", "bob", "carol", "dora"});
  }
  void log(std::string_view actor, const MembersChange& change) {
    log_.add({log_.members(birds_, actor, change)});
  }
  void store_all(bool one_by_one = false) {
    const ApplyResult result = log_.apply(*connection_, one_by_one);
    ASSERT_EQ(result.outcome, ApplyOutcome::kCommitted) << result.detail;
    ASSERT_EQ(result.dead, 0u);
  }
  static MembersChange created(const std::vector<std::string>& users,
                               EarlierHistory history = EarlierHistory::kHidden) {
    MembersChange created = change(MembersAction::kCreated, users);
    created.title = "Birds";
    created.join = JoinPolicy::kAnyone;
    created.earlier_history = history;
    return created;
  }
  // "user role from joined to": all stays, in order.
  std::string stays() const {
    return scalar(
        "SELECT string_agg(concat_ws(' ', user_id, role, from_seq, joined_seq, to_seq), ', ' ORDER "
        "BY user_id, joined_seq) FROM memberships");
  }
  std::string groups() const {
    return scalar(
        "SELECT string_agg(concat_ws(' ', title, join_policy, earlier_history, members_at, "
        "members_count, disbanded), ', ') FROM groups");
  }
  wire::ColdAnswer asked(std::vector<ConversationId> conversations,
                         std::vector<wire::Newcomer> users = {}) const {
    auto answers = look_up_cold(*connection_, {{shard_of(birds_),
                                                Generation(1),
                                                LogPosition(0),
                                                std::move(conversations),
                                                {},
                                                std::move(users)}});
    EXPECT_TRUE(answers) << answers.error().message;
    return answers->at(0);
  }

  const ConversationId birds_ = group("birds");
  TestLog log_{shard_of(birds_)};
  std::unique_ptr<pg::Connection> connection_;
};

TEST_F(GroupApplyTest, CreationMakesTheGroupItsMembersAndTheirCursors) {
  log("alice", created({"bob"}));
  store_all();
  EXPECT_EQ(stays(), "alice 3 1 1, bob 1 1 1");
  EXPECT_EQ(groups(), "Birds 1 0 1 2 f");
  EXPECT_EQ(scalar("SELECT string_agg(user_id, ' ' ORDER BY user_id) FROM members"), "alice bob");
  EXPECT_EQ(scalar("SELECT name || ' ' || last_seq FROM conversations"), "g:birds 1");
  EXPECT_EQ(scalar("SELECT count(*) FROM messages WHERE content IS NOT NULL"), "1");
}

// In one transaction, in several, and one by one: the same rows.
TEST_F(GroupApplyTest, StaysEndAndBeginAnewInTheOrderOfTheLog) {
  for (const int way : {0, 1, 2}) {
    run("TRUNCATE messages, conversations, members, groups, memberships");
    run("UPDATE shards SET watermark = 0");
    log_ = TestLog(shard_of(birds_));
    const auto then = [&] {
      if (way == 1) store_all();
    };
    log("alice", created({"bob"}));
    then();
    log("alice", change(MembersAction::kRemoved, {"bob", "carol"}));
    then();
    log("alice", change(MembersAction::kInvited, {"bob", "carol"}));
    then();
    log("carol", change(MembersAction::kLeft));
    then();
    log("carol", change(MembersAction::kJoined));
    then();
    log("dora", change(MembersAction::kJoined));
    then();
    MembersChange hand_over = change(MembersAction::kRoleSet, {"bob"});
    hand_over.role = GroupRole::kOwner;
    log("alice", hand_over);
    if (way != 2) log_.add({log_.message(birds_, "bob")});
    store_all(way == 2);
    EXPECT_EQ(stays(),
              "alice 2 1 1, bob 1 1 1 2, bob 3 3 3, carol 1 3 3 4, carol 1 5 5, dora 1 6 6")
        << way;
    EXPECT_EQ(groups(), "Birds 1 0 7 4 f") << way;
  }
}

TEST_F(GroupApplyTest, ShownHistoryIsSeenFromTheBeginning) {
  log("alice", created({}, EarlierHistory::kShown));
  store_all();
  log("bob", change(MembersAction::kJoined));
  store_all();
  EXPECT_EQ(stays(), "alice 3 1 1, bob 1 1 2");
}

TEST_F(GroupApplyTest, DisbandingEndsEverybodysStay) {
  log("alice", created({"bob", "carol"}));
  store_all();
  log("dora", change(MembersAction::kJoined));
  log("alice", change(MembersAction::kDisbanded));
  store_all();
  EXPECT_EQ(stays(), "alice 3 1 1 3, bob 1 1 1 3, carol 1 1 1 3, dora 1 2 2 3");
  EXPECT_EQ(groups(), "Birds 1 0 3 0 t");
  EXPECT_EQ(scalar("SELECT count(*) FROM memberships WHERE ended_position = 3"), "4");
  const auto head = asked({birds_}).heads.at(0);
  EXPECT_EQ(head.status, wire::HeadStatus::kKnown) << "its id stays taken";
  EXPECT_EQ(head.group->members.size(), 0u);
}

TEST_F(GroupApplyTest, ManyUsersInOneChange) {
  std::vector<std::string> many;
  for (int i = 0; i < 100; ++i) many.push_back("user" + std::to_string(i));
  log("alice", created(many));
  store_all();
  EXPECT_EQ(scalar("SELECT members_count FROM groups"), "101");
  EXPECT_EQ(scalar("SELECT count(*) FROM memberships"), "101");
}

TEST_F(GroupApplyTest, AChangeThatCannotBeReadIsAMessageAndKept) {
  wire::Entry entry = log_.message(birds_, "alice", "no change of members");
  entry.kind = wire::EntryKind::kMembers;
  log_.add({entry});
  const ApplyResult result = log_.apply(*connection_);
  ASSERT_EQ(result.outcome, ApplyOutcome::kCommitted) << result.detail;
  EXPECT_EQ(result.dead, 1u);
  EXPECT_EQ(scalar("SELECT sqlstate FROM dead_entries"), "PARSE");
  EXPECT_EQ(scalar("SELECT count(*) FROM messages"), "1");
  const auto head = asked({birds_}).heads.at(0);
  EXPECT_EQ(head.status, wire::HeadStatus::kKnown) << "or its first seq were given again";
  EXPECT_EQ(head.last_seq, Seq(1));
}

TEST_F(GroupApplyTest, ColdAnswersHaveTheMembers) {
  log("alice", created({"bob"}));
  log_.add({log_.message(birds_, "bob")});
  log_.add({log_.read(group("fish"), "bob", 3)});  // makes no group of it
  store_all();
  const auto answer = asked({birds_, group("fish"), between("alice", "bob")});
  EXPECT_EQ(answer.heads.at(0).status, wire::HeadStatus::kKnown);
  EXPECT_EQ(answer.heads[0].last_seq, Seq(2));
  ASSERT_TRUE(answer.heads[0].group);
  EXPECT_EQ(answer.heads[0].group->members_at, Seq(1));
  EXPECT_EQ(answer.heads[0].group->members.join(), JoinPolicy::kAnyone);
  EXPECT_EQ(
      answer.heads[0].group->members.roles(),
      (GroupMembers::Roles{{user("alice"), GroupRole::kOwner}, {user("bob"), GroupRole::kMember}}));
  EXPECT_EQ(answer.heads.at(1).status, wire::HeadStatus::kNoSuchGroup);
  EXPECT_EQ(answer.heads.at(2).status, wire::HeadStatus::kNew);
}

TEST_F(GroupApplyTest, ColdAnswersOmitGroupsThatDoNotFit) {
  log("alice", created({}));
  store_all();
  run("INSERT INTO conversations (name, shard, last_seq) SELECT 'g:big' || i, 0, 1 FROM "
      "generate_series(1, 3) i");
  run("INSERT INTO groups SELECT id, '', 0, 0, 1, 3000 FROM conversations WHERE name LIKE "
      "'g:big%'");
  run("INSERT INTO memberships SELECT id, 'user' || i, 1, 1, 1, NULL, NULL, 1 FROM conversations, "
      "generate_series(1, 3000) i WHERE name LIKE 'g:big%'");
  const auto answer = asked({group("big1"), group("big2"), birds_, group("big3")});
  EXPECT_EQ(answer.heads.at(0).group->members.size(), 3000u);
  EXPECT_EQ(answer.heads.at(1).status, wire::HeadStatus::kOmitted);
  EXPECT_EQ(answer.heads.at(2).status, wire::HeadStatus::kKnown);
  EXPECT_EQ(answer.heads.at(3).status, wire::HeadStatus::kOmitted);
  EXPECT_LE(wire::encode(answer).size(), kMaxAnswerBytes);
}

TEST_F(GroupApplyTest, ColdAnswersCountTheGroupsOfUsers) {
  log("alice", created({"bob"}));
  store_all();
  run("INSERT INTO memberships SELECT 1000 + i, 'carol', 1, 1, 1, NULL, NULL, 1 FROM "
      "generate_series(1, 2000) i");
  run("INSERT INTO memberships SELECT 1000 + i, 'dora', 1, 1, 1, 2, 2, 1 FROM "
      "generate_series(1, 2000) i");
  const GroupId fish = GroupId::trusted("fish");
  const auto answer = asked(
      {},
      {{user("bob"), fish}, {user("nobody"), fish}, {user("carol"), fish}, {user("dora"), fish}});
  EXPECT_EQ(answer.users, (std::vector<wire::UserStatus>{
                              wire::UserStatus::kExists, wire::UserStatus::kNoSuchUser,
                              wire::UserStatus::kTooManyGroups, wire::UserStatus::kExists}));
}

TEST_F(GroupApplyTest, StaysAreCounted) {
  log("alice", created({"bob"}));
  store_all();
  for (int i = 0; i < 2; ++i) {
    log("bob", change(MembersAction::kLeft));
    log("bob", change(MembersAction::kJoined));
    log("bob", change(MembersAction::kLeft));
    log("bob", change(MembersAction::kJoined));
    store_all();
  }
  EXPECT_EQ(scalar("SELECT string_agg(user_id || ' ' || stay, ', ' ORDER BY user_id, joined_seq) "
                   "FROM memberships"),
            "alice 1, bob 1, bob 2, bob 3, bob 4, bob 5");
}

TEST_F(GroupApplyTest, ColdAnswersTellWhoCameTooOften) {
  log("alice", created({"bob", "carol"}));
  log("bob", change(MembersAction::kLeft));
  log("carol", change(MembersAction::kLeft));
  store_all();
  run("UPDATE memberships SET stay = 1000 WHERE user_id = 'bob'");
  run("UPDATE memberships SET stay = 999 WHERE user_id = 'carol'");
  const GroupId birds = birds_.group();
  const auto answer = asked({}, {{user("bob"), birds},
                                 {user("carol"), birds},
                                 {user("dora"), birds},
                                 {user("bob"), GroupId::trusted("fish")}});
  using enum wire::UserStatus;
  EXPECT_EQ(answer.users,
            (std::vector<wire::UserStatus>{kCameTooOften, kExists, kExists, kExists}));
}

}  // namespace
}  // namespace martlet::store
