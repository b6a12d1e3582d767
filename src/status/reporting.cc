#include "status/reporting.h"

#include <utility>

#include "base/bytes.h"
#include "base/random.h"
#include "bus/subjects.h"
#include "service/version.h"
#include "status/report_metrics.h"
#include "wire/frame.h"

namespace martlet::status {
namespace {

constexpr std::size_t kInstanceBytes = 8;

}  // namespace

Reporting::Reporting(Parts parts)
    : context_(parts.context),
      kind_(std::move(parts.kind)),
      instance_(base::to_hex(SystemRandom().bytes(kInstanceBytes))),
      started_ms_(context_.loop.wall_ms()),
      bus_(parts.bus),
      service_(std::move(parts.service)),
      timer_(context_.loop, [this] { report(); }) {}

// It reports from the beginning: one that does not get ready is to be seen.
void Reporting::start(Started on_started) {
  timer_.start_every(kReportPeriod);
  report();
  service_->start([this, on_started = std::move(on_started)](const Result<void>& started) {
    if (started && phase_ == Phase::kStarting) phase_ = Phase::kServing;
    on_started(started);
  });
}

void Reporting::stop_phase_one(Done on_done) {
  phase_ = Phase::kStopping;
  service_->stop_phase_one(std::move(on_done));
}

void Reporting::stop_phase_two(Done on_done) {
  phase_ = Phase::kStopped;
  timer_.cancel();
  report();
  service_->stop_phase_two(std::move(on_done));
}

Result<void> Reporting::is_well() const {
  switch (phase_) {
    case Phase::kStarting:
      return fail(ErrorCode::kUnavailable, "starting");
    case Phase::kServing:
      return service_->ready();
    case Phase::kStopping:
    case Phase::kStopped:
      break;
  }
  return fail(ErrorCode::kShuttingDown, "stopping");
}

void Reporting::report() {
  const Result<void> well = is_well();
  wire::ServiceStatus status;
  status.kind = kind_;
  status.name = context_.common.name;
  status.instance = instance_;
  status.version = service::version();
  status.protocol = wire::kProtocolVersion;
  status.shards = context_.common.shards;
  status.started_ms = started_ms_;
  status.now_ms = context_.loop.wall_ms();
  status.ready = well.has_value();
  if (!well) status.why = well.error().detail;
  status.stopped = phase_ == Phase::kStopped;
  status.values = read_metrics(context_.registry);
  // Lost while the broker is away: the next one says the same.
  bus_.publish(bus::subject::status(kind_), wire::encode(status));
}

}  // namespace martlet::status
