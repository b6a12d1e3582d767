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
           std::unique_ptr<Workload> workload)
    : loop_(loop),
      config_(std::move(config)),
      key_(key),
      users_(parts([this](Link& link, const wire::Frame& frame) {
               sender_.on_frame(link.number(), frame);
             }),
             config_.people.users),
      idle_(parts(nullptr), config_.idle),
      sender_(loop_, config_, users_, std::move(workload),
              [this](const std::string& what) { fail(what); }) {}

Crowd::Parts Load::parts(Crowd::OnFrame on_frame) {
  return {.loop = loop_,
          .config = config_,
          .key = key_,
          .on_lost = [this](const std::string& why) { fail(why); },
          .on_frame = std::move(on_frame)};
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
  if (command != "quit") return fail("no such command: " + command);
  users_.disconnect();
  idle_.disconnect();
  loop_.stop();
}

void Load::warm_up() {
  sender_.start();
  timer_ = std::make_unique<event::Timer>(loop_, [this] { begin_window(); });
  timer_->start_once(config_.warm_up);
}

void Load::begin_window() {
  window_begin_ = SystemClock().now();
  sender_.account().begin_window(window_begin_);
  say_status("measuring");
  // Inside the old timer's callback.
  loop_.defer_delete(
      std::exchange(timer_, std::make_unique<event::Timer>(loop_, [this] { end_window(); })));
  timer_->start_once(config_.seconds);
}

void Load::end_window() {
  const MonotonicTime now = SystemClock().now();
  sender_.account().end_window(now);
  sender_.stop();
  say_status("measured");
  seconds_ = std::chrono::duration<double>(now - window_begin_).count();
  drain_until_ = now + config_.drain;
  loop_.defer_delete(
      std::exchange(timer_, std::make_unique<event::Timer>(loop_, [this] { drain(); })));
  timer_->start_every(kDrainTick);
}

// What is under way arrives, or counts as lost.
void Load::drain() {
  if (!sender_.account().is_complete() && SystemClock().now() < drain_until_) return;
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

void Load::fail(const std::string& why) {
  if (std::exchange(failed_, true)) return;
  say({{"status", "failed"}, {"why", why}});
  loop_.stop();
}

}  // namespace martlet::bench
