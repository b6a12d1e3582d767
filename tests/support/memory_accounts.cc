#include "support/memory_accounts.h"

#include <algorithm>
#include <cctype>
#include <iterator>

#include "store/limits.h"
#include "store/signed.h"

namespace martlet::test {
namespace {

using store::as_signed;
using store::RefreshOutcome;

// Ids are ASCII.
std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

tl::unexpected<Error> refused() {
  return fail(ErrorCode::kInternal, "the database refused a statement");
}

void remove_tokens(Tables& tables, DeviceTable& device, WallMs expired_at) {
  for (auto one = device.tokens.begin(); one != device.tokens.end();) {
    if (one->second.expires_ms > expired_at) {
      ++one;
      continue;
    }
    tables.token_owners.erase(one->first);
    one = device.tokens.erase(one);
  }
}

struct Owner {
  std::string user;
  std::string device;
};

void insert_token(Tables& tables, const Owner& owner, const store::NewToken& token,
                  const std::optional<Bytes>& previous) {
  DeviceTable& device = tables.devices[owner.user][owner.device];
  const WallMs expires_ms = std::min(token.expires_ms, device.login_until_ms);
  device.tokens[token.hash] = {device.login, expires_ms, {}, previous};
  tables.token_owners[token.hash] = {owner.user, owner.device};
}

// Those signed in, the latest logins first.
std::vector<std::pair<std::string, const DeviceTable*>> by_login(const Devices& devices) {
  std::vector<std::pair<std::string, const DeviceTable*>> sorted;
  for (const auto& [name, device] : devices)
    if (!device.revoked) sorted.emplace_back(name, &device);
  std::stable_sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) {
    return a.second->last_login_ms > b.second->last_login_ms;
  });
  return sorted;
}

std::vector<DeviceId> sign_out_oldest(Devices& devices, const std::string& kept) {
  auto sorted = by_login(devices);
  std::erase_if(sorted, [&](const auto& one) { return one.first == kept; });
  std::vector<DeviceId> signed_out;
  for (std::size_t i = store::kMaxDevicesPerUser - 1; i < sorted.size(); ++i) {
    devices.at(sorted[i].first).revoked = true;
    signed_out.push_back(DeviceId::trusted(sorted[i].first));
  }
  return signed_out;
}

// True if it has successors and none of them was used.
bool has_fresh_successors(const DeviceTable& device, const Bytes& hash) {
  bool found = false;
  for (const auto& [name, token] : device.tokens) {
    if (token.previous != hash) continue;
    if (token.used_ms) return false;
    found = true;
  }
  return found;
}

void void_siblings(DeviceTable& device, const Bytes& hash, WallMs now_ms) {
  const std::optional<Bytes> previous = device.tokens.at(hash).previous;
  for (auto& [name, token] : device.tokens) {
    const bool is_sibling = previous && token.previous == previous && name != hash;
    if (is_sibling && !token.used_ms) token.used_ms = now_ms;
  }
}

RefreshOutcome judge(DeviceTable& device, const TokenRow& token, const Bytes& hash, WallMs now_ms) {
  if (device.revoked || device.banned || device.login != token.login) {
    return RefreshOutcome::kRevoked;
  }
  if (token.used_ms) {
    const std::int64_t recent = as_signed(now_ms) - as_signed(store::kRefreshGraceMs);
    const bool again = as_signed(*token.used_ms) > recent && has_fresh_successors(device, hash);
    return again ? RefreshOutcome::kRepeated : RefreshOutcome::kReused;
  }
  return token.expires_ms <= now_ms ? RefreshOutcome::kExpired : RefreshOutcome::kRenewed;
}

bool is_banned(const Tables& tables, const UserId& user, const DeviceId& device) {
  const auto devices = tables.devices.find(user.str());
  if (devices == tables.devices.end()) return false;
  const auto found = devices->second.find(device.str());
  return found != devices->second.end() && found->second.banned;
}

// Another service may vouch for the user.
bool is_vouched(const Tables& tables, const UserId& user) {
  const auto found = tables.accounts.find(user.str());
  if (found != tables.accounts.end()) return found->second.password_hash.empty();
  return !tables.lower_names.contains(lower(user.str()));
}

}  // namespace

bool create_account(Tables& tables, const UserId& user, const std::string& password_hash,
                    WallMs now_ms) {
  if (!tables.lower_names.insert(lower(user.str())).second) return false;
  tables.accounts[user.str()] = {password_hash, now_ms};
  return true;
}

Result<store::LoginResult> start_login(Tables& tables, const UserId& user, const DeviceId& device,
                                       const store::NewToken& token) {
  using store::LoginOutcome;
  if (token.vouched_until_ms && !is_vouched(tables, user)) {
    return store::LoginResult{LoginOutcome::kNotTheirs, {}};
  }
  if (is_banned(tables, user, device)) return store::LoginResult{LoginOutcome::kBanned, {}};
  const auto owner = tables.token_owners.find(token.hash);
  const std::pair<std::string, std::string> self{user.str(), device.str()};
  if (owner != tables.token_owners.end() && owner->second != self) return refused();
  if (token.vouched_until_ms) create_account(tables, user, "", token.now_ms);
  Devices& devices = tables.devices[user.str()];
  DeviceTable& row = devices[device.str()];
  ++row.login;
  row.revoked = false;
  row.last_login_ms = token.now_ms;
  row.login_until_ms = token.vouched_until_ms.value_or(std::numeric_limits<std::int64_t>::max());
  for (const auto& [hash, old] : row.tokens) tables.token_owners.erase(hash);
  row.tokens.clear();
  insert_token(tables, {user.str(), device.str()}, token, {});
  return store::LoginResult{LoginOutcome::kDone, sign_out_oldest(devices, device.str())};
}

