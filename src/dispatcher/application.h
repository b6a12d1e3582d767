#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "bus/bus.h"
#include "bus/cluster_check.h"
#include "bus/hops.h"
#include "bus/kv.h"
#include "bus/leases.h"
#include "bus/log.h"
#include "dispatcher/dispatcher.h"
#include "dispatcher/options.h"
#include "service/application.h"
#include "service/run.h"

namespace martlet::dispatcher {

// What main.cc chooses: the broker behind the interfaces.
struct Backends {
  std::unique_ptr<bus::Bus> bus;
  std::unique_ptr<bus::Log> log;
  std::unique_ptr<bus::Kv> kv;  // the bucket of the leases
  std::unique_ptr<bus::Leases> leases;
  std::string name;  // of this process in announcements
};

// The dispatcher inside the process shell. It serves once its leases run; owning no shard is fine.
// Loop thread.
class DispatcherApplication final : public service::Application {
 public:
  DispatcherApplication(service::Context& context, const DispatcherOptions& options,
                        Backends backends);

  void start(Started on_started) override;
  Result<void> ready() const override;
  void stop_phase_one(Done on_done) override;
  void stop_phase_two(Done on_done) override;

 private:
  const std::uint16_t shards_;
  const DispatcherOptions options_;
  Backends backends_;
  bus::ClusterCheck cluster_check_;
  DispatcherMetrics metrics_;
  bus::HopMetrics hop_metrics_;
  SystemClock system_clock_;  // the loop's stands still for a turn
  bus::HopRecorder hops_;
  Dispatcher dispatcher_;
  bool is_stopping_ = false;
};

}  // namespace martlet::dispatcher
