#include <gtest/gtest.h>

#include <array>

#include "support/run_loop.h"
#include "world.h"

namespace martlet::dispatcher::testing {
namespace {

std::array<UserId, 2> users_of(const ConversationId& conversation) {
  const auto [smaller, greater] = conversation.users();
  return {smaller, greater};
}

using namespace std::chrono_literals;

class DispatcherOnNats : public ::testing::Test {
 protected:
  DispatcherOnNats() {
    for (int i = 0; i < 20; ++i) persist->add_user("user" + std::to_string(i));
  }
  Node& start(const std::string& name) {
    nodes[name] = std::make_unique<Node>(loop, server, records, name, options);
    return *nodes[name];
  }
  void own_all(const std::string& name) {
    nodes[name]->own_all();
    ASSERT_TRUE(run_until([&] { return nodes[name]->serves_all(); }));
  }
  // Like kill -9: nothing is finished, nothing is given back.
  void kill(const std::string& name) {
    nodes[name]->dispatcher.reset();
    nodes.erase(name);
  }
  bool run_until(const std::function<bool()>& condition, std::chrono::seconds limit = 20s) {
    return test::run_until(loop, condition, limit);
  }
  void run_for(Duration time) {
    const MonotonicTime end = loop.now() + time;
    run_until([&] { return loop.now() >= end; });
  }
  // One message from each of 20 users to the next.
  void send_round() {
    for (int i = 0; i < 20; ++i) {
      const std::string from = "user" + std::to_string(i);
      edge->send(from, "user" + std::to_string((i + 1) % 20), "round " + std::to_string(++rounds));
      ++sent;
    }
  }
  // Publishes that the bus did not take.
  std::uint64_t dropped(const std::string& name) {
    const std::string key = "\nmartlet_dispatcher_publishes_dropped_total ";
    const std::string text = nodes[name]->registry.render();
    return std::stoull(text.substr(text.find(key) + key.size()));
  }
  bool all_seen_or_hinted() const {
    return std::all_of(edge->acked().begin(), edge->acked().end(), [&](const auto& item) {
      const auto& [id, acked] = item;
      const auto users = users_of(acked.conversation);
      return std::all_of(users.begin(), users.end(), [&, id = id, at = acked](const UserId& user) {
        return edge->seen(user.str(), id) > 0 || edge->was_hinted(user.str(), at.conversation);
      });
    });
  }
  bool all_acknowledged() const { return edge->unanswered() == 0 && edge->acknowledged() == sent; }

  // The account: what was acknowledged is in the logs once, numbered 1, 2, 3 …
  void check_logs() {
    ASSERT_TRUE(run_until([&] { return all_acknowledged(); }));
    std::map<std::string, Seq> last;
    std::map<ClientMsgId, Edge::Acked> logged;
    auto reading = connect(loop, server, "reader");
    bus::NatsLog log(*reading);
    for (std::uint16_t shard = 0; shard < kShards; ++shard) {
      auto reader = log.read(ShardId(shard), bus::LogSequence(1));
      for (bool is_at_end = false; !is_at_end;) {
        bool is_done = false;
        reader->next(1 << 20, 200ms, [&](const auto& records) {
          ASSERT_TRUE(records.has_value());
          is_done = true;
          is_at_end = records->empty();
          for (const bus::LogRecord& record : *records) check_batch(record, last, logged);
        });
        ASSERT_TRUE(run_until([&] { return is_done; }));
      }
    }
    EXPECT_EQ(logged.size(), sent);
    for (const auto& [id, acked] : edge->acked()) {
      EXPECT_TRUE(logged.contains(id));
      EXPECT_EQ(logged[id].seq, acked.seq);
      EXPECT_EQ(logged[id].message_id, acked.message_id);
    }
  }
  static void check_batch(const bus::LogRecord& record, std::map<std::string, Seq>& last,
                          std::map<ClientMsgId, Edge::Acked>& logged) {
    const auto batch = wire::parse_batch(record.batch);
    ASSERT_TRUE(batch.has_value());
    for (const wire::Entry& entry : batch->entries) {
      if (entry.kind != wire::EntryKind::kMessage) continue;
      Seq& before = last[entry.conversation.str()];
      EXPECT_EQ(entry.seq, before.next());
      before = entry.seq;
      const Edge::Acked mine{entry.conversation, entry.seq, entry.message_id};
      EXPECT_TRUE(logged.emplace(entry.client_msg_id, mine).second) << "twice in the log";
    }
  }

