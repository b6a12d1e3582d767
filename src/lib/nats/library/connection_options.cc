#include "lib/nats/library/connection_options.h"

#include <spdlog/fmt/fmt.h>

#include <mutex>
#include <vector>

#include "base/assert.h"

namespace martlet::nats {
namespace {

// Nothing is published while disconnected, so this holds next to nothing.
constexpr int kReconnectBufferBytes = 4096;
constexpr int kReconnectJitterMs = 100;

// One thread delivers the messages of all connections of the process: our callbacks only put them
// into a queue.
void open_library() {
  static std::once_flag once;
  std::call_once(once, [] {
    MARTLET_ASSERT(nats_Open(-1) == NATS_OK);
    MARTLET_ASSERT(nats_SetMessageDeliveryPoolSize(1) == NATS_OK);
  });
}

// The library checks the certificate's name by itself: it is the host of the url.
natsStatus secure(natsOptions* raw, const ConnectionOptions& options) {
  if (options.url.find("tls://") == std::string::npos) return NATS_OK;
  const natsStatus secured = natsOptions_SetSecure(raw, true);
  if (secured != NATS_OK || options.tls_ca.empty()) return secured;
  return natsOptions_LoadCATrustedCertificates(raw, options.tls_ca.c_str());
}

}  // namespace

Result<OptionsPtr> common_options(const ConnectionOptions& options) {
  open_library();
  natsOptions* raw = nullptr;
  if (natsOptions_Create(&raw) != NATS_OK) return fail(ErrorCode::kInternal, "nats options");
  OptionsPtr result(raw);

  const std::vector<std::string> urls = split_urls(options.url);
  std::vector<const char*> servers;
  servers.reserve(urls.size());
  for (const std::string& url : urls) servers.push_back(url.c_str());

  const natsStatus statuses[] = {
      natsOptions_SetServers(raw, servers.data(), static_cast<int>(servers.size())),
      natsOptions_SetName(raw, options.name.c_str()),
      natsOptions_SetTimeout(raw, to_ms(options.connect_timeout)),
      natsOptions_SetAllowReconnect(raw, true),
      natsOptions_SetMaxReconnect(raw, -1),
      natsOptions_SetReconnectWait(raw, to_ms(options.reconnect_wait)),
      natsOptions_SetReconnectJitter(raw, kReconnectJitterMs, kReconnectJitterMs),
      natsOptions_SetReconnectBufSize(raw, kReconnectBufferBytes),
      natsOptions_SetWriteDeadline(raw, to_ms(options.write_deadline)),
      natsOptions_SetPingInterval(raw, to_ms(options.ping_interval)),
      natsOptions_SetMaxPingsOut(raw, 1),
      natsOptions_UseGlobalMessageDelivery(raw, true),
      secure(raw, options),
  };
  for (const natsStatus status : statuses) {
    if (status != NATS_OK) {
      return fail(ErrorCode::kInternal,
                  fmt::format("NATS url {} is not usable: {}", masked_url(options.url),
                              natsStatus_GetText(status)));
    }
  }
  return result;
}

tl::unexpected<Error> connect_error(natsStatus status, const ConnectionOptions& options) {
  const bool is_refused = status == NATS_CONNECTION_AUTH_FAILED;
  return connect_error(options, {is_refused ? ErrorCode::kForbidden : ErrorCode::kUnavailable,
                                 natsStatus_GetText(status)});
}

}  // namespace martlet::nats
