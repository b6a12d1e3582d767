#include "edge/options.h"

#include "bus/replicas.h"
#include "wire/limits.h"

namespace martlet::edge {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

namespace {

constexpr std::int64_t kMiB = 1024 * 1024;

void declare_output(config::Keys& keys, EdgeOptions& options) {
  keys.bytes("edge.output_high_bytes", &options.output_high_bytes, {4096, 64 * kMiB, "bytes"},
             "above this a client's queue takes no live events; it must sync when it has read");
  keys.bytes("edge.output_low_bytes", &options.output_low_bytes, {1024, 64 * kMiB, "bytes"},
             "at this a client's queue takes live events again");
  keys.bytes("edge.output_limit_bytes", &options.output_limit_bytes,
             {static_cast<std::int64_t>(kOutputHardLimitBytes), 256 * kMiB, "bytes"},
             "a client whose queue would grow past this is closed");
  keys.duration("edge.output_stall_s", &options.session.output_stall, {seconds(1), minutes(10)},
                "a client with a full queue that takes nothing for so long is closed");
}

void declare_credit(config::Keys& keys, EdgeOptions& options) {
  keys.integer("edge.max_unanswered", &options.session.max_unanswered,
               {1, std::int64_t(kMaxUnansweredPerConnection), "requests"},
               "unanswered requests of a connection before its socket is not read");
  keys.integer("edge.max_unanswered_per_shard", &options.unanswered.max_frames_per_shard,
               {1, 65'536, "frames"}, "unanswered frames to a shard before no more are read");
  keys.bytes("edge.max_unanswered_bytes_per_shard", &options.unanswered.max_bytes_per_shard,
             {std::int64_t(kMaxBodyBytes), 1024 * kMiB, "bytes"},
             "bytes of unanswered frames to a shard before no more are read");
}

// The name says of which period.
void declare_rate(config::Keys& keys, const std::string& name, Rate& rate,
                  const std::string& what) {
  const std::string period = rate.period == minutes(1) ? "minute" : "second";
  keys.integer(name + "_per_" + period, &rate.count, {0, 1'000'000, "a " + period},
               what + "; 0: no limit");
  keys.integer(name + "_burst", &rate.burst, {1, 1'000'000, "at once"},
               "the same at once, after a rest");
}

void declare_rates(config::Keys& keys, EdgeOptions& options) {
  declare_rate(keys, "edge.frames", options.frames.connection,
               "frames of a connection; faster ones are read later");
  declare_rate(keys, "edge.user_frames", options.frames.user,
               "frames of a user's connections to this edge together");
  declare_rate(keys, "edge.stranger_frames", options.frames.stranger,
               "frames of a connection before AUTH");
}

void declare_door(config::Keys& keys, DoorOptions& door) {
  keys.integer("edge.max_connections", &door.max_connections, {1, 1'000'000, "connections"},
               "more are refused");
  keys.integer("edge.max_connections_per_address", &door.max_per_address,
               {0, 1'000'000, "connections"},
               "from one IPv4 address or IPv6 /64; 0: no limit, for edges behind a proxy");
  keys.integer("edge.max_strangers", &door.max_strangers, {1, 1'000'000, "connections"},
               "connections before AUTH; a new one takes the place of the oldest idle one");
  keys.integer("edge.max_strangers_per_address", &door.max_strangers_per_address,
               {0, 1'000'000, "connections"}, "the same from one address; 0: no limit");
  declare_rate(keys, "edge.address_connects", door.connects,
               "new connections, and REFRESH, from one address");
  declare_rate(keys, "edge.address_logins", door.logins, "LOGIN and REGISTER from one address");
  declare_rate(keys, "edge.wrong_passwords", door.wrong_passwords,
               "wrong passwords for one user from one address");
}

void declare_tls(config::Keys& keys, EdgeOptions& options) {
  const auto file = config::PathRule::kAny;
  keys.path("edge.tls_cert", &options.tls.certificate, file,
            "PEM file with the certificate, and those that lead to its root; empty: no TLS");
  keys.path("edge.tls_key", &options.tls.key, file, "PEM file with the certificate's key");
  keys.path("edge.tls_ticket_keys", &options.tls.ticket_keys, file,
            "file of keys by which sessions are resumed, the same for all edges, newest first; "
            "empty: only on the same edge");
}

Result<void> store_ranges(std::vector<net::AddressRange>& target,
                          const std::vector<std::string_view>& texts) {
  std::vector<net::AddressRange> ranges;
  for (const std::string_view text : texts) {
    const auto range = net::AddressRange::parse(text);
    if (!range) return tl::unexpected(range.error());
    ranges.push_back(*range);
  }
  target = std::move(ranges);
  return {};
}

void declare_proxies(config::Keys& keys, EdgeOptions& options) {
  keys.list(
      "edge.proxy_from", "ADDRESS or ADDRESS/BITS", {0, kMaxProxyRanges},
      [&options](const auto& texts) { return store_ranges(options.proxies, texts); },
      "a connection from there must begin with a PROXY header of version 2, which is believed");
}

void declare_moves(config::Keys& keys, EdgeOptions& options) {
  keys.integer("edge.weight", &options.weight, {0, std::int64_t(wire::kMaxEdgeWeight), "parts"},
               "this edge's share of the clients among the others' shares");
  keys.duration("edge.drain_delay_ms", &options.drain_delay, {milliseconds(0), minutes(1)},
                "between failing /readyz and closing the door, for what stands before the edge. Of "
                "stop_timeout_ms it may be a tenth");
  keys.duration("edge.drain_window_s", &options.drain_window, {seconds(0), minutes(5)},
                "at most so long it takes to tell clients to go elsewhere; a few need less. Of "
                "stop_timeout_ms it may be two fifths");
  keys.duration("edge.rebalance_s", &options.rebalance, {seconds(0), hours(1)},
                "so often an edge asks whether it has more than its share; 0: never");
}

}  // namespace

void declare(config::Keys& keys, EdgeOptions& options) {
  keys.address("edge.listen", &options.listen, "where clients connect");
  keys.optional_address("edge.advertise", &options.advertise,
                        "what others are told as this edge's address; empty: edge.listen, or none "
                        "if that is 0.0.0.0 or [::]: clients then come back to what they used");
  keys.path("auth.public_keys", &options.public_keys, config::PathRule::kExistingDirectory,
            "directory of the public keys <kid>.pem that verify access tokens");
  registry::declare(keys, options.redis);
  bus::declare_replicas(keys, options.nats_replicas);
  declare_tls(keys, options);
  declare_proxies(keys, options);
  declare_door(keys, options.door);
  declare_rates(keys, options);
  keys.duration("edge.heartbeat_s", &options.session.heartbeat, {seconds(1), minutes(10)},
                "a connection without a frame for so long is closed; told to clients");
  keys.duration("edge.auth_timeout_s", &options.session.auth_timeout, {seconds(1), minutes(2)},
                "how long a connection may exist without AUTH");
  keys.duration("edge.token_grace_s", &options.session.token_grace, {seconds(0), hours(24)},
                "how long a session outlives its access token");
  keys.duration("edge.tail_check_s", &options.tail_check, {seconds(1), minutes(5)},
                "how often clients repeat SYNC; told to clients");
  keys.duration("edge.unsubscribe_after_s", &options.linger, {seconds(6), minutes(10)},
                "a user's subject stays subscribed for so long after the last session left");
  keys.integer("edge.trace_permille", &options.trace_permille, {0, 1000, "permille"},
               "of the messages are followed by the flight recorder beside those whose sender asks "
               "for it; 0: none");
  declare_output(keys, options);
  declare_credit(keys, options);
  declare_moves(keys, options);
}

Result<std::unique_ptr<net::TlsServer>> open_tls(event::Loop& loop, const EdgeOptions& options) {
  const net::TlsFiles& files = options.tls;
  if (files.certificate.empty() && files.key.empty() && files.ticket_keys.empty()) return nullptr;
  if (files.certificate.empty()) {
    return fail(ErrorCode::kBadContent, "edge.tls_cert '' must be set with the other files of TLS");
  }
  if (files.key.empty()) {
    return fail(ErrorCode::kBadContent, "edge.tls_key '' must be set together with edge.tls_cert");
  }
  auto server = net::TlsServer::open(loop, files);
  if (!server) return fail(server.error().code, "edge." + server.error().detail);
  return server;
}

}  // namespace martlet::edge
