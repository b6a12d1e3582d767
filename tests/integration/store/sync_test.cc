#include "store/sync.h"

#include "database.h"
#include "store/limits.h"
#include "store/shards.h"

namespace martlet::store {
namespace {

class SyncTest : public DatabaseTest {
 protected:
  void SetUp() override {
    DatabaseTest::SetUp();
    if (HasFatalFailure()) return;
    connection_ = prepared();
    add_users({"alice", "bob", "carol"});
    for (std::uint16_t shard = 0; shard < kShards; ++shard) logs_.emplace_back(ShardId(shard));
  }
  TestLog& log_of(const ConversationId& conversation) {
    return logs_[shard_of(conversation).value()];
  }
  void send(std::string_view from, std::string_view to, int count = 1, std::size_t bytes = 10) {
    const ConversationId conversation = between(from, to);
    TestLog& log = log_of(conversation);
    for (int i = 0; i < count; ++i)
      log.add({log.message(conversation, from, std::string(bytes, 'm'))});
    const ApplyResult result = log.apply(*connection_);
    ASSERT_EQ(result.outcome, ApplyOutcome::kCommitted) << result.detail;
  }
  void read(std::string_view reader, std::string_view peer, std::uint64_t seq) {
    TestLog& log = log_of(between(reader, reader));
    log.add({log.read(between(reader, peer), reader, seq)});
    ASSERT_EQ(log.apply(*connection_).outcome, ApplyOutcome::kCommitted);
  }
  SyncRows synced(std::string_view name, std::optional<SyncVector> since = {},
                  std::int64_t after = 0, std::size_t max_conversations = 0) {
    auto rows = sync(*connection_, {user(name), std::move(since), after, max_conversations});
    EXPECT_TRUE(rows) << rows.error().message;
    return std::move(*rows);
  }

