#include "api/application.h"
#include "api/describe.h"
#include "api/options.h"
#include "bus/metrics.h"
#include "bus/nats_bus.h"
#include "registry/connect.h"
#include "service/run.h"

namespace martlet {
namespace {

using Created = Result<std::unique_ptr<service::Application>>;

Created create(service::Context& context, const api::ApiOptions& own) {
  auto sessions = registry::connect(context.loop, own.redis_url);
  if (!sessions) return tl::unexpected(sessions.error());
  const service::CommonOptions& common = context.common;
  auto bus = bus::connect(context.loop, {.url = common.nats_url,
                                         .name = common.name,
                                         .wait = common.nats_wait,
                                         .client = bus::client_named(common.nats_client)});
  if (!bus) return tl::unexpected(bus.error());
  bus::add_metrics(context.registry, bus->get());
  return std::make_unique<api::ApiApplication>(context, std::move(*bus), std::move(*sessions), own);
}

int serve(int argc, char** argv) {
  api::ApiOptions options;
  service::Definition definition;
  definition.name = "api";
  definition.declare_keys = [&](config::Keys& keys) { api::declare(keys, options); };
  definition.declare_metrics = [](metrics::Registry& registry) {
    const api::ApiMetrics metrics(registry);
    bus::add_metrics(registry, nullptr);
  };
  definition.create = [&](service::Context& context) { return create(context, options); };
  definition.limits = api::limits();
  return service::run(argc, argv, definition);
}

}  // namespace
}  // namespace martlet

int main(int argc, char** argv) {
  return martlet::serve(argc, argv);
}
