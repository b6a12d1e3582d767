#include "api/application.h"
#include "api/limits.h"
#include "api/options.h"
#include "bus/metrics.h"
#include "bus/nats_bus.h"
#include "lib/redis/client.h"
#include "registry/redis_sessions.h"
#include "service/run.h"

namespace martlet {
namespace {

// The directory together with its connection.
class Directory final : public registry::Sessions {
 public:
  Directory(event::Loop& loop, redis::ClientOptions options)
      : client_(loop, random_, std::move(options)), sessions_(loop, client_) {}

  void add(const registry::SessionRecord& record) override { sessions_.add(record); }
  void remove(const registry::SessionRecord& record) override { sessions_.remove(record); }
  void read(const UserId& user, Records callback) override {
    sessions_.read(user, std::move(callback));
  }
  std::uint64_t dropped() const override { return sessions_.dropped(); }

 private:
  SystemRandom random_;
  redis::Client client_;
  registry::RedisSessions sessions_;
};

using Created = Result<std::unique_ptr<service::Application>>;

Created create(service::Context& context, const api::ApiOptions& own) {
  const auto redis = redis::parse_url(own.redis_url);
  if (!redis) return fail(redis.error().code, "redis.url: " + redis.error().detail);
  bus::BusOptions options;
  options.url = context.common.nats_url;
  options.name = context.common.name;
  options.wait = context.common.nats_wait;
  auto bus = bus::connect(context.loop, options);
  if (!bus) return tl::unexpected(bus.error());
  bus::add_metrics(context.registry, bus->get());
  return std::make_unique<api::ApiApplication>(context, std::move(*bus),
                                               std::make_unique<Directory>(context.loop, *redis));
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
