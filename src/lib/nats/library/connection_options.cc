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

std::vector<std::string> split(const std::string& urls) {
  std::vector<std::string> parts;
  for (std::size_t start = 0; start <= urls.size();) {
    const std::size_t end = std::min(urls.find(',', start), urls.size());
    if (end > start) parts.push_back(urls.substr(start, end - start));
    start = end + 1;
  }
  return parts;
}

}  // namespace

std::string masked_url(const std::string& urls) {
  std::string masked;
  for (std::string url : split(urls)) {
    const std::size_t at = url.rfind('@');
    const std::size_t scheme = url.find("://");
    if (at != std::string::npos) url.erase(0, at + 1);
    if (at != std::string::npos && scheme != std::string::npos) url.insert(0, "nats://***@");
    masked += (masked.empty() ? "" : ",") + url;
  }
  return masked;
}

Result<OptionsPtr> common_options(const ConnectionOptions& options) {
  open_library();
  natsOptions* raw = nullptr;
  if (natsOptions_Create(&raw) != NATS_OK) return fail(ErrorCode::kInternal, "nats options");
  OptionsPtr result(raw);

  const std::vector<std::string> urls = split(options.url);
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
  const std::string url = masked_url(options.url);
  if (status == NATS_CONNECTION_AUTH_FAILED) {
    return fail(ErrorCode::kForbidden,
                fmt::format("NATS at {} refuses the user, password or token", url));
  }
  return fail(ErrorCode::kUnavailable,
              fmt::format("NATS at {} is not reachable: {}", url, natsStatus_GetText(status)));
}

}  // namespace martlet::nats
