#include "auth/keys.h"
#include "auth/token.h"
#include "base/log.h"
#include "bus/check.h"
#include "bus/cluster_check.h"
#include "bus/hops.h"
#include "bus/metrics.h"
#include "bus/nats_bus.h"
#include "bus/nats_kv.h"
#include "bus/subjects.h"
#include "edge/application.h"
#include "edge/describe.h"
#include "edge/options.h"
#include "registry/check.h"
#include "registry/connect.h"
#include "service/check.h"
#include "service/run.h"
#include "status/reporting.h"

namespace {

using namespace martlet;

using Created = Result<std::unique_ptr<service::Application>>;

// The keys, looked at again every few seconds: they are few small files.
class WatchedKeys {
 public:
  WatchedKeys(martlet::event::Loop& loop, auth::KeyDirectory directory)
      : directory_(std::move(directory)), timer_(loop, [this] { look(); }) {
    timer_.start_every(edge::kKeyLookPeriod);
  }
  const auth::KeyRing& keys() const { return directory_.keys(); }

 private:
  void look() {
    const Result<bool> changed = directory_.look();
    const std::string problem = changed ? "" : changed.error().detail;
    if (changed && *changed) {
      MARTLET_LOG(info, "public_keys_changed keys={}", directory_.keys().names());
    } else if (!problem.empty() && problem != problem_) {
      MARTLET_LOG(warn, "public_keys_not_read why=\"{}\"", problem);
    }
    problem_ = problem;
  }

  auth::KeyDirectory directory_;
  std::string problem_;
  martlet::event::Timer timer_;
};

edge::VerifyToken token_verifier(std::shared_ptr<WatchedKeys> watched) {
  return [watched = std::move(watched)](std::string_view token,
                                        WallMs now) -> Result<edge::TokenClaims> {
    const auto claims = auth::verify_token(token, watched->keys(), {}, now);
    if (!claims) return tl::unexpected(claims.error());
    return edge::TokenClaims{claims->user, claims->device, claims->expires_s * 1000};
  };
}

bus::BusOptions broker(const service::CommonOptions& common) {
  return {.url = common.nats_url,
          .name = common.name,
          .wait = common.nats_wait,
          .client = bus::client_named(common.nats_client),
          .tls_ca = common.nats_tls_ca,
          .role = "edge"};
}

Created create(service::Context& context, const edge::EdgeOptions& options) {
  auto keys = auth::KeyDirectory::open(options.public_keys);
  if (!keys) return tl::unexpected(keys.error());
  auto tls = edge::open_tls(context.loop, options);
  if (!tls) return tl::unexpected(tls.error());
  auto sessions = registry::connect(context.loop, options.redis);
  if (!sessions) return tl::unexpected(sessions.error());

  auto bus = bus::connect(context.loop, broker(context.common));
  if (!bus) return tl::unexpected(bus.error());
  bus::add_metrics(context.registry, bus->get());
  bus::Bus& link = **bus;
  auto kv = std::make_unique<bus::NatsKv>(**bus, std::string(bus::kLeaseBucket));
  auto watched = std::make_shared<WatchedKeys>(context.loop, std::move(*keys));
  edge::EdgeBackends backends{.bus = std::move(*bus),
                              .cluster = std::move(kv),
                              .sessions = std::move(*sessions),
                              .verify_token = token_verifier(std::move(watched)),
                              .tls = std::move(*tls)};
  auto service = std::make_unique<edge::EdgeApplication>(context, options, std::move(backends));
  return std::make_unique<status::Reporting>(
      status::Reporting::Parts{context, "edge", link, std::move(service)});
}

// An error as a finding; what follows the code is for people.
template <class T>
Finding found(const std::string& check, const Result<T>& result, const char* fine) {
  if (result) return {check, Verdict::kOk, fine, ""};
  return {check, Verdict::kFail, result.error().detail, "Give the files that the key names."};
}

Findings check(const service::CommonOptions& common, const edge::EdgeOptions& options) {
  Findings findings = {
      found("keys", auth::KeyDirectory::open(options.public_keys), "the public keys are read")};
  if (!options.tls.key.empty()) {
    martlet::event::Loop loop;
    findings.push_back(found("tls", edge::open_tls(loop, options), "certificate and key fit"));
    findings.push_back(service::check_secret_file("secrets.edge.tls_key", options.tls.key));
  }
  bus::BrokerNeeds needs{
      .bus = broker(common),
      .shards = common.shards,
      .replicas = options.nats_replicas,
      .hears = {bus::subject::user(UserId::trusted("martlet-check")),
                bus::subject::group(GroupId::trusted("martlet-check")),
                bus::subject::edge(EdgeId::trusted("martlet-check")), bus::subject::all_owners()}};
  for (const Finding& one : bus::check_broker(needs)) findings.push_back(one);
  for (const Finding& one : registry::check(options.redis)) findings.push_back(one);
  return findings;
}

}  // namespace

int main(int argc, char** argv) {
  edge::EdgeOptions options;
  service::Definition definition;
  definition.name = "edge";
  definition.declare_keys = [&](config::Keys& keys) { edge::declare(keys, options); };
  definition.declare_metrics = [](metrics::Registry& registry) {
    const edge::EdgeMetrics metrics(registry);
    const bus::HopMetrics hops(registry);
    bus::add_metrics(registry, nullptr);
  };
  definition.create = [&](service::Context& context) { return create(context, options); };
  definition.limits = edge::limits();
  definition.check = [&](const service::CommonOptions& common) { return check(common, options); };
  return service::run(argc, argv, definition);
}
