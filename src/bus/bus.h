#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"

namespace martlet::bus {

// What publish made of a message. Nothing on the bus is promised to arrive: who needs an answer
// waits for one with a deadline and repeats.
enum class SendResult {
  kSent,     // on its way, as far as we know
  kDropped,  // not connected, or our buffer to the broker is full
};

// Valid during the call only.
struct Incoming {
  std::string_view subject;
  std::string_view reply;  // empty: no answer is expected
  BytesView payload;
};

// Ends its subscription when destroyed (the interest at the broker ends a little later). Loop
// thread.
class Subscription {
 public:
  virtual ~Subscription() = default;
};

// What happens to the connection; subscribed by on_state.
enum class BusState {
  kDisconnected,  // publishes are dropped from now on
  kReconnected,   // all subscriptions are back; what was published meanwhile is lost
  kSlowConsumer,  // this client dropped messages that it did not take in time
};

// Which messages may be lost when we are too slow. Droppable ones have a smaller share of the queue
// between the library's threads and our loop; answers are bounded by credit and must fit.
enum class Priority { kDroppable, kAnswers };

// Core NATS as the services see it: publish, subscribe, request. Everything happens on one loop;
// all callbacks run there; nothing blocks.
class Bus {
 public:
  using Handler = std::function<void(const Incoming&)>;
  using Reply = std::function<void(Result<Bytes>)>;
  using Done = std::function<void(Result<void>)>;
  virtual ~Bus() = default;

  // Gathered and sent at the end of the loop's turn at the latest.
  virtual SendResult publish(std::string_view subject, BytesView payload) = 0;

  // queue_group empty: every subscriber gets every message.
  virtual std::unique_ptr<Subscription> subscribe(std::string_view subject,
                                                  std::string_view queue_group, Priority priority,
                                                  Handler handler) = 0;

  // Exactly one call of the callback: the answer; kTimeout; kUnavailable (nobody listens, or not
  // connected).
  virtual void request(std::string_view subject, BytesView payload, Duration timeout,
                       Reply callback) = 0;
  // Answers a request: subject is its `reply`.
  virtual void reply(std::string_view subject, BytesView payload) = 0;

  // Done when the broker has seen all subscriptions made before (PONG on their connection).
  virtual void after_subscriptions(Duration timeout, Done callback) = 0;
  // Done when the broker has handled all publishes made before.
  virtual void after_publishes(Duration timeout, Done callback) = 0;

  // At most one listener for the whole life of the bus.
  virtual void on_state(std::function<void(BusState)> listener) = 0;
  virtual bool is_connected() const = 0;
};

}  // namespace martlet::bus
