#include "sim/nemesis.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>

#include "base/log.h"
#include "bus/lease_record.h"
#include "wire/log_batch.h"

namespace martlet::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Duration kShortest = milliseconds(50);
constexpr Duration kLongestPause = seconds(6);
constexpr Duration kSoon = seconds(1);
constexpr Duration kLongestTail = seconds(2);
constexpr Duration kLongestAway = seconds(4);
constexpr std::size_t kMinFaults = 2;
constexpr std::size_t kMaxFaults = 6;

}  // namespace

const std::vector<Nemesis::Kind>& Nemesis::kinds() {
  static const std::vector<Kind> all = {
      {"kill edge", 6, &Nemesis::kill_edge},
      {"kill dispatcher", 8, &Nemesis::kill_dispatcher},
      {"kill persist", 6, &Nemesis::kill_persist},
      {"kill two", 4, &Nemesis::kill_pair},
      {"kill client", 5, &Nemesis::kill_client, true},
      {"kill broker", 4, &Nemesis::kill_broker},
      {"pause edge", 4, &Nemesis::pause_edge},
      {"pause dispatcher", 5, &Nemesis::pause_dispatcher},
      {"pause persist", 3, &Nemesis::pause_persist},
      {"pause broker", 3, &Nemesis::pause_broker},
      {"pause client", 2, &Nemesis::pause_client},
      {"stop edge", 3, &Nemesis::stop_edge},
      {"stop dispatcher", 3, &Nemesis::stop_dispatcher},
      {"stop persist", 3, &Nemesis::stop_persist},
      {"add edge", 2, &Nemesis::add_edge, true},
      {"client moves", 3, &Nemesis::move_client, true},
      {"client reset", 3, &Nemesis::reset_client, true},
      {"client silence", 2, &Nemesis::silence_client},
      {"client stands still", 3, &Nemesis::hold_client},
      {"cut link", 6, &Nemesis::cut_link},
      {"drop events, told", 4, &Nemesis::drop_events},
      {"lose events, untold", 5, &Nemesis::lose_events},
      {"lose announcements", 3, &Nemesis::lose_announcements},
      {"lose append answers", 4, &Nemesis::lose_append_answers},
      {"delay appends", 4, &Nemesis::delay_appends},
      {"refuse appends", 3, &Nemesis::refuse_appends},
      {"election", 2, &Nemesis::elect},
      {"ends told late", 2, &Nemesis::late_ends},
      {"both win the lease", 2, &Nemesis::both_win},
      {"append at the worst moment", 3, &Nemesis::hold_append},
      {"power cut", 3, &Nemesis::cut_power},
      {"edge left alone", 4, &Nemesis::leave_edge_alone},
      {"database away", 3, &Nemesis::stop_database},
      {"commit answers lost", 4, &Nemesis::lose_commit_answers},
      {"database slow", 2, &Nemesis::slow_database},
  };
  return all;
}

std::vector<std::string> Nemesis::names() {
  std::vector<std::string> names;
  for (const Kind& kind : kinds()) names.emplace_back(kind.name);
  return names;
}

void Nemesis::plan(Duration time) {
  Scheduler& scheduler = world_.scheduler();
  const MonotonicTime end = scheduler.now() + time;
  const std::size_t count = kMinFaults + scheduler.random().below(kMaxFaults - kMinFaults + 1);
  for (std::size_t i = 0; i < count; ++i) {
    scheduler.after(scheduler.between(Duration(0), time * 9 / 10), nullptr,
                    [this, end] { strike(end - world_.scheduler().now()); });
  }
}

void Nemesis::strike(Duration left) {
  const bool calm = world_.history().calm;
  std::uint64_t sum = 0;
  for (const Kind& kind : kinds()) sum += !calm || kind.in_calm ? kind.weight : 0;
  std::uint64_t drawn = world_.scheduler().random().below(sum);
  for (const Kind& kind : kinds()) {
    if (calm && !kind.in_calm) continue;
    if (drawn >= kind.weight) {
      drawn -= kind.weight;
      continue;
    }
    if (!(this->*kind.strike)(left)) return;
    MARTLET_LOG(info, "fault kind={}", kind.name);
    world_.coverage().add(std::string("fault: ") + kind.name);
    world_.coverage().add("faults");
    return;
  }
}

