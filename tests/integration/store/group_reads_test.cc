#include "database.h"
#include "store/groups.h"
#include "store/limits.h"
#include "store/pages.h"
#include "store/spans.h"
#include "store/sync.h"

namespace martlet::store {
namespace {

using Ranges = std::vector<wire::Range>;
using Seqs = std::vector<std::uint64_t>;

// A group of alice: bob is in it from seq 3 to 6 and from 9 on, carol from 3 to 6; 12 is the last.
class GroupReadsTest : public DatabaseTest {
 protected:
  void SetUp() override {
    DatabaseTest::SetUp();
    if (HasFatalFailure()) return;
    connection_ = prepared();
    add_users({"alice", "bob", "carol", "dora"});
    for (std::uint16_t shard = 0; shard < kShards; ++shard) logs_.emplace_back(ShardId(shard));
  }
  void log(std::string_view actor, const MembersChange& change) {
    TestLog& log = log_of(birds_);
    log.add({log.members(birds_, actor, change)});
  }
  void send(std::string_view actor, int count) {
    TestLog& log = log_of(birds_);
    for (int i = 0; i < count; ++i) log.add({log.message(birds_, actor)});
  }
  void apply() {
    for (TestLog& log : logs_) {
      if (log.request().batches.empty()) continue;
      const ApplyResult result = log.apply(*connection_);
      ASSERT_EQ(result.outcome, ApplyOutcome::kCommitted) << result.detail;
    }
  }
  void play(EarlierHistory history = EarlierHistory::kHidden) {
    MembersChange created = change(MembersAction::kCreated);
    created.title = "Birds";
    created.earlier_history = history;
    log("alice", created);                                            // 1
    send("alice", 1);                                                 // 2
    log("alice", change(MembersAction::kInvited, {"bob", "carol"}));  // 3
    send("bob", 2);                                                   // 4, 5
    log("alice", change(MembersAction::kRemoved, {"bob", "carol"}));  // 6
    send("alice", 2);                                                 // 7, 8
    log("alice", change(MembersAction::kInvited, {"bob"}));           // 9
    send("alice", 3);                                                 // 10 to 12
    apply();
  }
  void read(std::string_view reader, std::uint64_t seq) {
    TestLog& log = log_of(between(reader, reader));
    log.add({log.read(birds_, reader, seq)});
    apply();
  }
  TestLog& log_of(const ConversationId& conversation) {
    return logs_[shard_of(conversation).value()];
  }
  FetchRows fetched(std::string_view name, std::uint64_t from, std::uint64_t to,
                    bool keep_unknown = false) {
    auto rows = fetch(*connection_, {user(name), {range(from, to)}, keep_unknown}, kShards);
    EXPECT_TRUE(rows) << rows.error().message;
    return std::move(*rows);
  }
  HistoryRows history_of(std::string_view name, std::uint64_t from, wire::Direction direction,
                         std::uint32_t limit) {
    auto rows = history(*connection_, {user(name), {birds_, Seq(from), direction, limit}});
    EXPECT_TRUE(rows) << rows.error().message;
    return std::move(*rows);
  }
  SyncRows synced(std::string_view name, std::optional<SyncVector> since = {}) {
    auto rows = sync(*connection_, {user(name), std::move(since)});
    EXPECT_TRUE(rows) << rows.error().message;
    return std::move(*rows);
  }
  wire::Range range(std::uint64_t from, std::uint64_t to) const {
    return {birds_, Seq(from), Seq(to)};
  }
  static Seqs seqs(const std::vector<StoredRow>& rows) {
    Seqs seqs;
    for (const StoredRow& row : rows) seqs.push_back(row.seq.value());
    return seqs;
  }

