#pragma once

#include <string>
#include <vector>

#include "sim/world.h"

namespace martlet::sim {

// Breaks things in a world, from its seed, and makes each well again after its time. Every kind has
// a name; what happened is counted in the world's coverage as "fault: <name>".
class Nemesis {
 public:
  explicit Nemesis(World& world) : world_(world) {}

  // Schedules some faults of this time; all are over at its end.
  void plan(Duration time);
  // For the trace: what was planned and when.
  static std::vector<std::string> names();

 private:
  struct Kind {
    const char* name;
    // How often it is chosen, against the others.
    std::uint64_t weight;
    // False: it could not be done now.
    bool (Nemesis::*strike)(Duration time);
    bool in_calm = false;  // breaks nothing that others need
  };
  static const std::vector<Kind>& kinds();

  void strike(Duration left);
  Slot* living(std::vector<Slot>& slots);
  Slot& any_service();
  LinkPtr any_link();
  Device* any_device();
  Duration some_time(Duration left, Duration most);
  bool kill(std::vector<Slot>& slots, Duration left);
  bool pause(std::vector<Slot>& slots, Duration left);
  bool stop(std::vector<Slot>& slots);
  void pause_lane(const LanePtr& lane, Duration time);
  bool hit_client(Sockets::Fault fault, Duration left);

  bool kill_edge(Duration left) { return kill(world_.edges(), left); }
  bool kill_dispatcher(Duration left) { return kill(world_.dispatchers(), left); }
  bool kill_persist(Duration left) { return kill(world_.persists(), left); }
  bool pause_edge(Duration left) { return pause(world_.edges(), left); }
  bool pause_dispatcher(Duration left) { return pause(world_.dispatchers(), left); }
  bool pause_persist(Duration left) { return pause(world_.persists(), left); }
  bool stop_edge(Duration) { return stop(world_.edges()); }
  bool stop_dispatcher(Duration) { return stop(world_.dispatchers()); }
  bool stop_persist(Duration) { return stop(world_.persists()); }
  bool add_edge(Duration left);
  bool kill_pair(Duration left);
  bool kill_client(Duration left);
  bool pause_client(Duration left);
  bool move_client(Duration left);
  bool reset_client(Duration left) { return hit_client(Sockets::Fault::kReset, left); }
  bool silence_client(Duration left) { return hit_client(Sockets::Fault::kSilence, left); }
  bool hold_client(Duration left) { return hit_client(Sockets::Fault::kStandStill, left); }
  bool kill_broker(Duration left);
  bool pause_broker(Duration left);
  bool cut_link(Duration left);
  bool drop_events(Duration left);
  bool lose_events(Duration left);
  bool lose_announcements(Duration left);
  bool lose_append_answers(Duration left);
  bool delay_appends(Duration left);
  bool refuse_appends(Duration left);
  bool elect(Duration left);
  bool late_ends(Duration left);
  bool both_win(Duration left);
  bool is_witness(const std::vector<Slot>& slots) const;
  bool hold_append(Duration left);
  bool cut_power(Duration left);
  void lose_power(Duration left);
  bool owners_know_the_ends();
  bool leave_edge_alone(Duration left);
  bool stop_database(Duration left);
  bool lose_commit_answers(Duration left);
  bool slow_database(Duration left);

  World& world_;
  bool power_goes_ = false;  // all servers lose power soon, or did
};

}  // namespace martlet::sim