// ---- choosing ----------------------------------------------------------------------------------

Duration Nemesis::some_time(Duration left, Duration most) {
  return world_.scheduler().between(kShortest, std::max(kShortest, std::min(left, most)));
}

Slot* Nemesis::living(std::vector<Slot>& slots) {
  Slot& slot = slots[world_.scheduler().random().below(slots.size())];
  return slot.node && !slot.node->lane()->paused ? &slot : nullptr;
}

Slot& Nemesis::any_service() {
  std::vector<Slot*> all;
  for (auto* slots : {&world_.edges(), &world_.dispatchers(), &world_.persists()}) {
    for (Slot& slot : *slots) all.push_back(&slot);
  }
  return *all[world_.scheduler().random().below(all.size())];
}

LinkPtr Nemesis::any_link() {
  const auto& links = world_.broker().links();
  return links.empty() ? nullptr : links[world_.scheduler().random().below(links.size())];
}

Device* Nemesis::any_device() {
  auto& devices = world_.devices();
  Device* device = devices[world_.scheduler().random().below(devices.size())].get();
  return device->is_running() && !device->lane()->paused ? device : nullptr;
}

// ---- processes ---------------------------------------------------------------------------------

// Who knows how far a log went must not be gone with the log's end, for as long as another one
// takes to own the shard (docs/adr/0031).
bool Nemesis::is_witness(const std::vector<Slot>& slots) const {
  return power_goes_ && &slots == &world_.dispatchers();
}

bool Nemesis::kill(std::vector<Slot>& slots, Duration left) {
  Slot* slot = living(slots);
  if (slot == nullptr || is_witness(slots)) return false;
  MARTLET_LOG(info, "killed name={}", slot->name);
  world_.kill(*slot);
  world_.start_later(*slot, some_time(left, kLongestAway));
  return true;
}

bool Nemesis::kill_pair(Duration left) {
  if (power_goes_) return false;
  for (int i = 0; i < 2; ++i) {
    Slot& slot = any_service();
    if (!slot.node) continue;
    MARTLET_LOG(info, "killed name={}", slot.name);
    world_.kill(slot);
    world_.start_later(slot, some_time(left, kLongestAway));
  }
  return true;
}

void Nemesis::pause_lane(const LanePtr& lane, Duration time) {
  Scheduler& scheduler = world_.scheduler();
  MARTLET_LOG(info, "paused name={} ms={}", lane->name, to_ms(time));
  scheduler.pause(lane);
  scheduler.after(time, nullptr, [&scheduler, lane] { scheduler.resume(lane); });
}

bool Nemesis::pause(std::vector<Slot>& slots, Duration left) {
  Slot* slot = living(slots);
  if (slot == nullptr || is_witness(slots)) return false;
  pause_lane(slot->node->lane(), some_time(left, kLongestPause));
  return true;
}

bool Nemesis::stop(std::vector<Slot>& slots) {
  Slot* slot = living(slots);
  if (slot == nullptr || is_witness(slots)) return false;
  MARTLET_LOG(info, "stopped name={}", slot->name);
  world_.stop(*slot);
  return true;
}

// An edge stands still with what its clients wrote, and they go on elsewhere.
bool Nemesis::leave_edge_alone(Duration left) {
  Slot* slot = living(world_.edges());
  if (slot == nullptr) return false;
  pause_lane(slot->node->lane(),
             std::max(some_time(left, kLongestPause), std::min(left, kSoon * 4)));
  world_.scheduler().after(some_time(left, kSoon), nullptr, [this] {
    for (const auto& device : world_.devices()) {
      if (!device->is_running() || device->lane()->paused) continue;
      const InLane inside(device->lane());
      device->client().reconnect();
    }
  });
  return true;
}

