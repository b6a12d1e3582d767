#include "edge/options.h"

#include "bus/replicas.h"

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

}  // namespace

void declare(config::Keys& keys, EdgeOptions& options) {
  keys.address("edge.listen", &options.listen, "where clients connect");
  keys.optional_address("edge.advertise", &options.advertise,
                        "what others are told as this edge's address; empty: edge.listen");
  keys.path("auth.public_keys", &options.public_keys, config::PathRule::kExistingDirectory,
            "directory of the public keys <kid>.pem that verify access tokens");
  keys.url("redis.url", &options.redis_url, "Redis for the directory of sessions");
  bus::declare_replicas(keys, options.nats_replicas);
  keys.integer("edge.max_connections", &options.max_connections, {1, 1'000'000, "connections"},
               "more are refused");
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
  declare_output(keys, options);
  declare_credit(keys, options);
}

}  // namespace martlet::edge
