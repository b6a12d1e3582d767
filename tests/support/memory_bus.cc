#include "support/memory_bus.h"

#include <utility>

namespace martlet::test {

bool subject_matches(std::string_view pattern, std::string_view subject) {
  while (!pattern.empty()) {
    const std::size_t pattern_end = std::min(pattern.find('.'), pattern.size());
    const std::size_t subject_end = std::min(subject.find('.'), subject.size());
    const std::string_view token = pattern.substr(0, pattern_end);
    if (token == ">") return !subject.empty();
    if (subject.empty() || (token != "*" && token != subject.substr(0, subject_end))) return false;
    pattern.remove_prefix(std::min(pattern_end + 1, pattern.size()));
    subject.remove_prefix(std::min(subject_end + 1, subject.size()));
  }
  return subject.empty();
}

bool MemoryBroker::step() {
  if (queue_.empty()) return false;
  const auto task = std::move(queue_.front());
  queue_.pop_front();
  task();
  return true;
}

void MemoryBroker::run() {
  while (step()) {
  }
}

std::vector<MemoryBroker::Published> MemoryBroker::take_published() {
  return std::exchange(published_, {});
}

bool MemoryBroker::has_listener(const std::string& subject) const {
  for (const auto& listener : listeners_) {
    if (listener->owner->connected_ && subject_matches(listener->pattern, subject)) return true;
  }
  return false;
}

void MemoryBroker::deliver(const Published& message) {
  if (const auto found = requests_.find(message.subject); found != requests_.end()) {
    const auto callback = std::move(found->second.callback);
    requests_.erase(found);
    return callback(message.payload);
  }
  std::map<std::string, std::vector<std::shared_ptr<Listener>>> groups;
  std::vector<std::shared_ptr<Listener>> chosen;
  for (const auto& listener : listeners_) {
    if (!listener->owner->connected_ || !subject_matches(listener->pattern, message.subject)) {
      continue;
    }
    if (listener->queue_group.empty()) {
      chosen.push_back(listener);
    } else {
      groups[listener->queue_group].push_back(listener);
    }
  }
  for (const auto& [name, members] : groups) {
    chosen.push_back(members[turns_[name]++ % members.size()]);
  }
  for (const auto& listener : chosen) {
    if (!listener->ended) listener->handler({message.subject, message.reply, message.payload});
  }
}

void MemoryBroker::expire(MonotonicTime now) {
  now_ = now;
  for (auto it = requests_.begin(); it != requests_.end();) {
    if (it->second.deadline > now) {
      ++it;
      continue;
    }
    const auto callback = std::move(it->second.callback);
    it = requests_.erase(it);
    queue_.push_back([callback] { callback(fail(ErrorCode::kTimeout, "no answer")); });
  }
}

void MemoryBroker::fail_requests(MemoryBus& owner) {
  for (auto it = requests_.begin(); it != requests_.end();) {
    if (it->second.owner != &owner) {
      ++it;
      continue;
    }
    const auto callback = std::move(it->second.callback);
    it = requests_.erase(it);
    queue_.push_back([callback] { callback(fail(ErrorCode::kUnavailable, "link lost")); });
  }
}

namespace {

class MemorySubscription final : public bus::Subscription {
 public:
  explicit MemorySubscription(std::function<void()> end) : end_(std::move(end)) {}
  ~MemorySubscription() override { end_(); }

 private:
  std::function<void()> end_;
};

}  // namespace

MemoryBus::~MemoryBus() {
  for (auto& listener : broker_.listeners_) {
    if (listener->owner == this) listener->ended = true;
  }
  std::erase_if(broker_.listeners_, [this](const auto& one) { return one->owner == this; });
  std::erase_if(broker_.requests_, [this](const auto& one) { return one.second.owner == this; });
}

bus::SendResult MemoryBus::publish(std::string_view subject, BytesView payload) {
  if (!connected_) return bus::SendResult::kDropped;
  MemoryBroker::Published message{std::string(subject), {}, Bytes(payload)};
  if (!subject.starts_with("_INBOX.")) broker_.published_.push_back(message);
  broker_.queue_.push_back([&broker = broker_, message] { broker.deliver(message); });
  return bus::SendResult::kSent;
}

std::unique_ptr<bus::Subscription> MemoryBus::subscribe(std::string_view subject,
                                                        std::string_view queue_group, bus::Priority,
                                                        Handler handler) {
  auto listener = std::make_shared<MemoryBroker::Listener>(MemoryBroker::Listener{
      std::string(subject), std::string(queue_group), std::move(handler), this});
  broker_.listeners_.push_back(listener);
  return std::make_unique<MemorySubscription>([listener, alive = std::weak_ptr(alive_), this] {
    listener->ended = true;
    if (!alive.expired()) std::erase(broker_.listeners_, listener);
  });
}

void MemoryBus::request(std::string_view subject, BytesView payload, Duration timeout,
                        Reply callback) {
  MemoryBroker::Published message{std::string(subject),
                                  "_INBOX.memory." + std::to_string(++broker_.last_reply_),
                                  Bytes(payload)};
  if (!connected_ || !broker_.has_listener(message.subject)) {
    broker_.queue_.push_back([callback = std::move(callback)] {
      callback(fail(ErrorCode::kUnavailable, "nobody answers"));
    });
    return;
  }
  broker_.requests_.emplace(
      message.reply, MemoryBroker::Waiting{broker_.now_ + timeout, std::move(callback), this});
  broker_.published_.push_back(message);
  broker_.queue_.push_back([&broker = broker_, message] { broker.deliver(message); });
}

void MemoryBus::later(Done callback) {
  broker_.queue_.push_back([this, alive = std::weak_ptr(alive_), callback = std::move(callback)] {
    if (alive.expired()) return;
    if (connected_) {
      callback({});
    } else {
      callback(fail(ErrorCode::kUnavailable, "not connected"));
    }
  });
}

void MemoryBus::after_subscriptions(Duration, Done callback) {
  later(std::move(callback));
}

void MemoryBus::after_publishes(Duration, Done callback) {
  later(std::move(callback));
}

void MemoryBus::on_state(std::function<void(bus::BusState)> listener) {
  listener_ = std::move(listener);
}

void MemoryBus::disconnect() {
  if (!std::exchange(connected_, false)) return;
  broker_.fail_requests(*this);
  if (listener_) listener_(bus::BusState::kDisconnected);
}

void MemoryBus::reconnect() {
  if (std::exchange(connected_, true)) return;
  if (listener_) listener_(bus::BusState::kReconnected);
}

void MemoryBus::report_slow_consumer() {
  if (listener_) listener_(bus::BusState::kSlowConsumer);
}

}  // namespace martlet::test
