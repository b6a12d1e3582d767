#include <cstdio>
#include <optional>

#include "api/application.h"
#include "api/describe.h"
#include "api/options.h"
#include "auth/api_tokens.h"
#include "bus/check.h"
#include "bus/metrics.h"
#include "bus/nats_bus.h"
#include "bus/subjects.h"
#include "registry/check.h"
#include "registry/connect.h"
#include "service/run.h"
#include "status/reporting.h"

namespace martlet {
namespace {

using Created = Result<std::unique_ptr<service::Application>>;

bus::BusOptions broker(const service::CommonOptions& common) {
  return {.url = common.nats_url,
          .name = common.name,
          .wait = common.nats_wait,
          .client = bus::client_named(common.nats_client),
          .tls_ca = common.nats_tls_ca,
          .role = "api"};
}

Created create(service::Context& context, const api::ApiOptions& own) {
  auto tokens = own.tokens.empty() ? auth::ApiTokens() : auth::ApiTokens::open(own.tokens);
  if (!tokens) return tl::unexpected(tokens.error());
  auto sessions = registry::connect(context.loop, own.redis);
  if (!sessions) return tl::unexpected(sessions.error());
  auto bus = bus::connect(context.loop, broker(context.common));
  if (!bus) return tl::unexpected(bus.error());
  bus::add_metrics(context.registry, bus->get());
  bus::Bus& link = **bus;
  auto service = std::make_unique<api::ApiApplication>(
      context, std::move(*bus), std::move(*sessions), std::move(*tokens), own);
  return std::make_unique<status::Reporting>(
      status::Reporting::Parts{context, "api", link, std::move(service)});
}

Findings check(const service::CommonOptions& common, const api::ApiOptions& own) {
  Findings findings;
  if (own.tokens.empty()) {
    findings.push_back({"tokens", Verdict::kWarn, "nobody has one: api.tokens is empty",
                        "Add one with martlet-api --add-token."});
  } else {
    const auto tokens = auth::ApiTokens::open(own.tokens);
    findings.push_back(tokens ? Finding{"tokens", Verdict::kOk, "the tokens are read", ""}
                              : Finding{"tokens", Verdict::kFail, tokens.error().detail,
                                        "Repair the file of api.tokens."});
  }
  const bus::BrokerNeeds needs{
      .bus = broker(common),
      .hears = {bus::subject::all_edge_beats(), bus::subject::all_statuses()},
      .logs = std::nullopt};
  for (const Finding& one : bus::check_broker(needs)) findings.push_back(one);
  for (const Finding& one : registry::check(own.redis)) findings.push_back(one);
  return findings;
}

// NAME:ROLE:FILE
Result<void> add_token(const std::string& text) {
  const std::size_t first = text.find(':');
  const std::size_t second = first == text.npos ? first : text.find(':', first + 1);
  const auto role = second == text.npos
                        ? std::nullopt
                        : auth::role_named(text.substr(first + 1, second - first - 1));
  if (!role) return fail(ErrorCode::kBadRange, "not NAME:viewer|operator|admin:FILE");
  SystemRandom random;
  const auto token =
      auth::add_api_token(text.substr(second + 1), {text.substr(0, first), *role}, random);
  if (!token) return tl::unexpected(token.error());
  std::printf("%s\n", token->c_str());
  return {};
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
  definition.check = [&](const service::CommonOptions& common) { return check(common, options); };
  definition.commands = {{"add-token", "NAME:ROLE:FILE",
                          "add a token to FILE (see api.tokens), print it, and end", add_token}};
  return service::run(argc, argv, definition);
}

}  // namespace
}  // namespace martlet

int main(int argc, char** argv) {
  return martlet::serve(argc, argv);
}
