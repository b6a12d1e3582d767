#include "dispatcher/application.h"

#include <utility>

namespace martlet::dispatcher {

DispatcherApplication::DispatcherApplication(service::Context& context,
                                             const DispatcherOptions& options, Backends backends)
    : shards_(context.common.shards),
      options_(options),
      backends_(std::move(backends)),
      cluster_check_(context.loop, *backends_.kv,
                     {options_.replicas, shards_, context.common.nats_wait}),
      metrics_(context.registry, shards_),
      hop_metrics_(context.registry),
      hops_(context.loop, *backends_.bus, system_clock_, hop_metrics_,
            {"dispatcher", context.common.name, backends_.name}),
      dispatcher_({context.loop, *backends_.bus, *backends_.log, *backends_.leases, options_,
                   shards_, backends_.name, metrics_, &hops_}) {}

void DispatcherApplication::start(Started on_started) {
  cluster_check_.start([this, on_started](const Result<void>& same) {
    if (is_stopping_) return;
    if (same) dispatcher_.start();
    on_started(same);
  });
}

Result<void> DispatcherApplication::ready() const {
  if (is_stopping_) return fail(ErrorCode::kShuttingDown, "stopping");
  if (!backends_.bus->is_connected()) return fail(ErrorCode::kUnavailable, "no broker");
  if (backends_.leases->renewal_age() > bus::kHeartbeatDead) {
    return fail(ErrorCode::kUnavailable, "leases are not renewed");
  }
  return {};
}

void DispatcherApplication::stop_phase_one(Done on_done) {
  is_stopping_ = true;
  dispatcher_.let_go_of_all(std::move(on_done));
}

void DispatcherApplication::stop_phase_two(Done on_done) {
  dispatcher_.stop(std::move(on_done));
}

}  // namespace martlet::dispatcher
