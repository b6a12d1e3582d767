#include "bus/lease_record.h"
#include "bus/subjects.h"
#include "world.h"

namespace martlet::persist {
namespace {

using namespace std::chrono_literals;

class FollowTest : public PersistTest {
 protected:
  const ConversationId conversation_ = between("alice", "bob");
  const ShardId shard_ = store::shard_of(conversation_);

  // known: a position that the asker knows of.
  wire::ShardAnswer ask_shard(LogPosition known = {}) {
    reply_ = request(bus::subject::rpc_shard(), wire::encode(wire::ShardQuestion{shard_, known}));
    return *wire::parse_shard_answer(reply_);
  }
  bool wait_for_a_lock() {
    return wait_for([&] {
      return scalar(
                 "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND "
                 "wait_event_type = 'Lock'") == "1";
    });
  }

  Bytes reply_;
};

TEST_F(FollowTest, StoresWhatIsAppendedAndAnnouncesIt) {
  start_persist();
  send("alice", "bob", 20);
  EXPECT_TRUE(wait_for([&] { return announced_[shard_] == LogPosition(20); }));
  expect_all_stored();
}

TEST_F(FollowTest, TwoPersistsShareTheShardsAndOneTakesOverWhatTheOtherLeaves) {
  Node& first = start_persist();
  Node& second = start_persist();
  EXPECT_TRUE(wait_for([&] {
    return metric(first, "martlet_persist_shards_followed") == kShards / 2 &&
           metric(second, "martlet_persist_shards_followed") == kShards / 2;
  }));
  send("alice", "bob", 10);
  send("alice", "carol", 10);
  send("carol", "bob", 10);
  drop_persist(first);
  send("alice", "bob", 10);
  send("alice", "carol", 10);
  send("carol", "bob", 10);
  expect_all_stored();
  EXPECT_EQ(metric(second, "martlet_persist_shards_stuck"), 0);
}

TEST_F(FollowTest, AStoppedPersistGivesItsShardsBackAtOnce) {
  Node& first = start_persist();
  Node& second = start_persist();
  EXPECT_TRUE(
      wait_for([&] { return metric(second, "martlet_persist_shards_followed") == kShards / 2; }));
  stop_persist(first);
  send("alice", "bob", 5);
  expect_all_stored();
}

// A transaction under way holds the stop up, until its shard is somebody else's.
TEST_F(FollowTest, AStopDoesNotWaitForAShardThatIsLostMeanwhile) {
  Node& node = start_following();
  send("alice", "bob", 1);
  expect_all_stored();
  const auto connection = connect();
  pg::Transaction lock(*connection, pg::Mode::kReadWrite);
  lock.query("SELECT 1 FROM shards FOR UPDATE");
  send("alice", "bob", 1);
  ASSERT_TRUE(wait_for_a_lock());
  bool stopped = false;
  node.persist->stop_phase_one([&] { stopped = true; });
  bus::NatsKv bucket(*bus_, "im_leases");
  bool written = false;
  bucket.put(bus::shard_key("persist", shard_),
             bus::encode_record({"another", Epoch(1'000'000), LogPosition()}),
             [&](const Result<std::uint64_t>& done) { written = done.has_value(); });
  EXPECT_TRUE(wait_for([&] { return written && stopped; }));
}

TEST_F(FollowTest, LostDatabaseConnectionsLoseAndDoubleNothing) {
  start_persist();
  for (int round = 0; round < 20; ++round) {
    send("alice", "bob", 5);
    scalar(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = "
        "current_database() AND pid <> pg_backend_pid()");
  }
  expect_all_stored();
}

TEST_F(FollowTest, ABrokerThatWasKilledIsFollowedAgain) {
  start_persist();
  send("alice", "bob", 5);
  expect_all_stored();
  restart_broker();
  send("alice", "bob", 5);
  expect_all_stored();
}

TEST_F(FollowTest, PoisonIsPutAsideAndTheRestIsStored) {
  run("ALTER TABLE messages ADD CHECK (octet_length(content) < 1000)");
  Node& node = start_persist();
  append(shard_,
         {message(conversation_, "alice"), message(conversation_, "alice", std::string(2000, 'x')),
          message(conversation_, "bob")});
  send("alice", "bob", 3);
  EXPECT_TRUE(wait_for([&] { return announced_[shard_] == LogPosition(4); }));
  EXPECT_TRUE(all_stored()) << "the poison as a tombstone";
  EXPECT_EQ(scalar("SELECT count(*) FROM messages WHERE content IS NULL"), "1");
  EXPECT_EQ(scalar("SELECT count(*) FROM dead_entries"), "1");
  EXPECT_EQ(metric(node, "martlet_persist_alarms_total{alarm=\"dead\"}"), 1);
}

TEST_F(FollowTest, ASeqTakenTwiceStopsItsShardAndNoOther) {
  Node& node = start_persist();
  append(shard_, {message(conversation_, "alice")});
  ASSERT_TRUE(wait_for([&] { return announced_[shard_] == LogPosition(1); }));
  wire::Entry entry = message(conversation_, "bob");
  entry.seq = Seq(1);
  append(shard_, {entry});
  EXPECT_TRUE(wait_for([&] { return metric(node, "martlet_persist_shards_stuck") == 1; }));
  EXPECT_EQ(announced_[shard_], LogPosition(1));
  ConversationId other = between("alice", "carol");
  ASSERT_NE(store::shard_of(other), shard_);
  send("alice", "carol", 3);
  EXPECT_TRUE(wait_for([&] { return announced_[store::shard_of(other)] == LogPosition(3); }));
}

TEST_F(FollowTest, AWipedLogGetsANewGenerationAndGoesOn) {
  start_persist();
  send("alice", "bob", 5);
  expect_all_stored();
  restart_broker([this] { server_.wipe(); });
  bool created = false;
  log_->ensure(shard_, {8U << 20, 1},
               [&](const Result<void>& done) { created = done.has_value(); });
  ASSERT_TRUE(wait_for([&] { return created; }));
  const wire::ShardAnswer answer = ask_shard();
  EXPECT_EQ(answer.error.code, ErrorCode::kNone) << answer.error.detail;
  EXPECT_EQ(answer.generation, Generation(2));
  EXPECT_EQ(answer.base, 5u);
  EXPECT_EQ(answer.watermark, LogPosition(5));
  generations_[shard_] = Generation(2);
  info(shard_);
  send("alice", "bob", 5);
  EXPECT_TRUE(wait_for([&] { return announced_[shard_] == LogPosition(10); }));
  expect_all_stored();
  EXPECT_EQ(scalar("SELECT string_agg(DISTINCT generation::text, ' ') FROM messages"), "1 2");
}

// The database was behind when the power went: the watermark does not tell that anything is gone.
TEST_F(FollowTest, ATailLostAboveTheWatermarkGetsANewGeneration) {
  send("alice", "bob", 6);
  restart_broker([this] { server_.keep_disk(); });
  send("alice", "bob", 2);
  restart_broker([this] { server_.put_disk_back(); });
  ASSERT_EQ(info(shard_).last, bus::LogSequence(6));
  const auto connection = connect();
  auto lock = std::make_unique<pg::Transaction>(*connection, pg::Mode::kReadWrite);
  lock->query("SELECT 1 FROM shards FOR UPDATE");
  Node& node = start_persist();
  ASSERT_TRUE(wait_for_a_lock());
  EXPECT_EQ(ask_shard(LogPosition(8)).error.code, ErrorCode::kUnavailable)
      << "what is left is not stored yet";
  lock.reset();
  ASSERT_TRUE(wait_for([&] { return announced_[shard_] == LogPosition(6); }));

  const wire::ShardAnswer answer = ask_shard(LogPosition(8));
  EXPECT_EQ(answer.error.code, ErrorCode::kNone) << answer.error.detail;
  EXPECT_EQ(answer.generation, Generation(2));
  EXPECT_EQ(answer.base, 2u);
  EXPECT_EQ(answer.watermark, LogPosition(8));
  EXPECT_EQ(metric(node, "martlet_persist_bases_raised_total"), 1);
  EXPECT_EQ(ask_shard(LogPosition(8)).generation, Generation(2)) << "once";
  wire::Entry entry = message(conversation_, "alice");
  entry.seq = Seq(7);  // which the lost tail had given to another message
  generations_[shard_] = Generation(2);
  append(shard_, {entry});
  EXPECT_TRUE(wait_for([&] { return announced_[shard_] == LogPosition(9); }));
  EXPECT_EQ(scalar("SELECT string_agg(seq || ':' || generation, ' ' ORDER BY seq) FROM messages"),
            "1:1 2:1 3:1 4:1 5:1 6:1 7:2");
}

TEST_F(FollowTest, ShardAnswersNameTheWatermark) {
  start_persist();
  send("alice", "bob", 3);
  ASSERT_TRUE(wait_for([&] { return announced_[shard_] == LogPosition(3); }));
  const wire::ShardAnswer answer = ask_shard();
  EXPECT_EQ(answer.watermark, LogPosition(3));
  EXPECT_EQ(answer.generation, Generation(1));
  EXPECT_EQ(answer.base, 0u);
}

TEST_F(FollowTest, DeletesWhatIsStoredForLongEnough) {
  options_.keep = 1s;
  start_persist();
  send("alice", "bob", 10);
  expect_all_stored();
  // A purge comes every 10 s.
  const MonotonicTime deadline = loop_.now() + 40s;
  while (info(shard_).first < bus::LogSequence(10) && loop_.now() < deadline) {
  }
  EXPECT_EQ(info(shard_).first, bus::LogSequence(10));
  send("alice", "bob", 1);
  expect_all_stored();
}

}  // namespace
}  // namespace martlet::persist
