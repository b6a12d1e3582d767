#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "lib/nats/inbound_queue.h"
#include "lib/nats/message.h"
#include "lib/nats/publisher.h"

// The client protocol of NATS: lines of text, and behind those of messages their bytes. No I/O.
namespace martlet::nats::native {

// A line without its end; INFO may be long.
inline constexpr std::size_t kMaxLineBytes = 64U << 10;
// The server's own bound for max_payload, headers included.
inline constexpr std::size_t kMaxMessageBytes = 64U << 20;

// One thing that the server said.
struct Operation {
  enum class Kind : std::uint8_t { kMessage, kInfo, kPing, kPong, kOk, kError };
  Kind kind = Kind::kOk;
  SubscriptionId subscription = 0;  // kMessage
  Message::Parts message;           // kMessage
  std::string_view text;            // kInfo: JSON. kError: for people
};

// Takes the next whole operation off the front of the bytes, into which it has views. Empty: the
// rest of it has not come yet. Error: this is not NATS, or it exceeds the limits.
Result<std::optional<Operation>> take_operation(BytesView& bytes);

// What INFO says that matters to us.
struct ServerInfo {
  std::int64_t max_payload = 0;
  std::string version;
  bool headers = false;
  bool jetstream = false;
  bool needs_tls = false;
  bool offers_tls = false;                // also if it does not need it
  std::vector<std::string> connect_urls;  // other servers of the cluster, HOST:PORT
};
std::optional<ServerInfo> parse_info(std::string_view json);

struct Credentials {
  std::string user;
  std::string password;
  std::string token;
};

// What the client says, appended to `out`.
void append_connect(Bytes& out, const Credentials& credentials, std::string_view name);
void append_publish(Bytes& out, const Outgoing& message);
void append_subscribe(Bytes& out, SubscriptionId id, std::string_view subject,
                      std::string_view queue_group);
void append_unsubscribe(Bytes& out, SubscriptionId id);
inline constexpr BytesView kPing = "PING\r\n";
inline constexpr BytesView kPong = "PONG\r\n";

}  // namespace martlet::nats::native
