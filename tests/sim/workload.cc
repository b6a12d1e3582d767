#include "sim/workload.h"

#include <spdlog/fmt/fmt.h>

namespace martlet::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::size_t kSends = 210;
constexpr std::size_t kMostSends = 320;
constexpr std::size_t kChanges = 24;
constexpr std::size_t kReads = 10;
constexpr std::size_t kLongestBurst = 12;
// Of a thousand messages.
constexpr std::uint64_t kToGroups = 450;
constexpr std::uint64_t kWantStored = 250;
// Of a thousand changes of members.
constexpr std::uint64_t kWriteMeanwhile = 700;
constexpr Duration kAtOnce = milliseconds(1);
constexpr Duration kMeanwhile = milliseconds(40);

}  // namespace

Device* Workload::any_device() {
  auto& devices = world_.devices();
  Device* device = devices[world_.scheduler().random().below(devices.size())].get();
  return device->is_running() ? device : nullptr;
}

ConversationId Workload::any_conversation(const Device& device) {
  Scheduler& scheduler = world_.scheduler();
  if (scheduler.chance(kToGroups)) {
    return ConversationId::of_group(
        world_.groups()[scheduler.random().below(world_.groups().size())]);
  }
  const auto& users = world_.users();
  return ConversationId::between(device.user(), users[scheduler.random().below(users.size())]);
}

void Workload::begin() {
  Scheduler& scheduler = world_.scheduler();
  for (std::size_t i = 0; i < world_.groups().size(); ++i) {
    MembersChange create{.action = MembersAction::kCreated, .title = "a group"};
    if (i == 1) create.join = JoinPolicy::kAnyone;
    for (const UserId& user : world_.users()) {
      if (scheduler.chance(700) && user != world_.users()[0]) create.users.push_back(user);
    }
    world_.devices()[0]->change(world_.groups()[i], create);
  }
  scheduler.run_until(scheduler.now() + seconds(10),
                      [this] { return world_.devices()[0]->is_at_rest(); });
}

void Workload::plan(Duration time) {
  Scheduler& scheduler = world_.scheduler();
  const auto some_time = [&] { return scheduler.between(Duration(0), time); };
  const std::size_t sends = kSends + scheduler.random().below(kMostSends - kSends);
  for (std::size_t planned = 0; planned < sends;) {
    const std::size_t burst =
        scheduler.chance(100) ? 1 + scheduler.random().below(kLongestBurst) : 1;
    planned += burst;
    scheduler.after(some_time(), nullptr, [this, burst] { send_some(burst); });
  }
  for (std::size_t i = 0; i < kChanges; ++i) {
    scheduler.after(some_time(), nullptr, [this] { change_something(); });
  }
  for (std::size_t i = 0; i < kReads; ++i) {
    scheduler.after(some_time(), nullptr, [this] { read_something(); });
  }
}

void Workload::send_some(std::size_t count) {
  Scheduler& scheduler = world_.scheduler();
  Device* device = any_device();
  if (device == nullptr) return;
  const ConversationId to = any_conversation(*device);
  for (std::size_t i = 0; i < count; ++i) {
    const auto want =
        scheduler.chance(kWantStored) ? client::Strength::kStored : client::Strength::kLogged;
    device->send(to, fmt::format("text {}", ++texts_), want);
  }
}

// Whether it is allowed or not: the dispatcher judges.
void Workload::change_something() {
  Scheduler& scheduler = world_.scheduler();
  Device* device = any_device();
  if (device == nullptr) return;
  const auto& users = world_.users();
  const GroupId group = world_.groups()[scheduler.random().below(world_.groups().size())];
  const UserId other = users[scheduler.random().below(users.size())];
  MembersChange change;
  switch (scheduler.random().below(8)) {
    case 0:
      change.action = MembersAction::kLeft;
      break;
    case 1:
    case 2:
      change.action = MembersAction::kJoined;
      break;
    case 3:
      change.action = MembersAction::kRoleSet;
      change.role = GroupRole::kAdmin;
      change.users = {other};
      break;
    case 4:
    case 5:
      change.action = MembersAction::kInvited;
      change.users = {other};
      break;
    default:
      change.action = MembersAction::kRemoved;
      change.users = {other};
      break;
  }
  // The first user owns the groups and may do all of it.
  if (change.action == MembersAction::kInvited || change.action == MembersAction::kRemoved) {
    Device* owner = world_.devices()[0].get();
    if (owner->is_running()) device = owner;
  }
  if (!change.users.empty() && change.users[0] == device->user()) return;
  device->change(group, change);
  const UserId& concerned = change.users.empty() ? device->user() : change.users[0];
  if (scheduler.chance(kWriteMeanwhile)) write_meanwhile(concerned, group);
}

// Who comes or goes writes at that moment.
void Workload::write_meanwhile(const UserId& user, const GroupId& group) {
  Scheduler& scheduler = world_.scheduler();
  for (const auto& device : world_.devices()) {
    if (device->user() != user) continue;
    const Duration later = scheduler.chance(500) ? kAtOnce : kMeanwhile;
    scheduler.after(scheduler.between(Duration(0), later), nullptr, [&, group] {
      if (!device->is_running()) return;
      device->send(ConversationId::of_group(group), fmt::format("text {}", ++texts_),
                   client::Strength::kLogged);
    });
  }
}

void Workload::read_something() {
  Device* device = any_device();
  if (device == nullptr || device->history().shown.empty()) return;
  const ShownRecord& shown = device->history().shown.back();
  const auto& users = world_.users();
  const UserId& other = users[world_.scheduler().random().below(users.size())];
  const UserId& third = users[world_.scheduler().random().below(users.size())];
  device->pry(ConversationId::between(other, third));
  const InLane inside(device->lane());
  device->client().mark_read(shown.conversation, shown.seq);
}

}  // namespace martlet::sim
