#include <chrono>
#include <map>

#include "commit_loser.h"
#include "database.h"
#include "store/apply.h"
#include "store/pg_store.h"
#include "store/shards.h"
#include "support/run_loop.h"

namespace martlet::store {
namespace {

constexpr std::size_t kWriters = 2;

// Three shards' logs, written by one store in one turn of its loop.
class TogetherTest : public DatabaseTest {
 protected:
  void SetUp() override {
    DatabaseTest::SetUp();
    if (HasFatalFailure()) return;
    connection_ = prepared();
    add_users({"alice", "bob", "carol"});
    for (const auto& [a, b] : {std::pair("alice", "bob"), {"alice", "carol"}, {"bob", "carol"}}) {
      const ConversationId conversation = between(a, b);
      if (logs_.contains(shard_of(conversation))) continue;
      conversations_.push_back(conversation);
      logs_.emplace(shard_of(conversation), TestLog(shard_of(conversation)));
    }
    ASSERT_EQ(logs_.size(), 3u) << "the conversations are in three shards";
  }
  TestLog& log(std::size_t i) { return logs_.at(shard_of(conversations_[i])); }
  void add_message(std::size_t i, std::string content = "hello") {
    const std::string sender = conversations_[i].users().first.str();
    log(i).add({log(i).message(conversations_[i], sender, std::move(content))});
  }
  void open_store(std::string url = {}) {
    PgStoreOptions opened;
    opened.url = url.empty() ? options().url : std::move(url);
    opened.shards = kShards;
    opened.writers = kWriters;
    store_ = std::make_unique<PgStore>(loop_, opened);
  }
  void ask(std::size_t i) {
    store_->apply(log(i).request(), [this, i](const ApplyResult& result) {
      ++answers_;
      results_[i] = result;
    });
  }
  void ask_all() {
    for (std::size_t i = 0; i < 3; ++i) ask(i);
  }
  bool answered(std::size_t count) {
    return test::run_until(
        loop_, [&] { return answers_ >= count; }, std::chrono::seconds(20));
  }
  // Of the conversations, "110": the first two have a message.
  std::string stored() const {
    std::string out;
    for (const ConversationId& conversation : conversations_) {
      out += scalar(
          "SELECT count(*) FROM messages m JOIN conversations c ON c.id = "
          "m.conversation_id WHERE c.name = '" +
          conversation.str() + "'");
    }
    return out;
  }
  std::string transactions() const {
    return scalar("SELECT count(DISTINCT xmin::text) FROM messages");
  }
  ApplyOutcome outcome(std::size_t i) const { return results_.at(i).outcome; }

