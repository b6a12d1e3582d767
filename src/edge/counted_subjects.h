#pragma once

#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "bus/bus.h"
#include "edge/timer_wheel.h"

namespace martlet::edge {

// Subscriptions that several want: each begins with the first who wants it and ends some seconds
// after the last, since brokers of a cluster may take a quick end and begin in the wrong order, and
// people reconnect. Loop thread.
class CountedSubjects {
 public:
  using Handler = std::function<void(BytesView payload)>;
  using Ready = std::function<void(Result<void>)>;
  struct Options {
    Duration linger = std::chrono::seconds(10);
    Duration renew_every = std::chrono::seconds(10);  // a client can't have it more often
    Duration ready_timeout = std::chrono::seconds(5);
  };
  // All must outlive it; nothing is called after its end.
  CountedSubjects(bus::Bus& bus, TimerWheel& wheel, const Clock& clock, Options options)
      : bus_(bus), wheel_(wheel), clock_(clock), options_(options) {}

  // The handler is that of the first.
  void attach(const std::string& subject, Handler handler);
  void detach(const std::string& subject);
  // Calls back once, maybe at once, when the broker knows the subscription, or with an error.
  void await(const std::string& subject, Ready ready);
  // False: it was done a moment ago.
  bool renew(const std::string& subject);
  std::size_t size() const { return channels_.size(); }

 private:
  struct Channel {
    Handler handler;
    std::unique_ptr<bus::Subscription> subscription;
    std::unique_ptr<TimerWheel::Entry> linger;
    MonotonicTime subscribed_at;
    std::size_t attached = 0;
    bool known = false;  // the broker has confirmed it
  };
  struct Waiter {
    std::string subject;
    Ready ready;
  };

  void subscribe(const std::string& subject, Channel& channel);
  void ask();
  void on_confirmed(std::vector<Waiter> waiters, const Result<void>& result);

  bus::Bus& bus_;
  TimerWheel& wheel_;
  const Clock& clock_;
  const Options options_;
  std::unordered_map<std::string, Channel> channels_;
  std::vector<Waiter> waiting_;
  bool asking_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace martlet::edge
