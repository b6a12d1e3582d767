#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string_view>
#include <vector>

#include "edge/context.h"
#include "edge/move_plan.h"

namespace martlet::edge {

// Sends sessions to other edges: all of them when this one stops, some when it has more than its
// share. Where they go is the api's knowledge, since no edge knows another; without an answer of
// the api they come back to the address that they used. Loop thread.
class Mover {
 public:
  // context outlives it.
  explicit Mover(EdgeContext& context);

  // Tells all sessions, those who still come as well, within the window.
  void drain(Duration window);
  // Of the edge; looks for whose turn it is, and whether the edge has too many.
  void tick(MonotonicTime now);

  // When a drain had told everybody; none: it has not.
  std::optional<MonotonicTime> told_all_at() const { return told_all_at_; }

 private:
  void ask(bool draining, std::function<void(std::vector<wire::Move>)> then);
  void begin(const std::vector<wire::Move>& moves, MovePlan::Who who, Duration window);
  void tell_due(MonotonicTime now);
  void tell_late_comers();
  void look_for_balance(MonotonicTime now);
  bool is_steady();
  bool was_in_vain();
  void tell(ClientLink& link, std::string_view to);

  EdgeContext& context_;
  MovePlan plan_;
  bool draining_ = false;
  bool asking_ = false;
  std::uint64_t questions_ = 0;
  MonotonicTime next_balance_;
  std::optional<std::size_t> counted_;  // sessions, kSteadyTime ago
  // Of the last rebalancing: how many there were and how many were sent away; and how often in a
  // row it did not help.
  std::size_t sessions_before_ = 0;
  std::size_t sent_away_ = 0;
  unsigned in_vain_ = 0;
  std::set<SessionId> told_;  // by the drain
  std::optional<MonotonicTime> told_all_at_;
  std::shared_ptr<int> alive_ = std::make_shared<int>(0);
};

}  // namespace martlet::edge
