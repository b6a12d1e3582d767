#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "sim/broker.h"
#include "sim/checker.h"
#include "sim/coverage.h"
#include "sim/database.h"
#include "sim/device.h"
#include "sim/jetstream.h"
#include "sim/nodes.h"
#include "sim/sockets.h"

namespace martlet::sim {

// A place for a process of a kind: what is killed or stopped there is started again.
struct Slot {
  std::string name;
  std::function<std::unique_ptr<Node>(const std::string& name)> make;
  std::unique_ptr<Node> node;  // null: away
  std::size_t starts = 0;
};

// A cluster with its users, in virtual time. Built from a seed; the same seed is the same world.
class World {
 public:
  explicit World(std::uint64_t seed);
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  // Starts everything and waits until all devices are online.
  void begin();
  // After the faults: waits until nothing is open and everybody has everything, or until the time
  // is over in which that was promised. Then checks.
  std::vector<Finding> finish();

  // ---- processes
  void start(Slot& slot);
  void kill(Slot& slot);
  // Orderly, within the time that a process has for it.
  void stop(Slot& slot);
  void start_later(Slot& slot, Duration delay);
  std::vector<Slot>& edges() { return edges_; }
  std::vector<Slot>& dispatchers() { return dispatchers_; }
  std::vector<Slot>& persists() { return persists_; }
  // One more edge, which clients learn of by its address.
  void add_edge();

  // ---- users
  std::vector<std::unique_ptr<Device>>& devices() { return devices_; }
  const std::vector<UserId>& users() const { return users_; }
  const std::vector<GroupId>& groups() const { return groups_; }

  Scheduler& scheduler() { return scheduler_; }
  Broker& broker() { return *broker_; }
  JetStream& jetstream() { return jetstream_; }
  Database& database() { return database_; }
  Coverage& coverage() { return scheduler_.coverage(); }
  History& history() { return history_; }
  const WorldOptions& options() const { return options_; }

 private:
  void add_slots();
  void add_devices();
  void add_intruder();
  client::AddressList addresses();
  bool all_online() const;
  bool at_rest();
  std::string who_waits_for_stored() const;
  std::string wait_for_stored();
  std::vector<Finding> judge();
  void collect_store();
  void read_history();
  void count_clients();
  std::string who_is_busy();

  Scheduler scheduler_;
  WorldOptions options_;
  Sockets sockets_;
  std::unique_ptr<Broker> broker_;
  JetStream jetstream_;
  Database database_;
  History history_;
  std::vector<Slot> edges_;
  std::vector<Slot> dispatchers_;
  std::vector<Slot> persists_;
  std::vector<UserId> users_;
  std::vector<GroupId> groups_;
  std::vector<std::unique_ptr<Device>> devices_;
  std::unique_ptr<Device> intruder_;
};

}  // namespace martlet::sim