bool Nemesis::add_edge(Duration) {
  const std::size_t before = world_.edges().size();
  world_.add_edge();
  if (world_.edges().size() == before) return false;
  world_.start(world_.edges().back());
  return true;
}

// ---- clients -----------------------------------------------------------------------------------

bool Nemesis::kill_client(Duration left) {
  Device* device = any_device();
  if (device == nullptr) return false;
  device->kill();
  world_.scheduler().after(some_time(left, kLongestAway), nullptr, [device] { device->start(); });
  return true;
}

bool Nemesis::pause_client(Duration left) {
  Device* device = any_device();
  if (device == nullptr) return false;
  pause_lane(device->lane(), some_time(left, kLongestPause));
  return true;
}

bool Nemesis::move_client(Duration) {
  Device* device = any_device();
  if (device == nullptr) return false;
  const InLane inside(device->lane());
  device->client().reconnect();
  return true;
}

bool Nemesis::hit_client(Sockets::Fault fault, Duration left) {
  Device* device = any_device();
  return device != nullptr &&
         Sockets::get().hit(device->lane(), fault, some_time(left, kLongestPause)) > 0;
}

// ---- the broker --------------------------------------------------------------------------------

bool Nemesis::kill_broker(Duration left) {
  Broker& broker = world_.broker();
  const std::size_t server = world_.scheduler().random().below(broker.servers());
  if (!broker.is_up(server)) return false;
  broker.kill(server);
  if (broker.servers() > 1) broker.elect(some_time(left, kLongestAway));
  world_.scheduler().after(some_time(left, kLongestAway), nullptr,
                           [&broker, server] { broker.start(server); });
  return true;
}

bool Nemesis::pause_broker(Duration left) {
  Broker& broker = world_.broker();
  const std::size_t server = world_.scheduler().random().below(broker.servers());
  if (!broker.is_up(server)) return false;
  broker.pause(server);
  world_.scheduler().after(some_time(left, kLongestPause), nullptr,
                           [&broker, server] { broker.resume(server); });
  return true;
}

bool Nemesis::cut_link(Duration left) {
  const LinkPtr link = any_link();
  if (!link || !link->up) return false;
  MARTLET_LOG(info, "cut name={}", link->lane->name);
  world_.broker().cut(link, some_time(left, kLongestAway));
  return true;
}

bool Nemesis::drop_events(Duration) {
  const LinkPtr link = any_link();
  if (!link) return false;
  link->drop_events = 1 + world_.scheduler().random().below(20);
  return true;
}

bool Nemesis::lose_events(Duration) {
  const LinkPtr link = any_link();
  if (!link) return false;
  link->lose_silently = 1 + world_.scheduler().random().below(4);
  return true;
}

// Of watermarks, at a dispatcher.
bool Nemesis::lose_announcements(Duration) {
  const LinkPtr link = any_link();
  if (!link || !link->lane->name.starts_with("dispatcher")) return false;
  link->lose_watermarks = 1 + world_.scheduler().random().below(40);
  return true;
}

bool Nemesis::lose_append_answers(Duration) {
  const LinkPtr link = any_link();
  if (!link) return false;
  link->lose_answers = 1 + world_.scheduler().random().below(3);
  return true;
}

bool Nemesis::delay_appends(Duration) {
  const LinkPtr link = any_link();
  if (!link) return false;
  link->delay_answers = 1 + world_.scheduler().random().below(3);
  return true;
}

bool Nemesis::refuse_appends(Duration) {
  world_.jetstream().refuse_appends = 1 + world_.scheduler().random().below(3);
  return true;
}

bool Nemesis::hold_append(Duration) {
  world_.jetstream().hold_changes = 1;
  return true;
}

bool Nemesis::elect(Duration left) {
  world_.broker().elect(some_time(left, kLongestAway));
  return true;
}

