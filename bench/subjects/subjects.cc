#include "bench/subjects/subjects.h"

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <utility>

#include "bus/subjects.h"

namespace martlet::bench {
namespace {

constexpr std::size_t kSubjectsPerBus = 100'000;
constexpr std::size_t kSubscribedAtOnce = 1'000;
constexpr std::uint64_t kUnderWay = 20'000;  // far below what a bus queues for its loop
constexpr std::uint64_t kBurst = 100;
// A prime: neighbours in time are no neighbours in name, and each subject has its turn.
constexpr std::uint64_t kStride = 7'919;
constexpr std::size_t kPayloadBytes = 16;
constexpr Duration kPatience = std::chrono::seconds(60);
constexpr Duration kSettleTick = std::chrono::milliseconds(20);
constexpr Duration kSettleLimit = std::chrono::seconds(20);

void say(const char* status, nlohmann::ordered_json more = nlohmann::ordered_json::object()) {
  nlohmann::ordered_json line = {{"status", status}};
  line.update(more);
  std::printf("%s\n", line.dump().c_str());
  std::fflush(stdout);
}

double seconds_since(MonotonicTime begin) {
  return std::chrono::duration<double>(SystemClock().now() - begin).count();
}

std::string subject_of(std::size_t number) {
  return bus::subject::user(UserId::trusted("u" + std::to_string(number)));
}

}  // namespace

Subjects::Subjects(event::Loop& loop, SubjectsConfig config)
    : loop_(loop), config_(std::move(config)), heard_(config_.subjects) {}

void Subjects::start() {
  for (std::size_t first = 0; first < config_.subjects; first += kSubjectsPerBus) {
    auto bus = bus::connect(loop_, {.url = config_.url, .name = "bench subjects", .queue = {}});
    if (!bus) return fail(bus.error().detail);
    buses_.push_back(std::move(*bus));
    buses_.back()->on_state([this](bus::BusState state) { on_state(state); });
  }
  commands_ =
      std::make_unique<tools::InputLines>(loop_, 1, [this](const std::optional<std::string>& line) {
        on_command(line.value_or("quit"));
        commands_->give_credit();
      });
  say("connected");
}

void Subjects::on_command(const std::string& command) {
  since_ = SystemClock().now();
  if (command == "subscribe") return subscribe_some(0);
  if (command == "load") return load();
  if (command == "check") return check();
  if (command != "quit") return fail("no such command: " + command);
  loop_.stop();
}

void Subjects::on_state(bus::BusState state) {
  if (state == bus::BusState::kDisconnected) ++away_;
  if (state == bus::BusState::kReconnected && --away_ == 0) say("resubscribed");
}

// ---- subscribing

void Subjects::subscribe_some(std::size_t first) {
  const std::size_t end = std::min(first + kSubscribedAtOnce, config_.subjects);
  for (std::size_t number = first; number < end; ++number) {
    subscriptions_.push_back(buses_[number / kSubjectsPerBus]->subscribe(
        subject_of(number), {}, bus::Priority::kDroppable,
        [this, number](const bus::Incoming&) { on_message(number); }));
  }
  if (end == config_.subjects) return wait_subscribed();
  loop_.post([this, end] { subscribe_some(end); });
}

void Subjects::wait_subscribed() {
  const auto left = std::make_shared<std::size_t>(buses_.size());
  for (const auto& bus : buses_) {
    bus->after_subscriptions(kPatience, [this, left](const Result<void>& done) {
      if (!done) return fail(done.error().detail);
      if (--*left == 0) say("subscribed", {{"seconds", seconds_since(since_)}});
    });
  }
}

// ---- messages

void Subjects::load() {
  begin(UINT64_MAX);
  say("measuring");
  timer_ = std::make_unique<event::Timer>(loop_, [this] {
    limit_ = counts_.sent;
    const double seconds = seconds_since(since_);
    say("measured");
    const double rate = static_cast<double>(counts_.received) / seconds;
    when_settled([this, rate, seconds] {
      say("done", {{"received_per_s", rate},
                   {"seconds", seconds},
                   {"received", counts_.received},
                   {"lost", counts_.sent - counts_.received}});
    });
  });
  timer_->start_once(config_.seconds);
}

void Subjects::check() {
  begin(config_.subjects);
  when_settled([this] {
    const auto once = std::count(heard_.begin(), heard_.end(), 1U);
    say("checked", {{"heard_once", once}, {"seconds", seconds_since(since_)}});
  });
}

void Subjects::begin(std::uint64_t limit) {
  std::fill(heard_.begin(), heard_.end(), 0);
  counts_ = {};
  limit_ = limit;
  send(kUnderWay);
}

void Subjects::send(std::uint64_t count) {
  static const Bytes payload(kPayloadBytes, 'x');
  const std::uint64_t end = std::min(limit_, counts_.sent + count);
  for (; counts_.sent < end; ++counts_.sent, ++next_) {
    buses_[0]->publish(subject_of(next_ * kStride % config_.subjects), payload);
  }
}

void Subjects::on_message(std::size_t subject) {
  ++heard_[subject];
  if (++counts_.received % kBurst == 0) send(kBurst);
}

// Everything has arrived, or will not.
void Subjects::when_settled(std::function<void()> then) {
  const MonotonicTime until = SystemClock().now() + kSettleLimit;
  auto timer = std::make_unique<event::Timer>(loop_, [this, until, then = std::move(then)] {
    const bool is_complete = counts_.sent == limit_ && counts_.received == counts_.sent;
    if (!is_complete && SystemClock().now() < until) return;
    timer_->cancel();
    then();
  });
  timer->start_every(kSettleTick);
  // Perhaps inside the old timer's callback.
  if (timer_) loop_.defer_delete(std::move(timer_));
  timer_ = std::move(timer);
}

void Subjects::fail(const std::string& why) {
  if (std::exchange(failed_, true)) return;
  say("failed", {{"why", why}});
  loop_.stop();
}

}  // namespace martlet::bench
