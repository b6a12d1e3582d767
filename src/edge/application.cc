#include "edge/application.h"

#include <string_view>
#include <utility>

#include "base/log.h"
#include "edge/limits.h"

namespace martlet::edge {
namespace {

EdgeIdentity make_identity(const service::Context& context, const EdgeOptions& options,
                           const Clock& clock, Random& random) {
  return {.id = EdgeId::trusted(base::to_hex(random.bytes(8))),
          .name = context.common.name,
          .address = config::to_string(options.advertise),
          .http = context.http_address,
          .shards = context.common.shards,
          .started_ms = clock.wall_ms()};
}

EdgeLoad load_of(const service::LoopLoad& load) {
  return {
      load.cpu_permille,
      std::uint32_t(std::chrono::duration_cast<std::chrono::microseconds>(load.worst_lag).count())};
}

// A part of the stop that is longer than its share would be cut silently.
void warn_if_cut(std::string_view key, Duration wanted, int share, Duration stop_time) {
  const Duration most = stop_time * share / 100;
  if (wanted <= most) return;
  MARTLET_LOG(warn, "stop_too_short key={} ms={} used_ms={} stop_timeout_ms={}", key,
              to_ms<std::int64_t>(wanted), to_ms<std::int64_t>(most),
              to_ms<std::int64_t>(stop_time));
}

EdgeOptions timed(EdgeOptions options, Duration stop_time) {
  warn_if_cut("edge.drain_delay_ms", options.drain_delay, kStopDelayShare, stop_time);
  warn_if_cut("edge.drain_window_s", options.drain_window, kStopWindowShare, stop_time);
  options.stop_time = stop_time;
  return options;
}

}  // namespace

EdgeApplication::EdgeApplication(service::Context& context, EdgeOptions options,
                                 EdgeBackends backends)
    : clock_(context.loop),
      backends_(std::move(backends)),
      cluster_check_(context.loop, *backends_.cluster,
                     {options.nats_replicas, context.common.shards, context.common.nats_wait,
                      bus::ClusterKey::kOnlyRead}),
      metrics_(context.registry),
      identity_(make_identity(context, options, clock_, random_)),
      hop_metrics_(context.registry),
      hops_(context.loop, *backends_.bus, system_clock_, hop_metrics_,
            {"edge", context.common.name, identity_.id.str()}),
      edge_({.loop = context.loop,
             .clock = clock_,
             .random = random_,
             .bus = *backends_.bus,
             .registry = *backends_.sessions,
             .metrics = metrics_,
             .verify_token = backends_.verify_token,
             .identity = identity_,
             .options = timed(std::move(options), context.common.stop_timeout),
             .load = [take = context.take_load] { return load_of(take()); },
             .stop = context.stop,
             .tls = backends_.tls.get(),
             .hops = &hops_}) {
  if (backends_.tls) metrics_.certificate(backends_.tls->expires_s());
}

void EdgeApplication::start(Started on_started) {
  cluster_check_.start([this, on_started](const Result<void>& same) {
    if (!same) return on_started(same);
    edge_.start(on_started);
  });
}

// What is wrong now was right before, and stays in use.
void EdgeApplication::reload() {
  if (!backends_.tls) return;
  const Result<void> reloaded = backends_.tls->reload();
  metrics_.reloaded(reloaded.has_value());
  if (!reloaded) {
    MARTLET_LOG(error, "tls_not_reloaded why=\"edge.{}\"", reloaded.error().detail);
    return;
  }
  metrics_.certificate(backends_.tls->expires_s());
  MARTLET_LOG(info, "tls_reloaded expires_s={}", backends_.tls->expires_s());
}

Result<void> EdgeApplication::ready() const {
  if (edge_.is_draining()) return fail(ErrorCode::kShuttingDown, "draining");
  if (!backends_.bus->is_connected()) {
    return fail(ErrorCode::kUnavailable, "not connected to the broker");
  }
  return {};
}

std::string EdgeApplication::listen_address() const {
  return edge_.listen_address();
}

void EdgeApplication::stop_phase_one(Done on_done) {
  edge_.drain(std::move(on_done));
}

void EdgeApplication::stop_phase_two(Done on_done) {
  edge_.close_all(std::move(on_done));
}

}  // namespace martlet::edge