bool Nemesis::late_ends(Duration left) {
  if (world_.broker().servers() == 1) return false;
  JetStream& jetstream = world_.jetstream();
  world_.history().ends_late = true;
  jetstream.ends_late = world_.scheduler().between(milliseconds(20), milliseconds(400));
  world_.scheduler().after(some_time(left, kLongestPause), nullptr,
                           [&jetstream] { jetstream.ends_late = Duration(0); });
  return true;
}

bool Nemesis::both_win(Duration) {
  world_.jetstream().both_win = 1 + world_.scheduler().random().below(2);
  return true;
}

// All servers lose power, and with it what the disks do not have yet: most of the database's own
// history is there. Often the database is away as well, for it stood beside them.
bool Nemesis::cut_power(Duration left) {
  Broker& broker = world_.broker();
  if (power_goes_) return false;
  for (std::size_t i = 0; i < broker.servers(); ++i) {
    if (!broker.is_up(i)) return false;
  }
  if (world_.scheduler().chance(500)) stop_database(left);
  for (const Slot& slot : world_.dispatchers()) {
    if (!slot.node || slot.node->lane()->paused) return false;
  }
  power_goes_ = true;
  const Duration before = some_time(left, kSoon);
  world_.scheduler().after(before, nullptr, [this, left, before] { lose_power(left - before); });
  return true;
}

// Every log ends with what its present owner, or the one who gave it back, appended.
bool Nemesis::owners_know_the_ends() {
  for (std::uint16_t i = 0; i < world_.options().shards; ++i) {
    const auto& records = world_.jetstream().stream(ShardId(i)).records;
    const auto lease = world_.jetstream().entries.find(bus::shard_key("dispatch", ShardId(i)));
    if (records.empty() || lease == world_.jetstream().entries.end()) continue;
    const auto last = wire::parse_batch(records.back().batch);
    const auto owner = bus::decode_record(lease->second.value, lease->second.revision);
    if (last && last->epoch != owner.epoch) return false;
  }
  return true;
}

void Nemesis::lose_power(Duration left) {
  Broker& broker = world_.broker();
  if (!owners_know_the_ends()) {
    if (left < kSoon) return;
    return world_.scheduler().after(kSoon / 10, nullptr,
                                    [this, left] { lose_power(left - kSoon / 10); });
  }
  const Duration tail = some_time(kLongestTail, kLongestTail);
  for (std::size_t i = 0; i < broker.servers(); ++i) {
    if (!broker.is_up(i)) return;
  }
  for (std::size_t i = 0; i < broker.servers(); ++i) broker.kill(i);
  std::size_t lost = 0;
  for (std::uint16_t i = 0; i < world_.options().shards; ++i) {
    lost += world_.jetstream().lose_tail(ShardId(i), tail);
  }
  MARTLET_LOG(info, "power_cut lost={}", lost);
  world_.coverage().add("appends lost with power", lost);
  world_.history().power_cut = world_.scheduler().now();
  world_.scheduler().after(some_time(left, kLongestAway), nullptr, [&broker] {
    for (std::size_t i = 0; i < broker.servers(); ++i) broker.start(i);
  });
}

// ---- the database ------------------------------------------------------------------------------

bool Nemesis::stop_database(Duration left) {
  Database& database = world_.database();
  if (!database.up) return false;
  database.up = false;
  world_.scheduler().after(some_time(left, kLongestPause), nullptr,
                           [&database] { database.up = true; });
  return true;
}

bool Nemesis::lose_commit_answers(Duration) {
  world_.database().lose_answers = 1 + world_.scheduler().random().below(4);
  return true;
}

bool Nemesis::slow_database(Duration left) {
  Database& database = world_.database();
  database.slow = world_.scheduler().between(milliseconds(5), milliseconds(300));
  world_.scheduler().after(some_time(left, kLongestPause), nullptr,
                           [&database] { database.slow = Duration(0); });
  return true;
}

}  // namespace martlet::sim