  // d1 owns every shard and lets go of all; it waits to hear how far each was published.
  void begin_stop(bool& is_gone) {
    start("d1");
    own_all("d1");
    NarrowBus& bus = nodes["d1"]->narrow;
    bus.keeps_confirmations = true;
    send_round();
    ASSERT_TRUE(run_until([&] { return all_acknowledged() && !bus.kept.empty(); }));
    send_round();
    ASSERT_TRUE(run_until([&] { return all_acknowledged(); }));
    nodes["d1"]->dispatcher->let_go_of_all([&] { is_gone = true; });
    ASSERT_FALSE(is_gone);
  }

  test::NatsServer server;
  event::Loop loop;
  Records records;
  DispatcherOptions options;
  std::unique_ptr<Persist> persist = std::make_unique<Persist>(loop, server);
  std::unique_ptr<Edge> edge = std::make_unique<Edge>(loop, server);
  std::map<std::string, std::unique_ptr<Node>> nodes;
  std::size_t sent = 0;
  int rounds = 0;
};

TEST_F(DispatcherOnNats, AcknowledgesAndDeliversToBothUsers) {
  start("d1");
  own_all("d1");
  for (int i = 0; i < 10; ++i) send_round();
  check_logs();
  for (const auto& [id, acked] : edge->acked()) {
    for (const UserId& user : users_of(acked.conversation)) {
      EXPECT_EQ(edge->seen(user.str(), id), 1u);
    }
  }
}

TEST_F(DispatcherOnNats, AnotherOwnerGoesOnAfterAKill) {
  start("d1");
  own_all("d1");
  for (int i = 0; i < 5; ++i) send_round();
  ASSERT_TRUE(run_until([&] { return edge->acknowledged() > 20; }));
  for (int i = 0; i < 5; ++i) send_round();
  kill("d1");
  start("d2");
  for (int i = 0; i < 5; ++i) send_round();
  own_all("d2");
  check_logs();
  for (const auto& [id, acked] : edge->acked()) {
    for (const UserId& user : users_of(acked.conversation)) {
      EXPECT_GE(edge->seen(user.str(), id), 1u);
    }
  }
}

TEST_F(DispatcherOnNats, AKillAtAnyMomentLosesNothing) {
  start("d0");
  own_all("d0");
  SeededRandom random(11);
  for (int life = 1; life <= 8; ++life) {
    for (int i = 0; i < 5; ++i) send_round();
    run_for(std::chrono::milliseconds(random.below(60)));
    kill("d" + std::to_string(life - 1));
    const std::string next = "d" + std::to_string(life);
    start(next).own_all();
    run_for(std::chrono::milliseconds(random.below(60)));
  }
  check_logs();
}

TEST_F(DispatcherOnNats, AnOwnerThatIsReplacedWithoutKnowingCannotWrite) {
  start("d1");
  own_all("d1");
  send_round();
  ASSERT_TRUE(run_until([&] { return all_acknowledged(); }));
  // d2 takes over while d1 still serves and gets every frame, too.
  start("d2").own_all();
  for (int i = 0; i < 10; ++i) {
    send_round();
    run_for(5ms);
  }
  ASSERT_TRUE(run_until([&] { return nodes["d2"]->serves_all(); }));
  check_logs();
  EXPECT_EQ(nodes["d1"]->dispatcher->shards_owned(), 0u);
}

TEST_F(DispatcherOnNats, GivingAwayFinishesWhatIsOpenAndPublishesNothingTwice) {
  start("d1");
  own_all("d1");
  for (int i = 0; i < 5; ++i) send_round();
  ASSERT_TRUE(run_until([&] { return all_acknowledged(); }));
  send_round();
  bool is_gone = false;
  nodes["d1"]->dispatcher->let_go_of_all([&] { is_gone = true; });
  ASSERT_TRUE(run_until([&] { return is_gone; }));
  start("d2");
  own_all("d2");
  check_logs();
  for (const auto& [id, acked] : edge->acked()) {
    for (const UserId& user : users_of(acked.conversation)) {
      EXPECT_EQ(edge->seen(user.str(), id), 1u);
    }
  }
}

// A shard may go to somebody else while this process waits to hear how far it was published.
TEST_F(DispatcherOnNats, AStopDoesNotWaitForShardsThatAreLostMeanwhile) {
  bool is_gone = false;
  ASSERT_NO_FATAL_FAILURE(begin_stop(is_gone));
  for (std::uint16_t shard = 0; shard < kShards; ++shard) {
    nodes["d1"]->dispatcher->on_lost(ShardId(shard));
  }
  EXPECT_TRUE(is_gone);
}

// The bucket was wiped, or a late write landed: the leases take anew what is about to be given
// back.
TEST_F(DispatcherOnNats, AStopTakesNothingOverAnew) {
  bool is_gone = false;
  ASSERT_NO_FATAL_FAILURE(begin_stop(is_gone));
  nodes["d1"]->own_all();
  EXPECT_TRUE(is_gone);
  EXPECT_EQ(nodes["d1"]->dispatcher->shards_owned(), 0u);
}

TEST_F(DispatcherOnNats, AKilledBrokerIsSurvived) {
  start("d1");
  own_all("d1");
  for (int i = 0; i < 5; ++i) send_round();
  run_for(20ms);
  server.kill();
  run_for(300ms);
  for (int i = 0; i < 5; ++i) send_round();
  server.restart();
  ASSERT_TRUE(run_until([&] { return all_acknowledged(); }, 40s));
  check_logs();
}

// The broker stands still with an append under way, the owner dies, the broker goes on after the
// successor has begun: the append lands before the successor's fence or not at all.
TEST_F(DispatcherOnNats, AnAppendThatLandsLateIsFencedOrSeen) {
  SeededRandom random(5);
  start("d0");
  own_all("d0");
  for (int life = 1; life <= 20; ++life) {
    const std::string next = "d" + std::to_string(life);
    start(next);
    for (int i = 0; i < 10; ++i) send_round();
    run_for(std::chrono::microseconds(random.below(6000)));
    server.pause();
    run_for(20ms);
    kill("d" + std::to_string(life - 1));
    nodes[next]->own_all();
    run_for(std::chrono::milliseconds(random.below(30)));
    server.resume();
    ASSERT_TRUE(run_until([&] { return nodes[next]->serves_all() && all_acknowledged(); }));
  }
  check_logs();
}

TEST_F(DispatcherOnNats, AFullLogRefusesAndGoesOnAfterThePurge) {
  options.shard.log_bytes = kMinLogBytes;
  start("d1");
  own_all("d1");
  persist->is_paused = true;
  const std::string text(30'000, 'x');
  for (int i = 0; i < 100; ++i, ++sent) edge->send("user1", "user2", text);
  ASSERT_TRUE(run_until([&] { return edge->refused(ErrorCode::kLogFull) > 0; }));
  run_for(500ms);
  EXPECT_LT(edge->acknowledged(), 40u);
  EXPECT_TRUE(nodes["d1"]->serves_all()) << "a full log is no doubt";
  persist->is_paused = false;
  for (int i = 0; i < 300 && !all_acknowledged(); ++i) {
    for (std::uint16_t shard = 0; shard < kShards; ++shard) persist->purge(ShardId(shard));
    run_for(100ms);
  }
  EXPECT_TRUE(all_acknowledged());
}

TEST_F(DispatcherOnNats, LiveEventsThatFoundNoRoomAreFollowedByResync) {
  start("d1");
  own_all("d1");
  ASSERT_TRUE(run_until([&] {
    return records.published[ShardId(0)] > LogPosition() &&
           records.published[ShardId(1)] > LogPosition();
  }));
  const auto published_before = records.published;
  nodes["d1"]->narrow.is_full = true;
  send_round();
  ASSERT_TRUE(run_until([&] { return dropped("d1") >= 40; }));
  run_for(kPublishedPeriod * 2);
  EXPECT_EQ(records.published, published_before) << "a successor would have to publish these";
  EXPECT_EQ(edge->messages_seen_by("user1"), 0u);
  nodes["d1"]->narrow.is_full = false;
  EXPECT_TRUE(run_until([&] { return all_acknowledged() && all_seen_or_hinted(); }));
  EXPECT_FALSE(edge->were_all_hinted());
  EXPECT_TRUE(run_until([&] { return records.published != published_before; }));
}

TEST_F(DispatcherOnNats, WithTooManyLiveEventsLostEveryoneIsToldToSync) {
  options.shard.owed_resyncs = 3;
  start("d1");
  own_all("d1");
  nodes["d1"]->narrow.is_full = true;
  send_round();
  ASSERT_TRUE(run_until([&] { return dropped("d1") >= 40; }));
  nodes["d1"]->narrow.is_full = false;
  EXPECT_TRUE(run_until([&] { return all_acknowledged() && all_seen_or_hinted(); }));
  EXPECT_TRUE(edge->were_all_hinted());
}

TEST_F(DispatcherOnNats, WithoutPersistAShardWaitsAndThenServes) {
  persist.reset();
  start("d1").own_all();
  send_round();
  run_for(300ms);
  EXPECT_EQ(nodes["d1"]->dispatcher->shards_serving(), 0u);
  EXPECT_EQ(edge->acknowledged(), 0u);
  persist = std::make_unique<Persist>(loop, server);
  for (int i = 0; i < 20; ++i) persist->add_user("user" + std::to_string(i));
  check_logs();
}

}  // namespace
}  // namespace martlet::dispatcher::testing
