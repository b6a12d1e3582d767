#pragma once

#include <memory>
#include <string>

#include "bus/bus.h"
#include "service/application.h"
#include "wire/status.h"

namespace martlet::status {

// How often a process says how it is.
inline constexpr Duration kReportPeriod = std::chrono::seconds(1);

// A service that says of itself on the broker, once a second, who it is, whether it is ready, and
// the metrics of report_metrics.h (docs/adr/0054-status.md). All else is the service's own. Loop
// thread.
class Reporting final : public service::Application {
 public:
  struct Parts {
    service::Context& context;
    std::string kind;
    // The service's; lives as long as the service.
    bus::Bus& bus;
    std::unique_ptr<service::Application> service;
  };
  explicit Reporting(Parts parts);

  void start(Started on_started) override;
  void reload() override { service_->reload(); }
  Result<void> ready() const override { return service_->ready(); }
  std::string listen_address() const override { return service_->listen_address(); }
  void stop_phase_one(Done on_done) override;
  void stop_phase_two(Done on_done) override;

 private:
  enum class Phase { kStarting, kServing, kStopping, kStopped };
  Result<void> is_well() const;
  void report();

  service::Context& context_;
  const std::string kind_;
  const std::string instance_;
  const WallMs started_ms_;
  bus::Bus& bus_;
  std::unique_ptr<service::Application> service_;
  Phase phase_ = Phase::kStarting;
  event::Timer timer_;
};

}  // namespace martlet::status