  std::vector<ConversationId> conversations_;
  std::map<ShardId, TestLog> logs_;
  event::Loop loop_;
  std::unique_ptr<pg::Connection> connection_;
  std::unique_ptr<PgStore> store_;
  std::size_t answers_ = 0;
  std::map<std::size_t, ApplyResult> results_;
};

TEST_F(TogetherTest, ShardsOfOneTurnAreOneTransaction) {
  open_store();
  add_message(0);
  add_message(0);
  add_message(1);
  add_message(2);
  ask_all();
  ASSERT_TRUE(answered(3));
  for (std::size_t i = 0; i < 3; ++i)
    EXPECT_EQ(outcome(i), ApplyOutcome::kCommitted) << results_.at(i).detail;
  EXPECT_EQ(results_.at(0).messages, 2u);
  EXPECT_EQ(results_.at(1).messages, 1u);
  EXPECT_EQ(stored(), "211");
  EXPECT_EQ(transactions(), "1");
  EXPECT_EQ(scalar("SELECT string_agg(watermark::text, ' ' ORDER BY watermark DESC) FROM shards "
                   "WHERE watermark > 0"),
            "2 1 1");
}

TEST_F(TogetherTest, CountsAreOfEachShard) {
  for (std::size_t i = 0; i < 3; ++i) add_message(i);
  wire::Entry repeat = log(1).message(conversations_[1], "alice");
  wire::Entry again = log(1).message(conversations_[1], "alice");
  again.client_msg_id = repeat.client_msg_id;
  log(1).add({repeat, again});
  log(2).add_raw("this is no batch");
  const ApplyResults results =
      apply(*connection_, {log(0).request(), log(1).request(), log(2).request()}, kShards);
  for (const ApplyResult& result : results)
    EXPECT_EQ(result.outcome, ApplyOutcome::kCommitted) << result.detail;
  EXPECT_EQ(results[0].messages, 1u);
  EXPECT_EQ(results[1].messages, 2u);
  EXPECT_EQ(results[1].repeats, 1u);
  EXPECT_EQ(results[2].messages, 1u);
  EXPECT_EQ(results[2].dead, 1u);
  EXPECT_EQ(results[0].repeats + results[0].dead + results[1].dead + results[2].repeats, 0u);
  EXPECT_EQ(scalar("SELECT shard FROM dead_entries"),
            std::to_string(shard_of(conversations_[2]).value()));
}

TEST_F(TogetherTest, OneThatIsFencedStopsTheTransactionAndNoneOfTheOthers) {
  for (std::size_t i = 0; i < 3; ++i) add_message(i);
  log(1).expected().generation = Generation(2);
  const ApplyResults results =
      apply(*connection_, {log(0).request(), log(1).request(), log(2).request()}, kShards);
  for (const ApplyResult& result : results) EXPECT_EQ(result.outcome, ApplyOutcome::kFenced);
  EXPECT_EQ(stored(), "000");
  EXPECT_EQ(scalar("SELECT max(watermark) FROM shards"), "0");

  open_store();
  ask_all();
  ASSERT_TRUE(answered(3));
  EXPECT_EQ(outcome(0), ApplyOutcome::kCommitted);
  EXPECT_EQ(outcome(1), ApplyOutcome::kFenced);
  EXPECT_EQ(outcome(2), ApplyOutcome::kCommitted);
  EXPECT_EQ(stored(), "101");
  EXPECT_EQ(scalar("SELECT sum(watermark) FROM shards"), "2");
}

TEST_F(TogetherTest, OneThatIsRefusedForItsContentStopsNoneOfTheOthers) {
  run("ALTER TABLE messages ADD CHECK (octet_length(content) < 100)");
  open_store();
  add_message(0);
  add_message(1, std::string(200, 'x'));
  add_message(2);
  ask_all();
  ASSERT_TRUE(answered(3));
  EXPECT_EQ(outcome(0), ApplyOutcome::kCommitted);
  EXPECT_EQ(outcome(1), ApplyOutcome::kRefused);
  EXPECT_EQ(outcome(2), ApplyOutcome::kCommitted);
  EXPECT_EQ(stored(), "101");
}

TEST_F(TogetherTest, ACommitWhoseAnswerIsLostIsUnknownToAllOfIt) {
  CommitLoser relay(server_host(), server_port());
  std::string url = options().url;
  url += url.find('?') == std::string::npos ? '?' : '&';
  open_store(url + "host=127.0.0.1&port=" + std::to_string(relay.port()));
  for (std::size_t i = 0; i < 3; ++i) add_message(i);
  ask_all();
  ASSERT_TRUE(answered(3));
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(outcome(i), ApplyOutcome::kUnknown);
  EXPECT_TRUE(relay.has_lost_one());
  EXPECT_EQ(stored(), "111") << "it was committed, once";
  EXPECT_EQ(scalar("SELECT sum(watermark) FROM shards"), "3");
}

// Somebody holds the row of a shard for longer than we wait for a lock (5 s).
TEST_F(TogetherTest, AShardThatIsStuckHoldsUpTheOthersForOneTimeOut) {
  open_store();
  for (std::size_t i = 0; i < 3; ++i) add_message(i);
  auto blocker = connect();
  pg::Transaction tx(*blocker, pg::Mode::kReadWrite);
  tx.query("SELECT 1 FROM shards WHERE shard = $1 FOR UPDATE",
           pg::Params().number(shard_of(conversations_[1]).value()));
  ASSERT_TRUE(tx.ok());
  ask_all();
  ASSERT_TRUE(answered(2));
  EXPECT_EQ(outcome(0), ApplyOutcome::kCommitted);
  EXPECT_EQ(outcome(2), ApplyOutcome::kCommitted);
  EXPECT_FALSE(results_.contains(1));
  log(0) = TestLog(shard_of(conversations_[0]));
  log(0).expected().watermark = LogPosition(1);
  const auto started = std::chrono::steady_clock::now();
  log(0).add_raw("this is no batch");
  ask(0);
  ASSERT_TRUE(answered(3));
  EXPECT_EQ(outcome(0), ApplyOutcome::kCommitted);
  EXPECT_LT(std::chrono::steady_clock::now() - started, std::chrono::seconds(4)) << "nobody again";
  ASSERT_TRUE(tx.commit());
  ASSERT_TRUE(answered(4));
  EXPECT_EQ(outcome(1), ApplyOutcome::kCommitted) << results_.at(1).detail;
  EXPECT_EQ(stored(), "111");
}

}  // namespace
}  // namespace martlet::store
