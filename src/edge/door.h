#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>

#include "base/clock.h"
#include "base/recent_buckets.h"
#include "base/result.h"
#include "base/token_bucket.h"
#include "edge/close_reason.h"
#include "edge/limits.h"
#include "model/ids.h"
#include "net/network.h"

namespace martlet::edge {

struct DoorOptions {
  std::size_t max_connections = kMaxConnections;
  std::size_t max_per_address = kMaxConnectionsPerAddress;  // 0: as many as there may be
  // Strangers: connections that have not authenticated.
  std::size_t max_strangers = kMaxStrangers;
  std::size_t max_strangers_per_address = kMaxStrangersPerAddress;  // 0: as max_strangers

  Rate connects{kAddressConnectsPerSecond, kAddressConnectsBurst};  // of an address
  Rate logins{kAddressLoginsPerSecond, kAddressLoginsBurst};        // LOGIN and REGISTER
  // Wrong passwords for one user from one address.
  Rate wrong_passwords{kWrongPasswordsPerMinute, kWrongPasswordsBurst, std::chrono::minutes(1)};
};

// Who may come in, and who may have a password checked. Counts connections and strangers by
// address; what it remembers of addresses is bounded. Pure: time is an argument.
class Door {
 public:
  // A connection by its number; numbers grow. Idle: nothing that it asked for is under way.
  using IsIdle = std::function<bool(std::uint64_t)>;

  struct Refusal {
    CloseReason reason;
    Error error;
  };
  struct Verdict {
    std::optional<Refusal> refusal;  // none: it is in, and a stranger
    // The idle stranger who has been here longest and must go for it.
    std::optional<std::uint64_t> makes_room;
  };

  explicit Door(const DoorOptions& options);

  Verdict admit(std::uint64_t number, const net::Network& from, MonotonicTime now,
                const IsIdle& is_idle);
  // Authenticated, or about to go.
  void no_stranger(std::uint64_t number);
  void gone(std::uint64_t number);

  // kRateLimited: not now. A connection that is gone may not.
  Result<void> may_register(std::uint64_t number, MonotonicTime now);
  Result<void> may_refresh(std::uint64_t number, MonotonicTime now);
  Result<void> may_log_in(std::uint64_t number, const UserId& user, MonotonicTime now);
  // What came of may_log_in.
  void wrong_password(std::uint64_t number, const UserId& user, MonotonicTime now);

  std::size_t connections() const { return from_.size(); }
  std::size_t strangers() const { return strangers_.size(); }
  // Of which it remembers anything at all.
  std::size_t addresses() const { return here_.size() + connects_.size() + logins_.size(); }

 private:
  using Numbers = std::set<std::uint64_t>;  // in the order of arrival
  struct Here {
    std::size_t connections = 0;
    Numbers strangers;
  };

  std::optional<Refusal> why_full(const Here& here) const;
  bool is_address_full(const Here& here) const;
  static Result<void> take(const Rate& rate, RecentBuckets<net::Network>& buckets,
                           const net::Network& from, MonotonicTime now);
  Result<void> take_login(std::uint64_t number, MonotonicTime now);

  const DoorOptions options_;
  std::unordered_map<std::uint64_t, net::Network> from_;
  std::unordered_map<net::Network, Here> here_;
  Numbers strangers_;
  RecentBuckets<net::Network> connects_;
  RecentBuckets<net::Network> logins_;
  RecentBuckets<std::string> wrong_passwords_;  // by user and address
};

}  // namespace martlet::edge
