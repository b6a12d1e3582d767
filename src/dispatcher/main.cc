#include "base/bytes.h"
#include "base/random.h"
#include "bus/check.h"
#include "bus/cluster_check.h"
#include "bus/hops.h"
#include "bus/kv_leases.h"
#include "bus/metrics.h"
#include "bus/nats_bus.h"
#include "bus/nats_kv.h"
#include "bus/nats_log.h"
#include "bus/subjects.h"
#include "dispatcher/application.h"
#include "dispatcher/describe.h"
#include "service/run.h"
#include "status/reporting.h"

namespace {

using namespace martlet;

using Created = Result<std::unique_ptr<service::Application>>;

// Fresh at every start, so that nobody takes this process for the one before; the name is for
// people.
std::string make_member(const std::string& name, Random& random) {
  const bool is_fit = is_valid_id(name) && name.size() + 9 <= kMaxIdBytes;
  return (is_fit ? name : "dispatcher") + "-" + base::to_hex(random.bytes(4));
}

bus::BusOptions broker(const service::CommonOptions& common) {
  return {.url = common.nats_url,
          .name = common.name,
          .wait = common.nats_wait,
          .client = bus::client_named(common.nats_client),
          .tls_ca = common.nats_tls_ca,
          .role = "dispatcher"};
}

Created create(service::Context& context, const dispatcher::DispatcherOptions& options,
               Random& random) {
  auto bus = bus::connect(context.loop, broker(context.common));
  if (!bus) return tl::unexpected(bus.error());
  bus::add_metrics(context.registry, bus->get());
  bus::Bus& link = **bus;
  const std::string member = make_member(context.common.name, random);
  auto kv = std::make_unique<bus::NatsKv>(**bus, std::string(bus::kLeaseBucket));
  auto log = std::make_unique<bus::NatsLog>(**bus);
  auto leases = std::make_unique<bus::KvLeases>(
      context.loop, *kv, random,
      bus::LeaseOptions{.kind = "dispatch", .member = member, .shards = context.common.shards});
  dispatcher::Backends backends{.bus = std::move(*bus),
                                .log = std::move(log),
                                .kv = std::move(kv),
                                .leases = std::move(leases),
                                .name = member};
  auto service =
      std::make_unique<dispatcher::DispatcherApplication>(context, options, std::move(backends));
  return std::make_unique<status::Reporting>(
      status::Reporting::Parts{context, "dispatcher", link, std::move(service)});
}

Findings check(const service::CommonOptions& common, const dispatcher::DispatcherOptions& options) {
  return bus::check_broker(
      {.bus = broker(common),
       .shards = common.shards,
       .replicas = options.replicas,
       .hears = {bus::subject::in_shard(ShardId(0)), bus::subject::all_watermarks(),
                 bus::subject::bucket(bus::kLeaseBucket) + ">"},
       .sees_streams = true,
       .logs = bus::LogOptions{options.shard.log_bytes, options.replicas}});
}

}  // namespace

int main(int argc, char** argv) {
  SystemRandom random;
  dispatcher::DispatcherOptions options;
  service::Definition definition;
  definition.name = "dispatcher";
  definition.declare_keys = [&](config::Keys& keys) { dispatcher::declare(keys, options); };
  definition.declare_metrics = [](metrics::Registry& registry) {
    const dispatcher::DispatcherMetrics metrics(registry);
    const bus::HopMetrics hops(registry);
    bus::add_metrics(registry, nullptr);
  };
  definition.create = [&](service::Context& context) { return create(context, options, random); };
  definition.limits = dispatcher::limits();
  definition.check = [&](const service::CommonOptions& common) { return check(common, options); };
  return service::run(argc, argv, definition);
}
