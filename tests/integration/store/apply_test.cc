#include "store/apply.h"

#include <thread>

#include "commit_loser.h"
#include "database.h"
#include "store/shards.h"

namespace martlet::store {
namespace {

class ApplyTest : public DatabaseTest {
 protected:
  void SetUp() override {
    DatabaseTest::SetUp();
    if (HasFatalFailure()) return;
    connection_ = prepared();
    add_users({"alice", "bob"});
  }
  ShardState stored_state() const {
    auto connection = connect();
    const auto states = load_shards(*connection);
    return states->at(shard_.value());
  }

  const ConversationId conversation_ = between("alice", "bob");
  const ShardId shard_ = shard_of(conversation_);
  TestLog log_{shard_};
  std::unique_ptr<pg::Connection> connection_;
};

TEST_F(ApplyTest, StoresMessagesByteForByte) {
  const std::string content("a\0b\t\n\\\r\xff'\"\x01", 11);
  log_.add({log_.message(conversation_, "alice", content)});
  const ApplyResult result = log_.apply(*connection_);
  ASSERT_EQ(result.outcome, ApplyOutcome::kCommitted) << result.detail;
  EXPECT_EQ(result.messages, 1u);
  EXPECT_EQ(scalar("SELECT encode(content, 'hex') FROM messages"), base::to_hex(content));
}

TEST_F(ApplyTest, MovesWatermarkHeadAndMembersTogether) {
  log_.add({log_.message(conversation_, "alice"), log_.message(conversation_, "bob")});
  log_.add({log_.message(conversation_, "alice")});
  ASSERT_EQ(log_.apply(*connection_).outcome, ApplyOutcome::kCommitted);
  EXPECT_EQ(stored_state().watermark, LogPosition(2));
  EXPECT_EQ(scalar("SELECT concat_ws(' ', name, last_seq, last_position, sent_first, sent_second) "
                   "FROM conversations"),
            "u:alice:bob 3 2 3 2");
  EXPECT_EQ(scalar("SELECT string_agg(user_id, ' ' ORDER BY user_id) FROM members"), "alice bob");
}

TEST_F(ApplyTest, RepeatedBatchesAreFenced) {
  log_.add({log_.message(conversation_, "alice")});
  const ApplyRequest first = log_.request();
  ASSERT_EQ(log_.apply(*connection_).outcome, ApplyOutcome::kCommitted);
  EXPECT_EQ(apply(*connection_, {first}, kShards).front().outcome, ApplyOutcome::kFenced);
  EXPECT_EQ(scalar("SELECT count(*) FROM messages"), "1");
}

TEST_F(ApplyTest, AnotherGenerationIsFenced) {
  log_.add({log_.message(conversation_, "alice")});
  log_.expected().generation = Generation(2);
  EXPECT_EQ(log_.apply(*connection_).outcome, ApplyOutcome::kFenced);
}

TEST_F(ApplyTest, TwoPersistsOnOneShardStoreEachMessageOnce) {
  constexpr int kBatches = 50;
  for (int i = 0; i < kBatches; ++i) log_.add({log_.message(conversation_, "alice")});
  const ApplyRequest all = log_.request();
  // Both walk through the same batches; whoever is fenced reads the row and goes on from there.
  const auto persist = [&] {
    auto connection = connect();
    ShardState state = load_shards(*connection)->at(shard_.value());
    while (state.watermark.value() < kBatches) {
      ApplyRequest one{shard_, state, {all.batches[state.watermark.value()]}};
      const ApplyOutcome outcome = apply(*connection, {one}, kShards).front().outcome;
      EXPECT_TRUE(outcome == ApplyOutcome::kCommitted || outcome == ApplyOutcome::kFenced);
      state = load_shards(*connection)->at(shard_.value());
    }
  };
  std::thread first(persist), second(persist);
  first.join();
  second.join();
  EXPECT_EQ(scalar("SELECT count(*) || ' ' || max(seq) FROM messages"), "50 50");
  EXPECT_EQ(scalar("SELECT count(*) FROM dead_entries"), "0");
}

TEST_F(ApplyTest, LostConnectionBeforeCommitCommitsNothing) {
  log_.add({log_.message(conversation_, "alice")});
  cut(*connection_);
  const ApplyResult result = log_.apply(*connection_);
  EXPECT_EQ(result.outcome, ApplyOutcome::kRetry) << result.detail;
  EXPECT_FALSE(connection_->is_usable());
  EXPECT_EQ(stored_state().watermark, LogPosition(0));
}

TEST_F(ApplyTest, ACommitWhoseAnswerIsLostIsStoredOnce) {
  CommitLoser relay(server_host(), server_port());
  auto through_relay = options();
  through_relay.url += through_relay.url.find('?') == std::string::npos ? '?' : '&';
  through_relay.url += "host=127.0.0.1&port=" + std::to_string(relay.port());
  auto lossy = pg::Connection::open(through_relay);
  ASSERT_TRUE(lossy) << lossy.error().message;
  log_.add({log_.message(conversation_, "alice")});
  const ApplyRequest request = log_.request();

  EXPECT_EQ(apply(**lossy, {request}, kShards).front().outcome, ApplyOutcome::kUnknown);
  EXPECT_TRUE(relay.has_lost_one());
  EXPECT_EQ(stored_state().watermark, LogPosition(1)) << "it was committed";
  EXPECT_EQ(apply(*connection_, {request}, kShards).front().outcome, ApplyOutcome::kFenced);
  EXPECT_EQ(scalar("SELECT count(*) FROM messages"), "1");
}

// A trigger that runs at COMMIT ends the session: nothing is committed.
TEST_F(ApplyTest, ConnectionLostDuringCommitIsUnknownNotFailed) {
  run("CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM "
      "pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$; CREATE CONSTRAINT TRIGGER "
      "die AFTER INSERT ON messages DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION "
      "die()");
  log_.add({log_.message(conversation_, "alice")});
  const ApplyResult result = log_.apply(*connection_);
  EXPECT_EQ(result.outcome, ApplyOutcome::kUnknown) << result.detail;
  EXPECT_EQ(stored_state().watermark, LogPosition(0));
}

TEST_F(ApplyTest, SameSeqForAnotherMessageIsABug) {
  log_.add({log_.message(conversation_, "alice")});
  ASSERT_EQ(log_.apply(*connection_).outcome, ApplyOutcome::kCommitted);
  wire::Entry entry = log_.message(conversation_, "bob");
  entry.seq = Seq(1);
  log_.add({entry});
  EXPECT_EQ(log_.apply(*connection_).outcome, ApplyOutcome::kDuplicate);
  EXPECT_EQ(log_.apply(*connection_, true).outcome, ApplyOutcome::kDuplicate);
  EXPECT_EQ(stored_state().watermark, LogPosition(1));
}

TEST_F(ApplyTest, RefusedContentIsReportedAndNothingIsStored) {
  run("ALTER TABLE messages ADD CHECK (octet_length(content) < 100)");
  log_.add({log_.message(conversation_, "alice"),
            log_.message(conversation_, "bob", std::string(200, 'x'))});
  const ApplyResult result = log_.apply(*connection_);
  EXPECT_EQ(result.outcome, ApplyOutcome::kRefused) << result.detail;
  EXPECT_EQ(scalar("SELECT count(*) FROM messages"), "0");
}

TEST_F(ApplyTest, OneByOneKeepsTheDeadEntryAndStoresTheRest) {
  run("ALTER TABLE messages ADD CHECK (octet_length(content) < 100)");
  const wire::Entry poison = log_.message(conversation_, "bob", std::string(200, 'x'));
  log_.add({poison, log_.message(conversation_, "alice"), log_.message(conversation_, "alice")});
  const ApplyResult result = log_.apply(*connection_, true);
  ASSERT_EQ(result.outcome, ApplyOutcome::kCommitted) << result.detail;
  EXPECT_EQ(result.dead, 1u);
  EXPECT_EQ(scalar("SELECT string_agg(seq || (CASE WHEN content IS NULL THEN '-' ELSE '+' END), "
                   "' ' ORDER BY seq) FROM messages"),
            "1- 2+ 3+");
  EXPECT_EQ(scalar("SELECT concat_ws(' ', position, entry_index, sqlstate) FROM dead_entries"),
            "1 0 23514");
  const auto kept = base::from_hex(scalar("SELECT encode(entry, 'hex') FROM dead_entries"));
  const auto batch = wire::parse_batch(*kept);
  ASSERT_TRUE(batch);
  EXPECT_EQ(batch->entries.at(0), poison);
}

TEST_F(ApplyTest, AnEntryWhoseNameIsRefusedLeavesTheOthers) {
  run("ALTER TABLE conversations ADD CHECK (name <> 'u:alice:alice')");
  const ConversationId refused = between("alice", "alice");
  TestLog other(shard_);
  log_.add({other.message(refused, "alice"), log_.message(conversation_, "alice")});
  const ApplyResult result = log_.apply(*connection_, true);
  ASSERT_EQ(result.outcome, ApplyOutcome::kCommitted) << result.detail;
  EXPECT_EQ(result.dead, 1u);
  EXPECT_EQ(scalar("SELECT count(*) FROM messages"), "1");
}

TEST_F(ApplyTest, OnlyMessagesThatWereStoredCountAsSuch) {
  run("ALTER TABLE messages ADD CHECK (octet_length(content) < 1000)");
  log_.add({log_.message(conversation_, "alice"), log_.read(conversation_, "bob", 1),
            log_.message(conversation_, "alice", std::string(2000, 'x')),
            log_.message(conversation_, "bob")});
  const ApplyResult result = log_.apply(*connection_, true);
  ASSERT_EQ(result.outcome, ApplyOutcome::kCommitted) << result.detail;
  EXPECT_EQ(result.dead, 1u);
  EXPECT_EQ(result.messages, 2u);
}

TEST_F(ApplyTest, UnreadableBatchIsKeptAndPassedOver) {
  log_.add_raw("this is no batch");
  log_.add({log_.message(conversation_, "alice")});
  const ApplyResult result = log_.apply(*connection_);
  ASSERT_EQ(result.outcome, ApplyOutcome::kCommitted) << result.detail;
  EXPECT_EQ(result.dead, 1u);
  EXPECT_EQ(scalar("SELECT convert_from(entry, 'UTF8') FROM dead_entries"), "this is no batch");
  EXPECT_EQ(stored_state().watermark, LogPosition(2));
}

TEST_F(ApplyTest, ReadCursorOnlyGrows) {
  TestLog reads(shard_of(between("bob", "bob")));
  log_.add({log_.message(conversation_, "alice"), log_.message(conversation_, "alice")});
  ASSERT_EQ(log_.apply(*connection_).outcome, ApplyOutcome::kCommitted);
  reads.add({reads.read(conversation_, "bob", 2)});
  ASSERT_EQ(reads.apply(*connection_).outcome, ApplyOutcome::kCommitted);
  reads.add({reads.read(conversation_, "bob", 1)});
  ASSERT_EQ(reads.apply(*connection_).outcome, ApplyOutcome::kCommitted);
  EXPECT_EQ(scalar("SELECT read_seq || ' ' || read_position FROM members WHERE user_id = 'bob'"),
            "2 1");
}

TEST_F(ApplyTest, ReadCursorBeforeTheFirstMessageIsNotLost) {
  TestLog reads(shard_of(between("bob", "bob")));
  reads.add({reads.read(conversation_, "bob", 1)});
  ASSERT_EQ(reads.apply(*connection_).outcome, ApplyOutcome::kCommitted);
  log_.add({log_.message(conversation_, "alice")});
  ASSERT_EQ(log_.apply(*connection_).outcome, ApplyOutcome::kCommitted);
  EXPECT_EQ(scalar("SELECT read_seq FROM members WHERE user_id = 'bob'"), "1");
  EXPECT_EQ(scalar("SELECT count(*) FROM members"), "2");
}

TEST_F(ApplyTest, ReadCursorWithAnUnknownUserMakesNoConversation) {
  TestLog reads(shard_of(between("bob", "bob")));
  reads.add({reads.read(between("bob", "nobody"), "bob", 1)});
  ASSERT_EQ(reads.apply(*connection_).outcome, ApplyOutcome::kCommitted);
  EXPECT_EQ(scalar("SELECT count(*) FROM conversations"), "0");
}

TEST_F(ApplyTest, RaisedBaseGoesAboveWhatTheLogIsKnownToHaveHad) {
  for (int i = 0; i < 3; ++i) log_.add({log_.message(conversation_, "alice")});
  ASSERT_EQ(log_.apply(*connection_).outcome, ApplyOutcome::kCommitted);
  const auto raised = raise_base(*connection_, shard_, log_.expected(), 3, LogPosition(8));
  ASSERT_TRUE(raised) << raised.error().message;
  EXPECT_TRUE(raised->changed);
  EXPECT_EQ(raised->state, (ShardState{LogPosition(8), 5, Generation(2)}));
  log_.expected() = raised->state;
  log_.add({log_.message(conversation_, "alice")});
  EXPECT_EQ(log_.apply(*connection_).outcome, ApplyOutcome::kCommitted);
  EXPECT_EQ(stored_state().watermark, LogPosition(9));
}

TEST_F(ApplyTest, RaisedBaseContinuesPositionsInANewGeneration) {
  for (int i = 0; i < 5; ++i) log_.add({log_.message(conversation_, "alice")});
  ASSERT_EQ(log_.apply(*connection_).outcome, ApplyOutcome::kCommitted);
  const auto raised = raise_base(*connection_, shard_, log_.expected(), 2);
  ASSERT_TRUE(raised) << raised.error().message;
  EXPECT_EQ(raised->state, (ShardState{LogPosition(5), 3, Generation(2)}));
  EXPECT_TRUE(raised->changed);
  const auto late = raise_base(*connection_, shard_, log_.expected(), 2);
  EXPECT_EQ(late->state, raised->state);
  EXPECT_FALSE(late->changed);
}

TEST_F(ApplyTest, ManyRowsInOneTransaction) {
  for (int batch = 0; batch < 40; ++batch) {
    std::vector<wire::Entry> entries;
    for (int i = 0; i < 500; ++i)
      entries.push_back(log_.message(conversation_, i % 2 == 0 ? "alice" : "bob"));
    log_.add(std::move(entries));
  }
  const ApplyResult result = log_.apply(*connection_);
  ASSERT_EQ(result.outcome, ApplyOutcome::kCommitted) << result.detail;
  EXPECT_EQ(scalar("SELECT count(*) || ' ' || max(seq) FROM messages"), "20000 20000");
}

}  // namespace
}  // namespace martlet::store
