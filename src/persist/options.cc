#include "persist/options.h"

#include "auth/token.h"
#include "bus/replicas.h"

namespace martlet::persist {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

void declare_identity(config::Keys& keys, PersistOptions& options) {
  auth::IdentityOptions& identity = options.identity;
  auth::OutsideRules& rules = identity.rules;
  const config::Lengths text{0, auth::kMaxClaimBytes};
  keys.string("identity.issuer", &rules.issuer, text,
              "iss of the tokens of another service that LOGIN takes; empty: of none");
  keys.string("identity.audience", &rules.audience, text,
              "aud that such a token must have, or have among others");
  keys.path("identity.jwks", &identity.jwks, config::PathRule::kAny,
            "JWK Set with that service's public keys (ES256, EdDSA), read again when it changes");
  keys.path("identity.secret", &identity.secret, config::PathRule::kAny,
            "file with the secret shared with it (HS256), read again when it changes");
  keys.string("identity.user_claim", &rules.user_claim, {1, auth::kMaxClaimBytes},
              "the claim that is our user id");
  keys.string("identity.device_claim", &rules.device_claim, text,
              "the claim that is our device id; empty: as LOGIN says");
  keys.string("identity.app_claim", &rules.app_claim, text,
              "the claim that must be main, the only app there is; empty: not looked at");
  keys.duration("identity.login_life_s", &options.outside_login_life,
                {seconds(60), hours(24 * 365)},
                "so long after such a login the device needs a token again, however often it "
                "refreshes ours");
}

}  // namespace

void declare(config::Keys& keys, PersistOptions& options) {
  keys.url("postgres.url", &options.postgres_url, "libpq URI of the database");
  keys.optional_url("postgres.owner_url", &options.postgres_owner_url,
                    "the same for the role that owns the tables, used at the start for migrations "
                    "alone; empty: as postgres.url");
  keys.duration("postgres.wait_s", &options.postgres_wait, {seconds(0), seconds(3600)},
                "how long the start waits for the database");
  keys.path("auth.signing_key", &options.signing_key, config::PathRule::kExistingFile,
            "PEM file with the Ed25519 key that signs access tokens; its key id is the file's name "
            "without .pem");
  bus::declare_replicas(keys, options.replicas);
  keys.choice("persist.registration", &options.registration, {"open", "closed"},
              "closed: REGISTER is refused");
  declare_identity(keys, options);
  keys.integer("persist.writers", &options.writers, {1, 64, "threads"},
               "database connections that store what the logs have");
  keys.integer("persist.readers", &options.readers, {1, 64, "threads"},
               "database connections that answer requests");
  keys.integer("persist.hash_threads", &options.hash_threads, {1, 64, "threads"},
               "passwords hashed at once, 64 MiB each");
  keys.integer("persist.hash_queue", &options.hash_queue, {1, 10'000, "requests"},
               "REGISTER and LOGIN that wait for a thread; more are refused as BUSY");
  keys.duration("persist.hash_wait_ms", &options.hash_wait, {milliseconds(10), seconds(8)},
                "one that waits so long for a thread is refused as BUSY without hashing");
  keys.integer("persist.max_waiting", &options.max_waiting, {1, 1'000'000, "requests"},
               "SYNC, FETCH and HISTORY that wait for the database to reach the logs; more are "
               "refused as BUSY");
  keys.duration("persist.barrier_wait_ms", &options.barrier_wait, {milliseconds(10), seconds(9)},
                "then they are answered with what is there");
  keys.duration("persist.keep_s", &options.keep, {seconds(1), hours(24)},
                "how long entries stay in the log after they were stored");
  keys.duration("persist.access_token_s", &options.access_token_life, {seconds(1), hours(24)},
                "life of an access token");
  keys.duration("persist.refresh_token_s", &options.refresh_token_life,
                {seconds(60), hours(24 * 365)}, "life of a refresh token");
  keys.duration("persist.audit_keep_s", &options.audit_keep, {hours(1), hours(24 * 3650)},
                "how long the audit log remembers what people did");
}

}  // namespace martlet::persist
