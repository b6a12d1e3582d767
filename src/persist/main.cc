#include "bus/check.h"
#include "bus/cluster_check.h"
#include "bus/kv_leases.h"
#include "bus/metrics.h"
#include "bus/nats_bus.h"
#include "bus/nats_kv.h"
#include "bus/nats_log.h"
#include "bus/subjects.h"
#include "persist/describe.h"
#include "persist/options.h"
#include "persist/persist.h"
#include "service/check.h"
#include "service/run.h"
#include "status/reporting.h"
#include "store/check.h"
#include "store/pg_store.h"

namespace {

using namespace martlet;

using Created = Result<std::unique_ptr<service::Application>>;

constexpr std::size_t kMemberBytes = 8;

store::PgStoreOptions store_options(const service::CommonOptions& common,
                                    const persist::PersistOptions& options) {
  store::PgStoreOptions store;
  store.url = options.postgres_url;
  store.owner_url = options.postgres_owner_url;
  store.application_name = "martlet-" + common.name;
  store.shards = common.shards;
  store.writers = options.writers;
  store.readers = options.readers;
  store.lookups = persist::kMaxColdQueries;
  store.max_queue = persist::kDatabaseQueue;
  return store;
}

bus::BusOptions broker(const service::CommonOptions& common) {
  return {.url = common.nats_url,
          .name = common.name,
          .wait = common.nats_wait,
          .client = bus::client_named(common.nats_client),
          .tls_ca = common.nats_tls_ca,
          .role = "persist"};
}

Created create(service::Context& context, persist::PersistOptions options, Random& random) {
  options.nats_wait = context.common.nats_wait;
  auto key = auth::SigningKey::load(options.signing_key);
  if (!key) return tl::unexpected(key.error());
  auto identity = auth::IdentityProvider::open(options.identity);
  if (!identity) return tl::unexpected(identity.error());
  const store::PgStoreOptions database = store_options(context.common, options);
  if (auto opened = store::open_store(database, options.postgres_wait, SystemClock()); !opened)
    return tl::unexpected(opened.error());

  auto bus = bus::connect(context.loop, broker(context.common));
  if (!bus) return tl::unexpected(bus.error());
  bus::add_metrics(context.registry, bus->get());
  bus::Bus& link = **bus;

  persist::Backends backends;
  auto kv = std::make_unique<bus::NatsKv>(**bus, std::string(bus::kLeaseBucket));
  // A name of its own for each start: what a dead one left behind must run out.
  const bus::LeaseOptions leases{"persist", base::to_hex(random.bytes(kMemberBytes)),
                                 context.common.shards};
  backends.log = std::make_unique<bus::NatsLog>(**bus);
  backends.leases = std::make_unique<bus::KvLeases>(context.loop, *kv, random, leases);
  backends.cluster = std::move(kv);
  backends.bus = std::move(*bus);
  backends.store = std::make_unique<store::PgStore>(context.loop, database);
  backends.identity = std::move(*identity);
  backends.key = std::make_unique<auth::SigningKey>(std::move(*key));
  auto service = std::make_unique<persist::Persist>(context.loop, context.registry, options,
                                                    context.common.shards, std::move(backends));
  return std::make_unique<status::Reporting>(
      status::Reporting::Parts{context, "persist", link, std::move(service)});
}

Findings check(const service::CommonOptions& common, const persist::PersistOptions& options) {
  Findings findings = {service::check_secret_file("secrets.auth.signing_key", options.signing_key)};
  const auto key = auth::SigningKey::load(options.signing_key);
  findings.push_back(key ? Finding{"keys", Verdict::kOk, "the signing key is read", ""}
                         : Finding{"keys", Verdict::kFail, key.error().detail,
                                   "Make one with martlet-persist --init-keys."});
  if (const auto identity = auth::IdentityProvider::open(options.identity); !identity) {
    findings.push_back({"identity", Verdict::kFail, identity.error().detail,
                        "Repair the keys of identity.*, or leave them out."});
  }
  if (!options.identity.secret.empty()) {
    findings.push_back(
        service::check_secret_file("secrets.identity.secret", options.identity.secret));
  }
  const bus::BrokerNeeds needs{
      .bus = broker(common),
      .shards = common.shards,
      .replicas = options.replicas,
      .hears = {bus::subject::all_watermarks(), bus::subject::bucket(bus::kLeaseBucket) + ">"},
      .sees_streams = true,
      .logs = std::nullopt};
  for (const Finding& one : bus::check_broker(needs)) findings.push_back(one);
  for (const Finding& one : store::check(store_options(common, options))) findings.push_back(one);
  return findings;
}

}  // namespace

int main(int argc, char** argv) {
  persist::PersistOptions options;
  SystemRandom random;
  service::Definition definition;
  definition.name = "persist";
  definition.declare_keys = [&](config::Keys& keys) { persist::declare(keys, options); };
  definition.declare_metrics = [](metrics::Registry& registry) {
    const persist::PersistMetrics metrics(registry);
    bus::add_metrics(registry, nullptr);
  };
  definition.create = [&](service::Context& context) { return create(context, options, random); };
  definition.limits = persist::limits();
  definition.check = [&](const service::CommonOptions& common) { return check(common, options); };
  definition.commands = {
      {"init-keys", "DIR", "make the key pair k1 below DIR if there is none, and end",
       [](const std::string& directory) { return auth::generate_key_pair(directory, "k1"); }}};
  return service::run(argc, argv, definition);
}
