#pragma once

#include "sim/world.h"

namespace martlet::sim {

// What the users of a world do, from its seed: they write to each other and to groups, come and go
// in groups, read.
class Workload {
 public:
  explicit Workload(World& world) : world_(world) {}

  // Makes the groups.
  void begin();
  // Schedules everything until then.
  void plan(Duration time);

 private:
  Device* any_device();
  ConversationId any_conversation(const Device& device);
  void send_some(std::size_t count);
  void change_something();
  void write_meanwhile(const UserId& user, const GroupId& group);
  void read_something();

  World& world_;
  std::size_t texts_ = 0;
};

}  // namespace martlet::sim
