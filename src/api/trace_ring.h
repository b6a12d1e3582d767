#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "api/limits.h"
#include "wire/trace.h"

namespace martlet::api {

// What processes told of messages that are followed: of the last ones, those that their senders
// wanted followed apart from those that are so by chance, so that chance does not push them out.
// Pure.
class TraceRing {
 public:
  struct Limits {
    std::size_t sampled = kMaxSampledTraces;
    std::size_t flagged = kMaxFlaggedTraces;
    std::size_t hops = kMaxTraceHops;  // of all of them
    std::size_t hops_each = kMaxHopsPerTrace;
  };
  struct Process {
    std::string service;
    std::string name;
    std::string instance;
    std::uint64_t dropped = 0;  // hops of it that nobody saw
  };
  struct Step {
    wire::HopKind kind = wire::HopKind::kEdgeIn;
    WallUs time_us = 0;
    std::uint64_t number = 0;
    ErrorCode error = ErrorCode::kNone;
    UserId user;
    std::shared_ptr<const Process> process;
  };
  struct Trace {
    UserId sender;
    ClientMsgId client_msg_id;
    ConversationId conversation;  // as its hops said; empty, zero: none did
    Seq seq;
    MessageId message_id;
    ShardId shard;
    bool flagged = false;
    std::vector<Step> steps;   // as they came
    std::size_t left_out = 0;  // beyond hops_each
  };

  explicit TraceRing(const Limits& limits) : limits_(limits) {}
  TraceRing() : TraceRing(Limits()) {}

  void add(const wire::HopReport& report);

  // Valid until the next add(). The newest first.
  std::vector<const Trace*> find(const wire::TraceQuestion& question) const;
  // Null: nobody told of it.
  const Trace* find(const wire::TraceRow& row) const;

  std::size_t size() const { return traces_.size(); }
  std::size_t hops() const { return hops_; }

 private:
  struct Key {
    UserId sender;
    ClientMsgId id;
    friend bool operator==(const Key&, const Key&) = default;
  };
  struct KeyHash {
    std::size_t operator()(const Key& key) const noexcept {
      return std::hash<ClientMsgId>()(key.id) ^ std::hash<UserId>()(key.sender);
    }
  };

  std::shared_ptr<const Process> process_of(const wire::HopReport& report);
  void add(const wire::Hop& hop, const std::shared_ptr<const Process>& process);
  void make_room();
  void forget_oldest(std::deque<Key>& order);

  const Limits limits_;
  std::unordered_map<Key, Trace, KeyHash> traces_;
  std::deque<Key> sampled_;  // in the order of their first hops
  std::deque<Key> flagged_;
  std::size_t hops_ = 0;
  std::map<std::string, std::weak_ptr<Process>> processes_;  // by instance
};

// In the order of their times; impossible_us: so much earlier than what must have happened before
// it, by other clocks. 0: possible.
struct TimedStep {
  const TraceRing::Step* step = nullptr;
  std::uint64_t impossible_us = 0;
};
std::vector<TimedStep> in_order(const std::vector<TraceRing::Step>& steps);

}  // namespace martlet::api