Result<store::RefreshResult> refresh(Tables& tables, const Bytes& old_hash,
                                     const store::NewToken& token) {
  store::RefreshResult result;
  const auto found = tables.token_owners.find(old_hash);
  if (found == tables.token_owners.end()) return result;
  const Owner owner{found->second.first, found->second.second};
  result.user = UserId::trusted(owner.user);
  result.device = DeviceId::trusted(owner.device);
  DeviceTable& device = tables.devices.at(owner.user).at(owner.device);
  TokenRow& row = device.tokens.at(old_hash);
  const DeviceTable before = device;
  result.outcome = judge(device, row, old_hash, token.now_ms);
  if (result.outcome == RefreshOutcome::kReused) device.revoked = true;
  const bool renewed = result.outcome == RefreshOutcome::kRenewed;
  if (!renewed && result.outcome != RefreshOutcome::kRepeated) return result;
  if (tables.token_owners.contains(token.hash)) {
    device = before;
    return refused();
  }
  if (renewed) {
    row.used_ms = token.now_ms;
    void_siblings(device, old_hash, token.now_ms);
    remove_tokens(tables, device, token.now_ms);
  }
  insert_token(tables, owner, token, old_hash);
  return result;
}

std::vector<store::DeviceRow> find_devices(const Tables& tables, const UserId& user,
                                           WallMs now_ms) {
  std::vector<store::DeviceRow> rows;
  const auto found = tables.devices.find(user.str());
  if (found == tables.devices.end()) return rows;
  for (const auto& [name, device] : by_login(found->second)) {
    const bool has_token =
        std::any_of(device->tokens.begin(), device->tokens.end(), [&, d = device](const auto& one) {
          return one.second.login == d->login && one.second.expires_ms > now_ms;
        });
    if (!has_token || rows.size() == store::kMaxDevicesPerUser) continue;
    rows.push_back({DeviceId::trusted(name), device->last_login_ms});
  }
  return rows;
}

bool is_revoked(const Tables& tables, const UserId& user, const DeviceId& device) {
  const auto devices = tables.devices.find(user.str());
  if (devices == tables.devices.end()) return false;
  const auto found = devices->second.find(device.str());
  return found != devices->second.end() && (found->second.revoked || found->second.banned);
}

std::vector<DeviceId> sign_out(Tables& tables, const store::SignOutRequest& request) {
  std::vector<DeviceId> signed_out;
  const bool is_one = !request.device.empty();
  const std::string& named = (is_one ? request.device : request.asking).str();
  for (auto& [name, device] : tables.devices[request.user.str()]) {
    if (device.revoked || (name == named) != is_one) continue;
    device.revoked = true;
    signed_out.push_back(DeviceId::trusted(name));
  }
  return signed_out;
}

std::size_t forget_tokens(Tables& tables, WallMs now_ms) {
  const std::int64_t before = as_signed(now_ms) - as_signed(store::kKeepExpiredTokensMs);
  std::size_t forgotten = 0;
  for (auto one = tables.token_owners.begin();
       one != tables.token_owners.end() && forgotten < store::kMaxTokensForgotten;) {
    auto& tokens = tables.devices.at(one->second.first).at(one->second.second).tokens;
    if (as_signed(tokens.at(one->first).expires_ms) > before) {
      ++one;
      continue;
    }
    tokens.erase(one->first);
    one = tables.token_owners.erase(one);
    ++forgotten;
  }
  return forgotten;
}

store::AdminDone administer(Tables& tables, const wire::AdminRequest& request, WallMs now_ms) {
  using wire::AdminAct;
  store::AdminDone done;
  const bool is_drain = request.act == AdminAct::kDrain;
  if (!is_drain && !tables.accounts.contains(request.user.str())) return {false, {}};
  const std::uint64_t id = ++tables.last_audit_id;
  tables.audit[id] = {id, now_ms, request};
  if (is_drain) return done;
  Devices& devices = tables.devices[request.user.str()];
  const bool is_ban = request.act == AdminAct::kBan;
  if (is_ban || request.act == AdminAct::kRevoke) {
    for (auto& [name, device] : devices) {
      const bool is_meant = request.device.empty() || name == request.device.str();
      if (device.revoked || !is_meant) continue;
      device.revoked = true;
      done.signed_out.push_back(DeviceId::trusted(name));
    }
  }
  if (is_ban && !devices.contains(request.device.str()))
    devices[request.device.str()].revoked = true;
  const auto found = devices.find(request.device.str());
  if (is_ban) found->second.banned = true;
  if (request.act == AdminAct::kUnban && found != devices.end()) found->second.banned = false;
  return done;
}

std::vector<wire::AuditRow> audit(const Tables& tables, const wire::AuditQuestion& question) {
  std::vector<wire::AuditRow> rows;
  for (auto one = tables.audit.rbegin(); one != tables.audit.rend(); ++one) {
    if (question.before != 0 && one->first >= question.before) continue;
    if (rows.size() == question.limit) break;
    rows.push_back(one->second);
  }
  return rows;
}

std::size_t forget_audit(Tables& tables, WallMs before_ms) {
  return std::erase_if(tables.audit,
                       [&](const auto& one) { return one.second.time_ms < before_ms; });
}

}  // namespace martlet::test
