#include "service/lifecycle.h"

#include <utility>

#include "base/assert.h"
#include "base/log.h"

namespace martlet::service {

std::string_view state_name(Lifecycle::State state) {
  switch (state) {
    case Lifecycle::State::kNew:
      return "new";
    case Lifecycle::State::kStarting:
      return "starting";
    case Lifecycle::State::kServing:
      return "serving";
    case Lifecycle::State::kStopPhaseOne:
      return "stopping, phase one";
    case Lifecycle::State::kStopPhaseTwo:
      return "stopping, phase two";
    case Lifecycle::State::kStopped:
      return "stopped";
  }
  return "";
}

Lifecycle::Lifecycle(event::Loop& loop, Application& application, Duration stop_timeout,
                     Events events)
    : application_(application),
      stop_timeout_(stop_timeout),
      events_(std::move(events)),
      deadline_(loop, [this] {
        give_up("the stop took longer than its deadline, state: " +
                std::string(state_name(state_)));
      }) {}

void Lifecycle::start() {
  MARTLET_ASSERT(state_ == State::kNew);
  state_ = State::kStarting;
  application_.start([this](const Result<void>& result) { started(result); });
}

void Lifecycle::started(const Result<void>& result) {
  if (state_ != State::kStarting) return;  // a stop came first
  if (!result) {
    state_ = State::kStopped;
    events_.start_failed(result.error());
    return;
  }
  state_ = State::kServing;
  events_.serving();
}

void Lifecycle::stop(const std::string& why) {
  if (state_ == State::kStopped) return;
  const bool is_stopping = state_ == State::kStopPhaseOne || state_ == State::kStopPhaseTwo;
  if (!is_stopping) return begin_stop(why);
  if (!std::exchange(by_request_, false)) give_up("told to stop again: " + why);
}

void Lifecycle::stop_by_request(const std::string& why) {
  if (state_ != State::kServing) return;
  by_request_ = true;
  begin_stop(why);
}

void Lifecycle::begin_stop(const std::string& why) {
  MARTLET_LOG(info, "service_stopping why=\"{}\" state=\"{}\"", why, state_name(state_));
  deadline_.start_once(stop_timeout_);
  state_ = State::kStopPhaseOne;
  application_.stop_phase_one([this] { phase_two(); });
}

void Lifecycle::phase_two() {
  if (state_ != State::kStopPhaseOne) return;
  state_ = State::kStopPhaseTwo;
  application_.stop_phase_two([this] {
    if (state_ != State::kStopPhaseTwo) return;
    state_ = State::kStopped;
    deadline_.cancel();
    events_.stopped();
  });
}

void Lifecycle::give_up(std::string why) {
  state_ = State::kStopped;
  deadline_.cancel();
  events_.gave_up(std::move(why));
}

Result<void> Lifecycle::ready() const {
  if (state_ != State::kServing) {
    return fail(ErrorCode::kUnavailable, std::string(state_name(state_)));
  }
  return application_.ready();
}

}  // namespace martlet::service
