#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace martlet::nats {
class Message;
}

namespace martlet::bus {

// The questions that wait for an answer, each known by a number that is never used twice. No I/O;
// whoever owns it says when time has passed. A callback may ask again at once.
class Replies {
 public:
  // The message is valid during the call.
  using Callback = std::function<void(Result<const nats::Message*>)>;

  explicit Replies(std::size_t max_waiting) : max_waiting_(max_waiting) {}

  // The question's number; 0 if too many wait (the callback is not kept).
  std::uint64_t add(MonotonicTime deadline, Callback callback);
  // Takes back an add, without a call.
  void forget(std::uint64_t number);

  // An answer; one that came too late is dropped.
  void deliver(std::uint64_t number, const nats::Message& message);
  // Calls back with kTimeout whoever waited too long.
  void expire(MonotonicTime now);
  void fail_all(const Error& error);

  bool empty() const { return waiting_.empty(); }
  std::size_t size() const { return waiting_.size(); }

 private:
  struct Waiting {
    MonotonicTime deadline;
    Callback callback;
  };

  std::optional<Waiting> take(std::uint64_t number);

  const std::size_t max_waiting_;
  std::uint64_t last_number_ = 0;
  std::unordered_map<std::uint64_t, Waiting> waiting_;
  // Numbers by deadline, in steps of some milliseconds; those answered are left in.
  std::map<std::int64_t, std::vector<std::uint64_t>> by_deadline_;
};

}  // namespace martlet::bus
