#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "auth/keys.h"
#include "bus/kv_leases.h"
#include "bus/nats_bus.h"
#include "bus/nats_kv.h"
#include "bus/nats_log.h"
#include "database.h"
#include "metrics/registry.h"
#include "persist/persist.h"
#include "store/pg_store.h"
#include "support/nats_server.h"
#include "wire/answers.h"
#include "wire/envelopes.h"
#include "wire/rpc.h"

namespace martlet::persist {

using store::between;
using store::kShards;
using store::user;

// A broker and a database of its own, any number of persists, and a test that plays the edges and
// the dispatchers. Everything on one loop.
class PersistTest : public store::DatabaseTest {
 protected:
  struct Node {
    std::unique_ptr<metrics::Registry> registry = std::make_unique<metrics::Registry>();
    std::unique_ptr<Persist> persist;
  };
  // Keeps persist from storing what is in the shard's log, while it lives.
  class Blocked {
   public:
    Blocked(std::unique_ptr<pg::Connection> connection, ShardId shard)
        : connection_(std::move(connection)),
          tx_(std::make_unique<pg::Transaction>(*connection_, pg::Mode::kReadWrite)) {
      tx_->query("SET LOCAL idle_in_transaction_session_timeout = 0");
      tx_->query("SELECT * FROM shards WHERE shard = $1 FOR UPDATE",
                 pg::Params().number(shard.value()));
      EXPECT_TRUE(tx_->ok());
    }

   private:
    std::unique_ptr<pg::Connection> connection_;
    std::unique_ptr<pg::Transaction> tx_;
  };

  void SetUp() override;
  void TearDown() override;

  // A persist that serves. The others' shards may still move to it.
  Node& start_persist();
  // The only persist: it follows all shards.
  Node& start_following();
  void stop_persist(Node& node);
  // As kill -9: nothing is given back.
  void drop_persist(Node& node) { node.persist.reset(); }
  double metric(const Node& node, const std::string& line) const;

  // Kills the broker, and starts it again when everybody has noticed.
  // meanwhile: what happens to its disk.
  void restart_broker(const std::function<void()>& meanwhile = [] {});

  bool wait_for(const std::function<bool()>& condition);

  // Appends a batch to a shard's log, as its owner.
  void append(ShardId shard, std::vector<wire::Entry> entries);
  wire::Entry message(const ConversationId& conversation, std::string_view sender,
                      std::string text = "hello");
  void send(std::string_view from, std::string_view to, int count = 1);
  bus::LogInfo info(ShardId shard);
  // Every conversation's rows are 1 … n without a gap, and as many as were sent.
  void expect_all_stored();
  bool all_stored();

  wire::ClientAnswer ask(const std::string& subject, wire::Command command,
                         std::string_view as_user, const Bytes& body);
  wire::ClientAnswer read(wire::Command command, std::string_view as_user, const Bytes& body);
  wire::SyncPage synced(std::string_view as_user, BytesView token = {}, BytesView page = {});
  Bytes request(const std::string& subject, const Bytes& payload);

  event::Loop loop_;
  test::NatsServer server_;
  std::unique_ptr<bus::NatsBus> bus_;
  std::unique_ptr<bus::NatsLog> log_;
  PersistOptions options_;
  std::map<ShardId, Generation> generations_;  // of what append() writes; default 1
  std::map<ShardId, LogPosition> announced_;
  std::vector<std::unique_ptr<Node>> nodes_;

 private:
  std::unique_ptr<bus::NatsBus> connect_bus();

  SystemRandom random_;
  std::filesystem::path keys_;
  std::map<ShardId, std::uint64_t> last_sequence_;
  std::map<ShardId, store::TestLog> writers_;
  std::uint64_t sent_ = 0;
  std::unique_ptr<bus::Subscription> watermarks_;
  Bytes answer_;  // ClientAnswer points into it
};

}  // namespace martlet::persist
