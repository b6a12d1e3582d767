#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/token_bucket.h"
#include "edge/timer_wheel.h"
#include "model/ids.h"
#include "wire/commands.h"
#include "wire/envelopes.h"

namespace martlet::edge {

// One request of one session.
struct RequestKey {
  SessionId session;
  std::uint32_t request_id = 0;
  friend bool operator==(const RequestKey&, const RequestKey&) = default;
};

struct RequestKeyHash {
  std::size_t operator()(const RequestKey& key) const noexcept {
    return std::hash<SessionId>()(key.session) * 31 + key.request_id;
  }
};

// A frame for the owner of a shard, ready to be published as often as it takes.
struct OutgoingFrame {
  RequestKey key;
  ShardId shard;
  wire::Command command = wire::Command::None;
  ClientMsgId client_msg_id;  // zero: none
  std::string subject;
  Bytes payload;
  wire::Traced traced = wire::Traced::kNo;
};

struct UnansweredLimits {
  std::size_t max_frames_per_shard = 4096;
  std::size_t max_bytes_per_shard = 16 * 1024 * 1024;
  Duration first_repeat = std::chrono::seconds(1);  // then twice as long each time
  Duration timeout = std::chrono::seconds(12);
  Duration tick = std::chrono::milliseconds(100);
  // Repeats: a share of the traffic, and a trickle so that a lone message is repeated too.
  double repeat_share = 0.1;
  double repeats_per_second = 20;
  double repeat_burst = 200;
};

// What Unanswered does to the world.
class UnansweredPort {
 public:
  virtual ~UnansweredPort() = default;
  // times: so often before.
  virtual void publish(const OutgoingFrame& frame, std::uint32_t times) = 0;
  virtual void on_repeated(std::size_t frames) = 0;
  // The frame is forgotten; a late answer to it will find nothing.
  virtual void on_timed_out(const OutgoingFrame& frame) = 0;
  // A frame to the shard was settled and there is credit: one who waits may go on. Called from
  // inside settle() and others, so it should only take note.
  virtual void on_credit(ShardId shard) = 0;
};

// The frames that were published to owners of shards and are not answered: the edge's credit. Keeps
// each until its answer comes, publishes it again with backoff, and gives up after a time. Pure:
// advance() is its clock. One thread.
class Unanswered {
 public:
  Unanswered(MonotonicTime now, const UnansweredLimits& limits, UnansweredPort& port);

  // False: stop reading who wants to send to this shard, until on_credit.
  bool has_credit(ShardId shard) const;
  // Publishes it. The key must not be in use; credit was asked for before.
  void add(OutgoingFrame frame, MonotonicTime now);
  // The answer came: the frame is done. False if no such request waits, or it is about another
  // message.
  bool settle(const RequestKey& key, const ClientMsgId& id);
  // The session is gone: nobody wants the answer.
  void drop(const RequestKey& key);

  // A new owner: publishes all frames of its shard at once, in their original order.
  void republish(ShardId shard, MonotonicTime now);
  // The broker is back.
  void republish_all(MonotonicTime now);
  void advance(MonotonicTime now);

  // Nothing is published until release(): what is added or due meanwhile is published then, once.
  void hold() { is_held_ = true; }
  void release(MonotonicTime now);

  std::size_t size() const { return index_.size(); }
  std::size_t size_of(ShardId shard) const;
  std::size_t bytes() const;

 private:
  struct Waiting {
    OutgoingFrame frame;
    MonotonicTime give_up;
    Duration backoff;
    bool is_owed = false;  // was held back
    std::uint32_t times = 0;
    std::unique_ptr<TimerWheel::Entry> timer;
  };
  using Order = std::uint64_t;
  struct Shard {
    std::map<Order, Waiting> frames;  // in the order of arrival
    std::size_t bytes = 0;
  };
  struct Place {
    ShardId shard;
    Order order;
  };

  bool is_below_limit(const Shard& shard) const;
  void on_timer(ShardId shard, Order order);
  void publish(Waiting& waiting);
  OutgoingFrame remove(const RequestKey& key);

  const UnansweredLimits limits_;
  UnansweredPort& port_;
  TimerWheel wheel_;
  TokenBucket repeats_;
  MonotonicTime now_;
  Order last_order_ = 0;
  bool is_held_ = false;
  std::unordered_map<ShardId, Shard> shards_;
  std::unordered_map<RequestKey, Place, RequestKeyHash> index_;
  std::vector<RequestKey> expired_;
};

}  // namespace martlet::edge
