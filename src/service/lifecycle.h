#pragma once

#include <functional>
#include <string>

#include "event/loop.h"
#include "service/application.h"

namespace martlet::service {

// Takes an application through its life: starting, serving, two phases of stopping. Loop thread.
class Lifecycle {
 public:
  enum class State { kNew, kStarting, kServing, kStopPhaseOne, kStopPhaseTwo, kStopped };

  // How it tells the shell what happened; each at most once.
  struct Events {
    std::function<void()> serving;
    std::function<void(const Error&)> start_failed;
    std::function<void()> stopped;
    // The deadline passed or a second stop was asked for: give up now.
    std::function<void(std::string why)> gave_up;
  };

  Lifecycle(event::Loop& loop, Application& application, Duration stop_timeout, Events events);

  void start();
  // The first call begins the two phases, the second gives up. `why` is for the log.
  void stop(const std::string& why);
  // The application was told to stop by somebody else: begins the two phases, and nobody has asked
  // yet for more.
  void stop_by_request(const std::string& why);

  State state() const { return state_; }
  // For /readyz: the detail says why not.
  Result<void> ready() const;

 private:
  void begin_stop(const std::string& why);
  void started(const Result<void>& result);
  void phase_two();
  void give_up(std::string why);

  Application& application_;
  Duration stop_timeout_;
  Events events_;
  event::Timer deadline_;
  State state_ = State::kNew;
  bool by_request_ = false;
};

std::string_view state_name(Lifecycle::State state);

}  // namespace martlet::service
