#pragma once

#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bus/bus.h"

namespace martlet::test {

class MemoryBus;

// The broker of several MemoryBus in one thread. Nothing is delivered until step() or run():
// messages wait in one queue, in the order in which they were published. Deterministic.
class MemoryBroker {
 public:
  struct Published {
    std::string subject;
    std::string reply;
    Bytes payload;
  };

  // Delivers one message to everybody who listens (one of each queue group, in turn). False: none.
  bool step();
  // Until nothing waits.
  void run();
  std::size_t waiting() const { return queue_.size(); }

  // Everything that was published since the last call, answers and barriers left out.
  std::vector<Published> take_published();

  // Requests whose time has passed fail; who uses it keeps the clock.
  void expire(MonotonicTime now);
  MonotonicTime now() const { return now_; }

 private:
  friend class MemoryBus;
  struct Listener {
    std::string pattern;
    std::string queue_group;
    bus::Bus::Handler handler;
    MemoryBus* owner = nullptr;
    bool ended = false;
  };
  struct Waiting {
    MonotonicTime deadline;
    bus::Bus::Reply callback;
    MemoryBus* owner = nullptr;
  };

  void deliver(const Published& message);
  bool has_listener(const std::string& subject) const;
  void fail_requests(MemoryBus& owner);

  MonotonicTime now_{std::chrono::seconds(1000)};
  std::list<std::function<void()>> queue_;
  std::list<std::shared_ptr<Listener>> listeners_;
  std::map<std::string, Waiting> requests_;
  std::map<std::string, std::size_t> turns_;  // of queue groups
  std::vector<Published> published_;
  std::uint64_t last_reply_ = 0;
};

// One service's end. Bus rules: a request that nobody listens to fails with kUnavailable; while
// disconnected publishes are dropped and nothing is received.
class MemoryBus final : public bus::Bus {
 public:
  explicit MemoryBus(MemoryBroker& broker) : broker_(broker) {}
  ~MemoryBus() override;

  bus::SendResult publish(std::string_view subject, BytesView payload) override;
  std::unique_ptr<bus::Subscription> subscribe(std::string_view subject,
                                               std::string_view queue_group, bus::Priority priority,
                                               Handler handler) override;
  void request(std::string_view subject, BytesView payload, Duration timeout,
               Reply callback) override;
  void reply(std::string_view subject, BytesView payload) override { publish(subject, payload); }
  void after_subscriptions(Duration timeout, Done callback) override;
  void after_publishes(Duration timeout, Done callback) override;
  void on_state(std::function<void(bus::BusState)> listener) override;
  bool is_connected() const override { return connected_; }

  // The link breaks (what waits for an answer fails) and comes back.
  void disconnect();
  void reconnect();
  // As if this end had been too slow.
  void report_slow_consumer();

 private:
  friend class MemoryBroker;
  void later(Done callback);

  MemoryBroker& broker_;
  bool connected_ = true;
  std::function<void(bus::BusState)> listener_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

// NATS rules: "*" is one token, ">" all that follow.
bool subject_matches(std::string_view pattern, std::string_view subject);

}  // namespace martlet::test
