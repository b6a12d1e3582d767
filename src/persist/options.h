#pragma once

#include <string>

#include "auth/identity.h"
#include "config/keys.h"
#include "persist/limits.h"

namespace martlet::persist {

struct PersistOptions {
  std::string postgres_url;
  std::string postgres_owner_url;  // empty: postgres_url
  Duration postgres_wait = std::chrono::seconds(30);
  std::string signing_key;
  std::string registration = "open";
  auth::IdentityOptions identity;
  Duration outside_login_life = kOutsideLoginLife;
  std::size_t writers = kDefaultWriters;
  std::size_t readers = kDefaultReaders;
  std::size_t hash_threads = kDefaultHashThreads;
  std::size_t hash_queue = kDefaultHashQueue;
  Duration hash_wait = kDefaultHashWait;
  std::size_t max_waiting = kDefaultMaxWaiting;
  Duration barrier_wait = kDefaultBarrierWait;
  Duration keep = kDefaultKeep;
  Duration access_token_life = kAccessTokenLife;
  Duration refresh_token_life = kRefreshTokenLife;
  Duration audit_keep = kDefaultAuditKeep;
  int replicas = 1;
  Duration nats_wait{};  // of the process, see service::CommonOptions
};

void declare(config::Keys& keys, PersistOptions& options);

}  // namespace martlet::persist
