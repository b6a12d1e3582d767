#pragma once

#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "bus/bus.h"
#include "edge/timer_wheel.h"
#include "model/ids.h"

namespace martlet::edge {

// How a user is addressed: makes what is published to a user arrive here while somebody is attached
// to them. Behind an interface, because a subject per user has a ceiling; hash buckets or a subject
// per edge could replace it. Loop thread.
class UserChannels {
 public:
  using Handler = std::function<void(const UserId&, BytesView to_user)>;
  using Ready = std::function<void(Result<void>)>;
  virtual ~UserChannels() = default;

  // Counted. ready: once, maybe at once, when the broker knows, or with an error; the attachment
  // holds in both cases until detach.
  virtual void attach(const UserId& user, Ready ready) = 0;
  virtual void detach(const UserId& user) = 0;
  // Somebody attached to the user missed what was published to them: makes sure of it anew. False:
  // it was done a moment ago.
  virtual bool renew(const UserId& user) = 0;
  // ToUser.
  virtual void publish(const UserId& user, BytesView to_user) = 0;
  virtual std::size_t size() const = 0;
};

// One subscription im.u.<uid> for each user with sessions. It ends some seconds after the last
// detach, since brokers of a cluster may take a quick end and begin in the wrong order, and people
// reconnect.
class SubjectPerUser final : public UserChannels {
 public:
  struct Options {
    Duration linger = std::chrono::seconds(10);
    Duration renew_every = std::chrono::seconds(10);  // a client can't have it more often
    Duration ready_timeout = std::chrono::seconds(5);
  };
  // All must outlive it; nothing is called after its end.
  SubjectPerUser(bus::Bus& bus, TimerWheel& wheel, const Clock& clock, Options options,
                 Handler handler);

  void attach(const UserId& user, Ready ready) override;
  void detach(const UserId& user) override;
  bool renew(const UserId& user) override;
  void publish(const UserId& user, BytesView to_user) override;
  std::size_t size() const override { return channels_.size(); }

 private:
  struct Channel {
    std::unique_ptr<bus::Subscription> subscription;
    std::unique_ptr<TimerWheel::Entry> linger;
    MonotonicTime subscribed_at;
    std::size_t attached = 0;
    bool known = false;  // the broker has confirmed it
  };
  struct Waiter {
    UserId user;
    Ready ready;
  };

  Channel& open(const UserId& user);
  void subscribe(const UserId& user, Channel& channel);
  void ask();
  void on_confirmed(std::vector<Waiter> waiters, const Result<void>& result);

  bus::Bus& bus_;
  TimerWheel& wheel_;
  const Clock& clock_;
  const Options options_;
  const Handler handler_;
  std::unordered_map<UserId, Channel> channels_;
  std::vector<Waiter> waiting_;
  bool asking_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace martlet::edge