  std::vector<TestLog> logs_;
  std::unique_ptr<pg::Connection> connection_;
};

TEST_F(SyncTest, FirstSyncGivesTheNewestMessagesOldestFirst) {
  send("alice", "bob", 30);
  const SyncRows rows = synced("bob");
  ASSERT_EQ(rows.conversations.size(), 1u);
  const SyncConversation& one = rows.conversations[0];
  EXPECT_EQ(one.last_seq, Seq(30));
  EXPECT_EQ(one.unread, 30u);
  ASSERT_EQ(one.newest.size(), kFirstSyncMessages);
  EXPECT_EQ(one.newest.front().seq, Seq(11));
  EXPECT_EQ(one.newest.back().seq, Seq(30));
  EXPECT_FALSE(rows.more);
}

TEST_F(SyncTest, NewestMessagesStopAtTheConversationsShareOfThePage) {
  send("alice", "bob", 5, 40'000);
  const SyncRows rows = synced("bob");
  ASSERT_EQ(rows.conversations[0].newest.size(), 1u);
  EXPECT_EQ(rows.conversations[0].newest[0].seq, Seq(5));
}

TEST_F(SyncTest, OneLongMessageIsAlwaysSent) {
  send("alice", "bob", 1, kMaxBodyBytes);
  EXPECT_EQ(synced("bob").conversations[0].newest.size(), 1u);
}

TEST_F(SyncTest, NothingIsToldTwice) {
  send("alice", "bob", 3);
  const SyncVector told = synced("bob").now;
  EXPECT_TRUE(synced("bob", told).conversations.empty());
  send("carol", "bob");
  const SyncRows rows = synced("bob", told);
  ASSERT_EQ(rows.conversations.size(), 1u);
  EXPECT_EQ(rows.conversations[0].conversation, between("bob", "carol"));
  EXPECT_TRUE(rows.conversations[0].newest.empty()) << "a later sync tells seqs, not messages";
}

TEST_F(SyncTest, OwnMessagesAreNotUnread) {
  send("alice", "bob", 2);
  send("bob", "alice", 1);
  send("alice", "bob", 4);
  EXPECT_EQ(synced("bob").conversations[0].unread, 4u);
  EXPECT_EQ(synced("alice").conversations[0].unread, 0u);
}

TEST_F(SyncTest, CursorsOfBothUsersAreChanges) {
  send("alice", "bob", 5);
  const SyncVector alice = synced("alice").now;
  const SyncVector bob = synced("bob").now;
  read("bob", "alice", 3);
  const SyncRows own = synced("bob", bob);
  ASSERT_EQ(own.conversations.size(), 1u);
  EXPECT_EQ(own.conversations[0].read_seq, Seq(3));
  EXPECT_EQ(own.conversations[0].unread, 2u);
  const SyncRows peer = synced("alice", alice);
  ASSERT_EQ(peer.conversations.size(), 1u);
  EXPECT_EQ(peer.conversations[0].peer_read_seq, Seq(3));
}

TEST_F(SyncTest, CursorsAreCutToTheLastSeq) {
  send("alice", "bob", 2);
  read("bob", "alice", 4);
  const SyncRows before = synced("bob");
  EXPECT_EQ(before.conversations[0].read_seq, Seq(2));
  EXPECT_EQ(before.conversations[0].unread, 0u);
  // Told as cut, kept as it came: it counts for messages that are sent later, too.
  send("alice", "bob");
  const SyncRows later = synced("bob");
  EXPECT_EQ(later.conversations[0].read_seq, Seq(3));
  EXPECT_EQ(later.conversations[0].unread, 0u);
  EXPECT_EQ(synced("alice").conversations[0].peer_read_seq, Seq(3));
  send("alice", "bob", 2);
  EXPECT_EQ(synced("bob").conversations[0].read_seq, Seq(4));
  EXPECT_EQ(synced("bob").conversations[0].unread, 1u);
}

TEST_F(SyncTest, AConversationWithoutMessagesIsNotTold) {
  read("bob", "alice", 1);
  EXPECT_TRUE(synced("bob").conversations.empty());
}

TEST_F(SyncTest, NotesToOneselfAreToldOnce) {
  send("bob", "bob", 2);
  const SyncRows rows = synced("bob");
  ASSERT_EQ(rows.conversations.size(), 1u);
  EXPECT_EQ(rows.conversations[0].unread, 0u);
}

TEST_F(SyncTest, PagesCoverEverythingOnceAlsoWhileMessagesArrive) {
  std::vector<std::string> peers;
  for (int i = 0; i < 25; ++i) peers.push_back("peer" + std::to_string(i));
  add_users(peers);
  for (const std::string& peer : peers) send(peer, "bob");
  std::map<std::string, int> told;
  SyncRows page = synced("bob", {}, 0, 10);
  const SyncVector token = page.now;
  send("peer3", "bob");  // after the first page's snapshot
  for (;;) {
    for (const auto& one : page.conversations) ++told[one.conversation.str()];
    if (!page.more) break;
    page = synced("bob", {}, page.conversations.back().row_id, 10);
  }
  EXPECT_EQ(told.size(), 25u);
  for (const auto& [name, count] : told) EXPECT_EQ(count, 1) << name;
  const SyncRows next = synced("bob", token);
  ASSERT_EQ(next.conversations.size(), 1u);
  EXPECT_EQ(next.conversations[0].last_seq, Seq(2));
}

TEST_F(SyncTest, AShardOfANewGenerationIsToldAgain) {
  send("alice", "bob", 3);
  send("carol", "bob", 1);
  const SyncVector told = synced("bob").now;
  TestLog& log = log_of(between("alice", "bob"));
  const auto raised =
      raise_base(*connection_, shard_of(between("alice", "bob")), log.expected(), 1);
  ASSERT_TRUE(raised);
  const SyncRows rows = synced("bob", told);
  ASSERT_EQ(rows.conversations.size(), 1u);
  EXPECT_EQ(rows.conversations[0].conversation, between("alice", "bob"));
  EXPECT_EQ(rows.conversations[0].generation, Generation(2));
}

TEST_F(SyncTest, OthersConversationsAreNotTold) {
  send("alice", "carol", 3);
  EXPECT_TRUE(synced("bob").conversations.empty());
}

}  // namespace
}  // namespace martlet::store
