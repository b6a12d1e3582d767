#include "api/application.h"
#include "api/limits.h"
#include "api/options.h"
#include "bus/nats_bus.h"
#include "service/run.h"

namespace {

using namespace martlet;

// Until there is a directory to read.
class NoSessions final : public registry::Sessions {
 public:
  void add(const registry::SessionRecord&) override {}
  void remove(const registry::SessionRecord&) override {}
  void read(const UserId&, Records callback) override {
    callback(fail(ErrorCode::kUnavailable, "no directory of sessions"));
  }
  std::uint64_t dropped() const override { return 0; }
};

using Created = Result<std::unique_ptr<service::Application>>;

Created create(service::Context& context) {
  bus::BusOptions options;
  options.url = context.common.nats_url;
  options.name = context.common.name;
  options.wait = context.common.nats_wait;
  auto bus = bus::connect(context.loop, options);
  if (!bus) return tl::unexpected(bus.error());
  return std::make_unique<api::ApiApplication>(context, std::move(*bus),
                                               std::make_unique<NoSessions>());
}

}  // namespace

int main(int argc, char** argv) {
  api::ApiOptions options;
  service::Definition definition;
  definition.name = "api";
  definition.declare_keys = [&](config::Keys& keys) { api::declare(keys, options); };
  definition.declare_metrics = [](metrics::Registry& registry) {
    const api::ApiMetrics metrics(registry);
  };
  definition.create = create;
  definition.limits = api::limits();
  return service::run(argc, argv, definition);
}
