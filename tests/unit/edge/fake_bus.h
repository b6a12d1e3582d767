#pragma once

#include <algorithm>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "bus/bus.h"
#include "wire/rpc.h"

namespace martlet::edge {

// A broker in memory that the test holds in its hands: records what is published and asked, gives
// the answers that the test tells it to.
class FakeBus final : public bus::Bus {
 public:
  struct Published {
    std::string subject;
    Bytes payload;
  };
  struct Asked {
    std::string subject;
    Bytes payload;
    Reply callback;
  };

  bus::SendResult publish(std::string_view subject, BytesView payload) override {
    published.push_back({std::string(subject), Bytes(payload)});
    return bus::SendResult::kSent;
  }
  std::unique_ptr<bus::Subscription> subscribe(std::string_view subject, std::string_view,
                                               bus::Priority, Handler handler) override {
    auto entry = std::make_shared<Entry>(Entry{std::string(subject), std::move(handler)});
    entries_.push_back(entry);
    return std::make_unique<Held>(entry);
  }
  void request(std::string_view subject, BytesView payload, Duration, Reply callback) override {
    if (answers.contains(std::string(subject))) return callback(answers.at(std::string(subject)));
    const auto question = wire::parse_client_request(payload);
    const bool checks_device = question && question->command == wire::Command::Auth;
    if (checks_device && !hold_device_checks) {
      return callback(wire::encode(wire::ClientAnswer{.command = wire::Command::Auth}));
    }
    asked.push_back({std::string(subject), Bytes(payload), std::move(callback)});
  }
  void reply(std::string_view, BytesView) override {}
  void after_subscriptions(Duration, Done callback) override {
    if (hold_pongs) {
      pongs.push_back(std::move(callback));
    } else {
      callback({});
    }
  }
  void after_publishes(Duration, Done callback) override { callback({}); }
  void on_state(std::function<void(bus::BusState)> listener) override {
    state = std::move(listener);
  }
  bool is_connected() const override { return true; }

  // As if somebody had published it. How many subscriptions got it.
  std::size_t deliver(std::string_view subject, BytesView payload) {
    std::size_t count = 0;
    const auto entries = entries_;
    for (const auto& weak : entries) {
      const auto entry = weak.lock();
      if (!entry || !matches(entry->subject, subject)) continue;
      entry->handler({subject, {}, payload});
      ++count;
    }
    return count;
  }
  bool has_subscription(std::string_view subject) const {
    return std::any_of(entries_.begin(), entries_.end(), [&](const auto& weak) {
      const auto entry = weak.lock();
      return entry && entry->subject == subject;
    });
  }
  std::vector<Published> take(std::string_view prefix) {
    std::vector<Published> taken;
    std::erase_if(published, [&](Published& one) {
      if (!one.subject.starts_with(prefix)) return false;
      taken.push_back(std::move(one));
      return true;
    });
    return taken;
  }

  std::vector<Published> published;
  std::deque<Asked> asked;
  bool hold_device_checks = false;       // else no device was signed out
  std::map<std::string, Bytes> answers;  // requests that are answered at once, by subject
  std::function<void(bus::BusState)> state;
  bool hold_pongs = false;
  std::vector<Done> pongs;

 private:
  struct Entry {
    std::string subject;
    Handler handler;
  };
  struct Held final : bus::Subscription {
    explicit Held(std::shared_ptr<Entry> e) : entry(std::move(e)) {}
    std::shared_ptr<Entry> entry;
  };
  static bool matches(std::string_view pattern, std::string_view subject) {
    if (!pattern.ends_with("*")) return pattern == subject;
    pattern.remove_suffix(1);
    return subject.starts_with(pattern);
  }

  std::vector<std::weak_ptr<Entry>> entries_;
};

}  // namespace martlet::edge
