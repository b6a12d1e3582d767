#include "support/swarm/swarm.h"

#include <algorithm>
#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <utility>

namespace martlet::swarm {
namespace {

// Passwords are hashed on few threads: more at a time only wait there.
constexpr std::size_t kRegisterAtOnce = 4;
constexpr Duration kSendTick = std::chrono::milliseconds(5);
constexpr Duration kMinAway = std::chrono::seconds(1);
constexpr Duration kMaxAway = std::chrono::seconds(10);
constexpr Duration kPollTick = std::chrono::milliseconds(20);
// A plan that can't keep up does not catch up in one burst.
constexpr double kMostCredit = 200;

double percentile(std::vector<double> values, double part) {
  if (values.empty()) return 0;
  const auto at = static_cast<std::size_t>(part * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), values.begin() + static_cast<long>(at), values.end());
  return values[at];
}

}  // namespace

Swarm::Swarm(event::Loop& loop, Config config)
    : loop_(loop),
      config_(std::move(config)),
      plan_(config_.seed),
      send_timer_(loop, [this] { send_some(); }),
      poll_timer_(loop, [this] { poll(); }) {}

void Swarm::start() {
  commands_ = std::make_unique<tools::InputLines>(loop_, 1'000,
                                                  [this](const std::optional<std::string>& line) {
                                                    on_command(line.value_or("quit"));
                                                    commands_->give_credit();
                                                  });
  std::set<UserId> seen;
  for (const MemberConfig& member : config_.members) {
    if (!config_.registers || !seen.insert(member.user).second) continue;
    to_register_.emplace_back(member.user, member.servers.current());
  }
  wait_ = Wait::kReady;
  poll_timer_.start_every(kPollTick);
  for (std::size_t i = 0; i < kRegisterAtOnce; ++i) register_next();
  if (registered_out_ == 0) start_members();
}

void Swarm::register_next() {
  if (to_register_.empty()) return;
  auto [user, server] = std::move(to_register_.front());
  to_register_.pop_front();
  ++registered_out_;
  registering_.push_back(std::make_unique<Registration>(loop_, server, user, config_.password,
                                                        [this](const std::string& problem) {
                                                          if (!problem.empty())
                                                            print("error", problem);
                                                          --registered_out_;
                                                          register_next();
                                                          if (registered_out_ == 0) start_members();
                                                        }));
}

void Swarm::start_members() {
  for (const MemberConfig& config : config_.members) {
    members_.push_back(std::make_unique<Member>(loop_, random_, config, config_.journals,
                                                config_.password, config_.api, totals_));
    members_.back()->start();
  }
}

void Swarm::on_command(const std::string& line) {
  std::istringstream words(line);
  std::string command;
  words >> command;
  if (command == "start") {
    words >> config_.rate;
    sending_ = true;
    last_send_ = loop_.now();
    send_timer_.start_every(kSendTick);
    print("sending");
  } else if (command == "stop") {
    sending_ = false;
    print("stopped");
  } else if (command == "drain") {
    sending_ = false;
    wait_ = Wait::kAnswers;
    for (auto& member : members_) member->come_back();
  } else if (command == "history") {
    wait_ = Wait::kHistory;
    for (auto& member : members_) member->read_history();
  } else if (command == "send") {
    send_one(line.substr(std::min(line.size(), command.size() + 1)));
  } else if (command == "group") {
    change_one(line.substr(std::min(line.size(), command.size() + 1)));
  } else if (command == "reconnect") {
    for (auto& member : members_) member->client().reconnect();
  } else if (command == "tick") {
    print("tick");
  } else if (command == "quit") {
    sending_ = false;
    wait_ = Wait::kEnd;
    for (auto& member : members_) member->stop();
  } else if (!command.empty()) {
    print("error", "unknown command: " + command);
  }
}

void Swarm::send_one(const std::string& arguments) {
  std::istringstream words(arguments);
  std::string user;
  std::string device;
  std::string to;
  std::string text;
  words >> user >> device >> to;
  std::getline(words >> std::ws, text);
  Member* member = device_of(user, device);
  std::optional<ConversationId> conversation;
  if (to.starts_with("g:")) {
    conversation = ConversationId::parse(to);
  } else if (const auto peer = UserId::parse(to); peer && member != nullptr) {
    conversation = ConversationId::between(member->user(), *peer);
  }
  if (member == nullptr || !conversation) {
    return print("error", "no such member or peer: " + arguments);
  }
  member->send(*conversation, text, client::Strength::kLogged);
}

Member* Swarm::device_of(const std::string& user, const std::string& device) {
  const auto found = std::find_if(members_.begin(), members_.end(), [&](const auto& member) {
    return member->user().str() == user && member->device().str() == device;
  });
  return found == members_.end() ? nullptr : found->get();
}

