#include "bench/load.h"

#include <cstdio>
#include <utility>

#include "bench/report.h"

namespace martlet::bench {
namespace {

constexpr Duration kDrainTick = std::chrono::milliseconds(20);
constexpr std::size_t kCommandsAtOnce = 100;

void say(nlohmann::ordered_json line) {
  std::printf("%s\n", line.dump().c_str());
  std::fflush(stdout);
}

void say_status(const char* status) {
  say({{"status", status}});
}

}  // namespace

Load::Load(event::Loop& loop, Config config, const auth::SigningKey& key,
           std::unique_ptr<Workload> workload, net::TlsClient* tls)
    : loop_(loop),
      config_(std::move(config)),
      key_(key),
      tls_(tls),
      users_(parts([this](Link& link, const wire::Frame& frame) {
               sender_.on_frame(link.number(), frame);
             }),
             config_.people.users),
      idle_(parts(nullptr), config_.idle),
      sender_(loop_, config_, users_, std::move(workload),
              [this](const std::string& what) { fail(what); }),
      visits_(parts(nullptr), config_.people.visitors,
              [this](std::size_t visitor, const wire::Message& message) {
                sender_.received(visitor, message);
              }) {}

Crowd::Parts Load::parts(Crowd::OnFrame on_frame) {
  return {.loop = loop_,
          .config = config_,
          .key = key_,
          .on_lost = [this](const std::string& why) { fail(why); },
          .on_frame = std::move(on_frame),
          .tls = tls_};
}

void Load::start() {
  commands_ = std::make_unique<tools::InputLines>(loop_, kCommandsAtOnce,
                                                  [this](const std::optional<std::string>& line) {
                                                    on_command(line.value_or("quit"));
                                                    commands_->give_credit();
                                                  });
  users_.connect([] { say_status("connected"); });
}

void Load::on_command(const std::string& command) {
  if (command == "idle") return idle_.connect([] { say_status("idle"); });
  if (command == "release") {
    idle_.disconnect();
    return say_status("released");
  }
  if (command == "load") return warm_up();
  if (command == "stop") return end_window();
  if (command == "visit") return visits_.come([this] { visited(); });
  if (command == "leave") {
    visits_.leave();
    return say_status("left");
  }
  if (command != "quit") return fail("no such command: " + command);
  users_.disconnect();
  idle_.disconnect();
  visits_.leave();
  loop_.stop();
}

// Often inside the callback of the one before.
void Load::set_timer(event::Task task) {
  loop_.defer_delete(std::exchange(timer_, std::make_unique<event::Timer>(loop_, std::move(task))));
}

void Load::warm_up() {
  sender_.start();
  set_timer([this] { begin_window(); });
  timer_->start_once(config_.warm_up);
}

void Load::begin_window() {
  window_begin_ = SystemClock().now();
  sender_.account().begin_window(window_begin_);
  say_status("measuring");
  if (config_.messages > 0) {
    set_timer([this] {
      if (sender_.account().size() == config_.messages) end_window();
    });
    return timer_->start_every(kDrainTick);
  }
  set_timer([this] { end_window(); });
  if (config_.seconds > Duration(0)) timer_->start_once(config_.seconds);
}

void Load::end_window() {
  const MonotonicTime now = SystemClock().now();
  sender_.account().end_window(now);
  sender_.stop();
  say_status("measured");
  seconds_ = std::chrono::duration<double>(now - window_begin_).count();
  drain_until_ = now + config_.drain;
  set_timer([this] { drain(); });
  timer_->start_every(kDrainTick);
}

// What is under way arrives, or counts as lost; what is for visitors waits for them.
void Load::drain() {
  const Account& account = sender_.account();
  const bool arrived =
      config_.people.visitors.empty() ? account.is_complete() : account.is_answered();
  if (!arrived && SystemClock().now() < drain_until_) return;
  timer_->cancel();
  finish();
}

void Load::finish() {
  nlohmann::ordered_json line = {{"status", "done"}};
  line.update(report(sender_.account(), seconds_));
  line["resyncs"] = sender_.resyncs();
  line["refused_without_time"] = sender_.refusals_without_time();
  line["first_refusal"] = sender_.first_refusal();
  say(std::move(line));
}

void Load::visited() {
  const Totals totals = sender_.account().totals();
  nlohmann::ordered_json line = {{"status", "visited"}};
  line.update(visits_.report());
  line["lost"] = totals.lost;
  line["doubled"] = totals.doubled;
  line["unordered"] = totals.unordered;
  say(std::move(line));
}

void Load::fail(const std::string& why) {
  if (std::exchange(failed_, true)) return;
  say({{"status", "failed"}, {"why", why}});
  loop_.stop();
}

}  // namespace martlet::bench
