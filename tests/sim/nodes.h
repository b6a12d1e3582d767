#pragma once

#include <functional>
#include <memory>
#include <string>

#include "bus/kv_leases.h"
#include "dispatcher/dispatcher.h"
#include "edge/edge.h"
#include "persist/persist.h"
#include "sim/broker.h"
#include "sim/database.h"
#include "sim/jetstream.h"

namespace martlet::sim {

// What processes of the world talk to.
struct Backbone {
  Broker& broker;
  JetStream& jetstream;
  Database& database;
  const auth::SigningKey& key;  // no token is signed in a simulation
};

// What the options of all processes of a world have in common.
struct WorldOptions {
  std::uint16_t shards = 2;
  Duration tail_check = std::chrono::seconds(15);
  Duration linger = std::chrono::seconds(3);
  Duration keep = std::chrono::seconds(3);  // of what is stored in the logs
  std::size_t page_conversations = 0;       // of a SYNC; 0: as the product has it
  std::size_t credit = 4096;                // unanswered frames of an edge, a shard
  dispatcher::ShardLimits shard;
};

// A simulated process. Destroying it is its death: nothing of it runs or is sent any more.
class Node {
 public:
  Node(std::string name, const Backbone& backbone);
  virtual ~Node() = default;
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  virtual void start() = 0;
  // Called if the start did not work: a process would end with an error.
  std::function<void()> on_failed;
  // Orderly; calls back when the process would end.
  virtual void stop(std::function<void()> done) = 0;

  const LanePtr& lane() const { return lane_; }
  const LinkPtr& link() const { return link_; }
  metrics::Registry& registry() { return registry_; }

 protected:
  // Of every destructor of a derived class, first.
  void die();

  const Backbone backbone_;
  LanePtr lane_;
  LinkPtr link_;
  metrics::Registry registry_;
};

// Listens on a port of its own.
class EdgeNode final : public Node {
 public:
  EdgeNode(std::string name, const Backbone& backbone, const WorldOptions& options,
           std::uint16_t port);
  ~EdgeNode() override;
  void start() override;
  void stop(std::function<void()> done) override;

 private:
  struct Process;
  std::unique_ptr<Process> process_;
};

class DispatcherNode final : public Node {
 public:
  DispatcherNode(std::string name, const Backbone& backbone, const WorldOptions& options);
  ~DispatcherNode() override;
  void start() override;
  void stop(std::function<void()> done) override;

 private:
  struct Process;
  std::unique_ptr<Process> process_;
};

class PersistNode final : public Node {
 public:
  PersistNode(std::string name, const Backbone& backbone, const WorldOptions& options);
  ~PersistNode() override;
  void start() override;
  void stop(std::function<void()> done) override;

 private:
  struct Process;
  std::unique_ptr<Process> process_;
};

// The access tokens of a world.
std::string token_of(const UserId& user, const DeviceId& device);
// One with another's signature.
std::string forged_token_of(const UserId& user, const DeviceId& device);

}  // namespace martlet::sim