void Swarm::change_one(const std::string& arguments) {
  static const std::map<std::string, MembersAction> kActions = {
      {"create", MembersAction::kCreated},   {"invite", MembersAction::kInvited},
      {"join", MembersAction::kJoined},      {"leave", MembersAction::kLeft},
      {"remove", MembersAction::kRemoved},   {"role", MembersAction::kRoleSet},
      {"disband", MembersAction::kDisbanded}};
  static const std::map<std::string, GroupRole> kRoles = {
      {"member", GroupRole::kMember}, {"admin", GroupRole::kAdmin}, {"owner", GroupRole::kOwner}};
  std::istringstream words(arguments);
  std::string user;
  std::string device;
  std::string action;
  std::string group;
  std::string name;
  words >> user >> device >> action >> group;
  Member* member = device_of(user, device);
  const auto named = kActions.find(action);
  const auto id = GroupId::parse(group);
  MembersChange change;
  if (named != kActions.end()) change.action = named->second;
  if (change.action == MembersAction::kRoleSet && words >> name) {
    const auto role = kRoles.find(name);
    if (role != kRoles.end()) change.role = role->second;
  }
  while (words >> name) change.users.push_back(UserId::parse(name).value_or(UserId()));
  if (member == nullptr || named == kActions.end() || !id || !member->change(*id, change)) {
    print("error", "not a good change: " + arguments);
  }
}

// A group that is there already, after a restart, is refused and good.
void Swarm::make_groups() {
  for (const GroupConfig& group : config_.groups) {
    Member* owner = member_of(group.members.front());
    if (owner == nullptr) continue;
    MembersChange change{.action = MembersAction::kCreated,
                         .join = group.join,
                         .earlier_history = group.earlier_history};
    for (std::size_t i = 1; i < group.members.size(); ++i) {
      change.users.push_back(group.members[i]);
      if (change.users.size() < kMaxUsersPerChange) continue;
      owner->change(group.group, std::exchange(change, {.action = MembersAction::kInvited}));
    }
    if (change.action == MembersAction::kCreated || !change.users.empty()) {
      owner->change(group.group, change);
    }
  }
}

// Any of the user's devices that are here.
Member* Swarm::member_of(const UserId& user) {
  std::vector<Member*> devices;
  for (auto& member : members_) {
    const bool is_here = !member->has_ended() && !member->is_away();
    if (member->user() == user && is_here) devices.push_back(member.get());
  }
  return devices.empty() ? nullptr : devices[plan_.below(devices.size())];
}

// Any device of one of these users that are here, nullptr if none is.
Member* Swarm::any_of(const std::vector<UserId>& users) {
  const std::size_t first = plan_.below(users.size());
  for (std::size_t i = 0; i < users.size(); ++i) {
    Member* member = member_of(users[(first + i) % users.size()]);
    if (member != nullptr) return member;
  }
  return nullptr;
}

// Text of every sort: short and long, one line and several, and not only ASCII.
std::string Swarm::next_text(const Member& member) {
  static const char* const kWords[] = {"swallow", "tab\there", "line\nbreak", "鸟不落地",
                                       "é",       "🐦",         "\"quoted\"",  "back\\slash"};
  std::string text =
      member.user().str() + "/" + member.device().str() + " " + std::to_string(++numbered_);
  const std::uint64_t span = config_.max_text_bytes - config_.min_text_bytes + 1;
  const std::uint64_t wanted = config_.min_text_bytes + plan_.below(span);
  while (text.size() < wanted) {
    text += ' ';
    text += kWords[plan_.below(std::size(kWords))];
  }
  return text;
}

void Swarm::send_some() {
  if (!sending_ || config_.pairs.size() + config_.groups.size() == 0) {
    send_timer_.cancel();
    return;
  }
  const MonotonicTime now = loop_.now();
  send_some_away(now - last_send_);
  credit_ += config_.rate * std::chrono::duration<double>(now - last_send_).count();
  credit_ = std::min(credit_, kMostCredit);
  last_send_ = now;
  for (; credit_ >= 1; credit_ -= 1) {
    if (config_.total > 0 && planned_ == config_.total) {
      sending_ = false;
      return print("stopped");
    }
    ++planned_;
    send_planned();
  }
}

void Swarm::send_some_away(Duration passed) {
  leaves_ += config_.leaves_per_s * std::chrono::duration<double>(passed).count();
  for (leaves_ = std::min(leaves_, kMostCredit); leaves_ >= 1; leaves_ -= 1) {
    const Duration time = kMinAway + Duration(plan_.below((kMaxAway - kMinAway).count()));
    members_[plan_.below(members_.size())]->go_away(time);
  }
}