  const ConversationId birds_ = group("birds");
  std::vector<TestLog> logs_;
  std::unique_ptr<pg::Connection> connection_;
};

TEST_F(GroupReadsTest, FetchWithholdsWhatIsOutsideOfTheStays) {
  play();
  const FetchRows rows = fetched("bob", 1, 12);
  EXPECT_EQ(seqs(rows.messages), (Seqs{3, 4, 5, 6, 9, 10, 11, 12}));
  EXPECT_EQ(rows.withheld, (Ranges{range(1, 2), range(7, 8)}));
  EXPECT_TRUE(rows.remaining.empty());
  EXPECT_TRUE(rows.beyond.empty());
}

// They may be back, in what is not stored yet.
TEST_F(GroupReadsTest, FetchOfAFormerMemberIsLookedAtAgain) {
  play();
  const FetchRows rows = fetched("carol", 5, 50);
  EXPECT_EQ(rows.beyond, (std::vector<ShardId>{shard_of(birds_)}));
  EXPECT_EQ(seqs(rows.messages), (Seqs{5, 6}));
  EXPECT_EQ(rows.withheld, (Ranges{range(7, 50)})) << "nor is the last seq told";
  const FetchRows behind = fetched("carol", 5, 50, true);
  EXPECT_TRUE(behind.withheld.empty());
  EXPECT_EQ(behind.remaining, (Ranges{range(7, 50)}));
}

TEST_F(GroupReadsTest, FetchOfAStrangerHasNothing) {
  play();
  const FetchRows rows = fetched("dora", 1, 12);
  EXPECT_EQ(rows.not_member, birds_);
  EXPECT_TRUE(rows.messages.empty());
  EXPECT_FALSE(rows.beyond.empty());
  const FetchRows behind = fetched("dora", 1, 12, true);
  EXPECT_EQ(behind.remaining, (Ranges{range(1, 12)}));
  EXPECT_TRUE(behind.messages.empty());
}

TEST_F(GroupReadsTest, ShownHistoryIsNotWithheld) {
  play(EarlierHistory::kShown);
  EXPECT_EQ(fetched("bob", 1, 12).messages.size(), 12u);
  EXPECT_EQ(seqs(fetched("carol", 1, 12).messages), (Seqs{1, 2, 3, 4, 5, 6}));
}

TEST_F(GroupReadsTest, HistoryPassesOverWhatIsWithheld) {
  play();
  const HistoryRows rows = history_of("bob", 0, wire::Direction::Backward, 6);
  EXPECT_EQ(seqs(rows.messages), (Seqs{12, 11, 10, 9, 6, 5}));
  EXPECT_EQ(rows.withheld, (Ranges{range(7, 8)}));
  EXPECT_TRUE(rows.more);
  const HistoryRows last = history_of("bob", 5, wire::Direction::Backward, 6);
  EXPECT_EQ(seqs(last.messages), (Seqs{4, 3}));
  EXPECT_EQ(last.withheld, (Ranges{range(1, 2)}));
  EXPECT_FALSE(last.more);
  const HistoryRows full = history_of("bob", 5, wire::Direction::Backward, 2);
  EXPECT_EQ(full.withheld, last.withheld) << "no page follows that could tell it";
  EXPECT_FALSE(full.more);
  const HistoryRows forward = history_of("bob", 5, wire::Direction::Forward, 2);
  EXPECT_EQ(seqs(forward.messages), (Seqs{6, 9}));
  EXPECT_TRUE(forward.more);
}

TEST_F(GroupReadsTest, HistoryOfAFormerMemberEndsWithTheStay) {
  play();
  const HistoryRows rows = history_of("carol", 0, wire::Direction::Backward, 3);
  EXPECT_EQ(seqs(rows.messages), (Seqs{6, 5, 4}));
  EXPECT_TRUE(rows.withheld.empty());
  EXPECT_TRUE(rows.more);
  EXPECT_TRUE(history_of("carol", 6, wire::Direction::Forward, 3).messages.empty());
  EXPECT_TRUE(history_of("dora", 0, wire::Direction::Backward, 3).not_member);
}

TEST_F(GroupReadsTest, SyncTellsAMembersState) {
  play();
  const SyncRows rows = synced("bob");
  ASSERT_EQ(rows.conversations.size(), 1u);
  const SyncConversation& one = rows.conversations[0];
  EXPECT_EQ(one.conversation, birds_);
  EXPECT_EQ(one.last_seq, Seq(12));
  EXPECT_EQ(one.first_seq, Seq(9));
  EXPECT_EQ(one.start_seq, Seq(3));
  EXPECT_EQ(one.members_at, Seq(9));
  EXPECT_EQ(one.unread, 4u);
  EXPECT_FALSE(one.is_former);
  EXPECT_EQ(seqs(one.newest), (Seqs{9, 10, 11, 12}));
}

TEST_F(GroupReadsTest, ADeviceBeginsWithTheFirstStayThatItsTokenDoesNotKnow) {
  const SyncVector nothing = synced("bob").now;
  play(EarlierHistory::kShown);
  const SyncRows rows = synced("bob", nothing);
  ASSERT_EQ(rows.conversations.size(), 1u);
  EXPECT_EQ(rows.conversations[0].first_seq, Seq(1));
  EXPECT_EQ(rows.conversations[0].start_seq, Seq(3)) << "what was written before was not missed";
  EXPECT_EQ(rows.conversations[0].unread, 4u) << "of the present stay";
  send("alice", 1);
  apply();
  const SyncRows later = synced("bob", rows.now);
  ASSERT_EQ(later.conversations.size(), 1u);
  EXPECT_EQ(later.conversations[0].start_seq, Seq(9));
}

TEST_F(GroupReadsTest, SyncOfAFormerMemberEndsWithTheStay) {
  play();
  const SyncRows rows = synced("carol");
  ASSERT_EQ(rows.conversations.size(), 1u);
  const SyncConversation& one = rows.conversations[0];
  EXPECT_TRUE(one.is_former);
  EXPECT_EQ(one.last_seq, Seq(6));
  EXPECT_EQ(one.members_at, Seq(6));
  EXPECT_EQ(seqs(one.newest), (Seqs{3, 4, 5, 6}));
  EXPECT_TRUE(synced("dora").conversations.empty());
  send("alice", 1);
  apply();
  EXPECT_TRUE(synced("carol", rows.now).conversations.empty()) << "what comes later is not theirs";
  EXPECT_EQ(synced("bob", rows.now).conversations.size(), 1u);
}

TEST_F(GroupReadsTest, LeavingIsAChangeToBeTold) {
  play();
  const SyncVector told = synced("bob").now;
  log("bob", change(MembersAction::kLeft));
  apply();
  const SyncRows rows = synced("bob", told);
  ASSERT_EQ(rows.conversations.size(), 1u);
  EXPECT_TRUE(rows.conversations[0].is_former);
  EXPECT_EQ(rows.conversations[0].last_seq, Seq(13));
}

TEST_F(GroupReadsTest, CursorsCountForThoseWhoWereMembers) {
  play();
  const SyncVector told = synced("bob").now;
  read("bob", 10);
  read("dora", 10);
  const SyncRows rows = synced("bob", told);
  ASSERT_EQ(rows.conversations.size(), 1u);
  EXPECT_EQ(rows.conversations[0].read_seq, Seq(10));
  EXPECT_EQ(rows.conversations[0].unread, 2u);
  EXPECT_TRUE(synced("dora").conversations.empty());
}

TEST_F(GroupReadsTest, WhatOneWroteIsReadWithAllBeforeIt) {
  play();
  EXPECT_EQ(synced("alice").conversations.at(0).unread, 0u);
  send("bob", 1);
  send("alice", 3);
  apply();
  EXPECT_EQ(synced("bob").conversations.at(0).unread, 3u);
  read("bob", 15);
  EXPECT_EQ(synced("bob").conversations.at(0).unread, 1u) << "the cursor is above it";
}

// To find it in a long past would cost each SYNC that past.
TEST_F(GroupReadsTest, WhatOneWroteLongAgoDoesNotCount) {
  play();
  send("bob", 1);  // 13
  send("alice", static_cast<int>(kOwnLookBack) - 1);
  apply();
  EXPECT_EQ(synced("bob").conversations.at(0).unread, kOwnLookBack - 1);
  send("alice", 1);
  apply();
  EXPECT_EQ(synced("bob").conversations.at(0).unread, kOwnLookBack + 5)
      << "all since the join at 9";
}

TEST_F(GroupReadsTest, ACursorMayBeStoredBeforeItsGroup) {
  read("bob", 10);  // the log of another shard is ahead
  EXPECT_TRUE(synced("bob").conversations.empty());
  play();
  const SyncRows rows = synced("bob");
  ASSERT_EQ(rows.conversations.size(), 1u);
  EXPECT_EQ(rows.conversations[0].read_seq, Seq(10));
  EXPECT_EQ(rows.conversations[0].unread, 2u);
}

TEST_F(GroupReadsTest, GroupsAndPairsShareThePages) {
  TestLog& log = log_of(between("alice", "bob"));
  log.add({log.message(between("alice", "bob"), "alice")});
  play();
  auto first = sync(*connection_, {user("bob"), {}, 0, 1});
  ASSERT_TRUE(first);
  ASSERT_EQ(first->conversations.size(), 1u);
  EXPECT_TRUE(first->more);
  const auto second = sync(*connection_, {user("bob"), {}, first->conversations[0].row_id, 1});
  ASSERT_EQ(second->conversations.size(), 1u);
  EXPECT_FALSE(second->more);
  EXPECT_NE(first->conversations[0].conversation, second->conversations[0].conversation);
}

TEST_F(GroupReadsTest, MembershipsAreThoseOfNow) {
  play();
  const auto of_bob = find_memberships(*connection_, {user("bob"), {}, {}});
  ASSERT_TRUE(of_bob) << of_bob.error().message;
  ASSERT_EQ(of_bob->memberships.size(), 1u);
  EXPECT_EQ(of_bob->memberships[0].group.str(), "birds");
  EXPECT_EQ(of_bob->memberships[0].from_seq, Seq(9));
  EXPECT_EQ(of_bob->memberships[0].members_at, Seq(9));
  EXPECT_TRUE(find_memberships(*connection_, {user("carol"), {}, {}})->memberships.empty());
  const auto of_birds = find_memberships(
      *connection_, {{}, GroupId::trusted("birds"), {user("carol"), user("bob"), user("dora")}});
  EXPECT_EQ(of_birds->members_at, Seq(9));
  ASSERT_EQ(of_birds->memberships.size(), 1u);
  EXPECT_EQ(of_birds->memberships[0].user, user("bob"));
}

// Joins in several shards at once may bring a user above the limit.
TEST_F(GroupReadsTest, MembershipsAboveTheLimitAreToldOrSaidToBeMissing) {
  const auto join = [&](int first, int last) {
    run("INSERT INTO conversations (name, shard, last_seq) SELECT 'g:' || lpad(i::text, 64, "
        "'x'), "
        "0, "
        "1 FROM generate_series(" +
        std::to_string(first) + ", " + std::to_string(last) + ") i");
    run("INSERT INTO groups SELECT id, '', 0, 0, 1, 1 FROM conversations ON CONFLICT DO NOTHING");
    run("INSERT INTO memberships SELECT id, 'bob', 1, 1, 1, NULL, NULL, 1 FROM conversations ON "
        "CONFLICT DO NOTHING");
  };
  join(1, 2200);
  const auto above = find_memberships(*connection_, {user("bob"), {}, {}});
  EXPECT_EQ(above->memberships.size(), 2200u);
  EXPECT_FALSE(above->behind);
  join(2201, static_cast<int>(kMaxMembershipsPerAnswer) + 1);
  const auto too_many = find_memberships(*connection_, {user("bob"), {}, {}});
  EXPECT_EQ(too_many->memberships.size(), kMaxMembershipsPerAnswer);
  EXPECT_TRUE(too_many->behind) << "nobody takes it for all";
  EXPECT_LE(wire::encode(*too_many).size(), kMaxAnswerBytes);
}

TEST_F(GroupReadsTest, OnlyMembersSeeTheMembersPageByPage) {
  play();
  const GroupId birds = GroupId::trusted("birds");
  EXPECT_EQ(*group_info(*connection_, {user("carol"), birds, "", 0}), std::nullopt);
  EXPECT_EQ(*group_info(*connection_, {user("alice"), GroupId::trusted("fish"), "", 0}),
            std::nullopt);
  const auto page = *group_info(*connection_, {user("bob"), birds, "", 1});
  ASSERT_TRUE(page);
  EXPECT_EQ(page->title, "Birds");
  EXPECT_EQ(page->members_count, 2u);
  EXPECT_EQ(page->members_at, Seq(9));
  ASSERT_EQ(page->members.size(), 1u);
  EXPECT_EQ(page->members[0].user, user("alice"));
  EXPECT_EQ(page->members[0].role, GroupRole::kOwner);
  EXPECT_TRUE(page->more);
  const auto rest = *group_info(*connection_, {user("bob"), birds, "alice", 0});
  ASSERT_EQ(rest->members.size(), 1u);
  EXPECT_EQ(rest->members[0].since_seq, Seq(9));
  EXPECT_FALSE(rest->more);
}

TEST_F(GroupReadsTest, TheListHasTheGroupsThatAUserIsIn) {
  play();
  TestLog& log = log_of(group("ants"));
  log.add({log.members(group("ants"), "bob", change(MembersAction::kCreated))});
  apply();
  const auto page = group_list(*connection_, {user("bob"), "", 1});
  ASSERT_TRUE(page) << page.error().message;
  ASSERT_EQ(page->groups.size(), 1u);
  EXPECT_EQ(page->groups[0].group.str(), "ants");
  EXPECT_EQ(page->groups[0].role, GroupRole::kOwner);
  EXPECT_TRUE(page->more);
  const auto rest = group_list(*connection_, {user("bob"), "ants", 0});
  ASSERT_EQ(rest->groups.size(), 1u);
  EXPECT_EQ(rest->groups[0].title, "Birds");
  EXPECT_EQ(rest->groups[0].members_count, 2u);
  EXPECT_TRUE(group_list(*connection_, {user("carol"), "", 0})->groups.empty());
}

}  // namespace
}  // namespace martlet::store
