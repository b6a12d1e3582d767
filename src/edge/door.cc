#include "edge/door.h"

#include <algorithm>
#include <cctype>

#include "base/assert.h"

namespace martlet::edge {
namespace {

constexpr Duration kLeastRetry = std::chrono::seconds(1);

Error rate_limited(const char* what, Duration wait) {
  const auto ms = std::chrono::ceil<std::chrono::milliseconds>(std::max(wait, kLeastRetry));
  return {ErrorCode::kRateLimited, what, static_cast<std::uint32_t>(ms.count())};
}

Error busy(const char* what) {
  return {ErrorCode::kBusy, what, 1000};
}

std::optional<std::uint64_t> oldest_idle(const std::set<std::uint64_t>& strangers,
                                         const Door::IsIdle& is_idle) {
  const auto found = std::find_if(strangers.begin(), strangers.end(), is_idle);
  if (found == strangers.end()) return std::nullopt;
  return *found;
}

// Names of users differ by more than case.
std::string guess_key(const UserId& user, const net::Network& from) {
  std::string key(user.str());
  std::transform(key.begin(), key.end(), key.begin(),
                 [](unsigned char c) { return char(std::tolower(c)); });
  return key + ' ' + std::to_string(from.family) + ' ' + std::to_string(from.prefix);
}

}  // namespace

Door::Door(const DoorOptions& options)
    : options_(options),
      connects_(options.connects, kMaxAddressBuckets),
      logins_(options.logins, kMaxAddressBuckets),
      wrong_passwords_(options.wrong_passwords, kMaxAddressBuckets) {}

Door::Verdict Door::admit(std::uint64_t number, const net::Network& from, MonotonicTime now,
                          const IsIdle& is_idle) {
  if (options_.connects.is_limited()) {
    TokenBucket& bucket = connects_.of(from, now);
    if (!bucket.take(now)) {
      const Error error = rate_limited("too many connections from this address", bucket.wait(now));
      return {Refusal{CloseReason::kAddressRate, error}, {}};
    }
  }
  Verdict verdict;
  const auto known = here_.find(from);
  const Here nobody;
  const Here& there = known == here_.end() ? nobody : known->second;
  if (auto full = why_full(there)) {
    verdict.makes_room =
        oldest_idle(is_address_full(there) ? there.strangers : strangers_, is_idle);
    if (!verdict.makes_room) return {std::move(full), {}};
  }
  Here& here = here_[from];
  ++here.connections;
  here.strangers.insert(number);
  strangers_.insert(number);
  const bool is_new = from_.try_emplace(number, from).second;
  MARTLET_ASSERT(is_new);
  return verdict;
}

bool Door::is_address_full(const Here& here) const {
  const auto reached = [](std::size_t count, std::size_t limit) {
    return limit > 0 && count >= limit;
  };
  return reached(here.connections, options_.max_per_address) ||
         reached(here.strangers.size(), options_.max_strangers_per_address);
}

std::optional<Door::Refusal> Door::why_full(const Here& here) const {
  if (is_address_full(here)) {
    return Refusal{CloseReason::kAddressFull, busy("too many connections from this address")};
  }
  if (from_.size() >= options_.max_connections) {
    return Refusal{CloseReason::kTooManyConnections, busy("too many connections")};
  }
  if (strangers_.size() >= options_.max_strangers) {
    return Refusal{CloseReason::kTooManyStrangers, busy("too many connections without AUTH")};
  }
  return std::nullopt;
}

void Door::no_stranger(std::uint64_t number) {
  if (strangers_.erase(number) == 0) return;
  here_.at(from_.at(number)).strangers.erase(number);
}

void Door::gone(std::uint64_t number) {
  no_stranger(number);
  const auto found = from_.find(number);
  MARTLET_ASSERT(found != from_.end());
  const auto here = here_.find(found->second);
  if (--here->second.connections == 0) here_.erase(here);
  from_.erase(found);
}

Result<void> Door::take(const Rate& rate, RecentBuckets<net::Network>& buckets,
                        const net::Network& from, MonotonicTime now) {
  if (!rate.is_limited()) return {};
  TokenBucket& bucket = buckets.of(from, now);
  if (bucket.take(now)) return {};
  return tl::unexpected(rate_limited("too many attempts from this address", bucket.wait(now)));
}

Result<void> Door::take_login(std::uint64_t number, MonotonicTime now) {
  return take(options_.logins, logins_, from_.at(number), now);
}

Result<void> Door::may_register(std::uint64_t number, MonotonicTime now) {
  return take_login(number, now);
}

// As cheap as a connection, and mostly the first that is asked for on one.
Result<void> Door::may_refresh(std::uint64_t number, MonotonicTime now) {
  return take(options_.connects, connects_, from_.at(number), now);
}

Result<void> Door::may_log_in(std::uint64_t number, const UserId& user, MonotonicTime now) {
  // First, so that what is remembered of guesses can't be flushed by more of them.
  if (auto taken = take_login(number, now); !taken) return taken;
  if (!options_.wrong_passwords.is_limited()) return {};
  const Duration wait = wrong_passwords_.of(guess_key(user, from_.at(number)), now).wait(now);
  if (wait == Duration(0)) return {};
  return tl::unexpected(rate_limited("too many wrong passwords from this address", wait));
}

// Many guesses may be under way at once: each is charged, and the debt is paid off by time.
void Door::wrong_password(std::uint64_t number, const UserId& user, MonotonicTime now) {
  if (!options_.wrong_passwords.is_limited()) return;
  wrong_passwords_.of(guess_key(user, from_.at(number)), now).charge(1, now);
}

}  // namespace martlet::edge