// A pair, or a group behind them.
std::uint64_t Swarm::next_place() {
  const std::size_t pairs = config_.pairs.size();
  const std::size_t groups = config_.groups.size();
  if (!config_.group_percent || pairs == 0 || groups == 0) return plan_.below(pairs + groups);
  const bool is_group = plan_.below(100) < *config_.group_percent;
  return is_group ? pairs + plan_.below(groups) : plan_.below(pairs);
}

// One message to any of the pairs and groups.
void Swarm::send_planned() {
  const std::uint64_t place = next_place();
  Member* member = nullptr;
  ConversationId to;
  if (place < config_.pairs.size()) {
    const auto& [one, other] = config_.pairs[place];
    to = ConversationId::between(one, other);
    const bool swapped = plan_.below(2) == 1;
    member = member_of(swapped ? other : one);
    if (member == nullptr) member = member_of(swapped ? one : other);
  } else {
    const GroupConfig& group = config_.groups[place - config_.pairs.size()];
    to = ConversationId::of_group(group.group);
    member = any_of(group.members);
  }
  if (member == nullptr) return;
  const bool stored = plan_.below(100) < config_.stored_percent;
  member->send(to, next_text(*member),
               stored ? client::Strength::kStored : client::Strength::kLogged);
}

bool Swarm::all(bool (Member::*is)() const) const {
  return std::all_of(members_.begin(), members_.end(),
                     [is](const auto& member) { return member->has_ended() || ((*member).*is)(); });
}

// Conditions are cheap, and no event says when the last of them has come true.
void Swarm::poll() {
  if (members_.empty() && wait_ != Wait::kEnd) return;
  if (wait_ == Wait::kReady && all(&Member::is_ready)) {
    wait_ = Wait::kGroups;
    if (config_.makes_groups) make_groups();
  } else if (wait_ == Wait::kGroups && all(&Member::is_answered)) {
    wait_ = Wait::kNothing;
    print("ready");
  } else if (wait_ == Wait::kAnswers && all(&Member::is_answered)) {
    wait_ = Wait::kChecks;
    for (auto& member : members_) member->begin_check();
  } else if (wait_ == Wait::kChecks && all(&Member::is_checked)) {
    wait_ = Wait::kNothing;
    print("drained");
  } else if (wait_ == Wait::kHistory && all(&Member::has_read_history)) {
    wait_ = Wait::kNothing;
    print("history");
  } else if (wait_ == Wait::kEnd && all(&Member::has_ended)) {
    print("bye");
    loop_.stop();
  }
}

void Swarm::print(const std::string& status, const std::string& text) {
  client::SyncEngine::Counters sync;
  std::uint64_t repeats = 0;
  std::uint64_t logins = 0;
  std::uint64_t ended = 0;
  std::uint64_t unanswered = 0;
  for (const auto& member : members_) {
    const auto& one = member->client().sync().counters();
    sync.syncs += one.syncs;
    sync.fetches += one.fetches;
    sync.fetched += one.fetched;
    sync.gaps += one.gaps;
    sync.live_missed += one.live_missed;
    sync.duplicates += one.duplicates;
    repeats += member->client().queue().counters().repeats;
    unanswered += member->client().queue().unacknowledged();
    logins += member->client().logins();
    ended += member->has_ended() ? 1 : 0;
  }
  const nlohmann::ordered_json line = {{"status", status},
                                       {"text", text},
                                       {"members", members_.size()},
                                       {"ended", ended},
                                       {"logins", logins},
                                       {"sent", totals_.sent},
                                       {"acked", totals_.acked},
                                       {"stored", totals_.stored},
                                       {"refused", totals_.refused},
                                       {"unanswered", unanswered},
                                       {"received", totals_.received},
                                       {"dropped", totals_.dropped},
                                       {"changes", totals_.changes},
                                       {"changes_refused", totals_.changes_refused},
                                       {"repeats", repeats},
                                       {"syncs", sync.syncs},
                                       {"fetches", sync.fetches},
                                       {"fetched", sync.fetched},
                                       {"gaps", sync.gaps},
                                       {"live_missed", sync.live_missed},
                                       {"duplicates", sync.duplicates},
                                       {"ack_p50_ms", percentile(totals_.ack_ms, 0.5)},
                                       {"ack_p99_ms", percentile(totals_.ack_ms, 0.99)},
                                       {"ack_max_ms", percentile(totals_.ack_ms, 1)}};
  std::printf("%s\n", line.dump().c_str());
  std::fflush(stdout);
}

}  // namespace martlet::swarm
