#include "sim/world.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "client/limits.h"

namespace martlet::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::size_t kMaxEdges = 5;
constexpr std::uint16_t kFirstPort = 7000;
constexpr std::size_t kDispatchers = 2;
constexpr std::size_t kPersists = 2;
constexpr std::uint64_t kCalmWorlds = 100;  // per mille
constexpr Duration kStopTime = seconds(8);
constexpr Duration kRestartTime = milliseconds(300);
// A client whose link died without a word gives a request up after 20 s and asks again elsewhere;
// then the tail check with the jitter of its period, and the way of the answers.
constexpr Duration kAnswerTime = seconds(25);
constexpr Duration kStoredTime = seconds(75);
constexpr Duration kSlack = seconds(8);

const auth::SigningKey& signing_key() {
  static const auth::SigningKey key = auth::SigningKey::generate("sim").value();
  return key;
}

// Other worlds with other seeds: options from the corners.
WorldOptions options_of(Random& random) {
  WorldOptions options;
  options.shards = static_cast<std::uint16_t>(1 + random.below(3));
  options.linger = milliseconds(500 + 1000 * random.below(5));
  options.keep = seconds(1 + random.below(6));
  options.shard.heads = 2 + random.below(12);
  options.shard.window_time = seconds(1 + random.below(1 + random.below(20)));
  if (random.below(5) == 0) options.credit = 2 + random.below(20);
  if (random.below(5) == 0) options.shard.fanout.sender = std::uint32_t(12 + random.below(20));
  options.page_conversations = random.below(2) * (1 + random.below(3));
  return options;
}

}  // namespace

World::World(std::uint64_t seed)
    : scheduler_(seed), options_(options_of(scheduler_.random())), database_(options_.shards) {
  history_.calm = scheduler_.chance(kCalmWorlds);
  broker_ = std::make_unique<Broker>(!history_.calm && scheduler_.chance(300) ? 3 : 1);
  database_.page_conversations = options_.page_conversations;
  add_slots();
  add_devices();
}

World::~World() {
  devices_.clear();
  intruder_.reset();
  edges_.clear();
  dispatchers_.clear();
  persists_.clear();
}

// ---- what there is -----------------------------------------------------------------------------

void World::add_slots() {
  edges_.reserve(kMaxEdges);
  const std::size_t edges = 2 + scheduler_.random().below(2);
  for (std::size_t i = 0; i < edges; ++i) add_edge();
  const Backbone backbone{*broker_, jetstream_, database_, signing_key()};
  for (std::size_t i = 0; i < kDispatchers; ++i) {
    dispatchers_.push_back({.name = fmt::format("dispatcher-{}", i),
                            .make = [this, backbone](const std::string& name) {
                              return std::make_unique<DispatcherNode>(name, backbone, options_);
                            }});
  }
  for (std::size_t i = 0; i < kPersists; ++i) {
    persists_.push_back(
        {.name = fmt::format("persist-{}", i), .make = [this, backbone](const std::string& name) {
           return std::make_unique<PersistNode>(name, backbone, options_);
         }});
  }
}

void World::add_edge() {
  if (edges_.size() == kMaxEdges) return;
  const auto port = static_cast<std::uint16_t>(kFirstPort + edges_.size());
  const Backbone backbone{*broker_, jetstream_, database_, signing_key()};
  edges_.push_back({.name = fmt::format("edge-{}", edges_.size()),
                    .make = [this, backbone, port](const std::string& name) {
                      return std::make_unique<EdgeNode>(name, backbone, options_, port);
                    }});
}

client::AddressList World::addresses() {
  std::vector<net::Address> all;
  for (std::size_t i = 0; i < kMaxEdges; ++i) {
    all.push_back({"127.0.0.1", static_cast<std::uint16_t>(kFirstPort + i)});
  }
  for (std::size_t i = edges_.size(); i > 1; --i) {
    std::swap(all[i - 1], all[scheduler_.random().below(i)]);
  }
  all.resize(edges_.size());
  return client::AddressList(std::move(all));
}

void World::add_devices() {
  const std::size_t users = 4 + scheduler_.random().below(3);
  for (std::size_t i = 0; i < users; ++i) {
    users_.push_back(UserId::trusted(fmt::format("user{}", i)));
    MARTLET_ASSERT(database_.tables.create_account(users_.back(), "-", scheduler_.wall_ms()));
  }
  for (const char* name : {"grp-one", "grp-two"}) groups_.push_back(GroupId::trusted(name));
  history_.devices.reserve(2 * users + 3);
  for (std::size_t i = 0; i < users; ++i) {
    const std::size_t count = i == 0 ? 2 : 1 + scheduler_.random().below(2);
    for (std::size_t k = 0; k < count; ++k) {
      const DeviceId device = DeviceId::trusted(fmt::format("d{}", k));
      devices_.push_back(
          std::make_unique<Device>(Device::Given{users_[i], device, token_of(users_[i], device),
                                                 addresses(), history_.acknowledged},
                                   history_.devices.emplace_back()));
    }
  }
  add_intruder();
}

// With a token that somebody else signed, in the name of the first user.
void World::add_intruder() {
  const DeviceId device = DeviceId::trusted("evil");
  DeviceHistory& history = history_.devices.emplace_back();
  history.is_intruder = true;
  intruder_ =
      std::make_unique<Device>(Device::Given{users_[0], device, forged_token_of(users_[0], device),
                                             addresses(), history_.acknowledged},
                               history);
}

// ---- processes ---------------------------------------------------------------------------------

void World::start(Slot& slot) {
  if (slot.node) return;
  slot.node = slot.make(fmt::format("{}-{}", slot.name, ++slot.starts));
  slot.node->on_failed = [this, &slot, lane = slot.node->lane()] {
    scheduler_.after(Duration(0), nullptr, [this, &slot, lane] {
      if (!slot.node || slot.node->lane() != lane) return;
      kill(slot);
      start_later(slot, kRestartTime);
    });
  };
  slot.node->start();
}

void World::kill(Slot& slot) {
  if (!slot.node) return;
  coverage().add(slot.node->registry());
  slot.node.reset();
}

void World::start_later(Slot& slot, Duration delay) {
  scheduler_.after(delay, nullptr, [this, &slot] { start(slot); });
}

void World::stop(Slot& slot) {
  if (!slot.node) return;
  const LanePtr lane = slot.node->lane();
  const auto end = [this, &slot, lane] {
    scheduler_.after(Duration(0), nullptr, [this, &slot, lane] {
      if (!slot.node || slot.node->lane() != lane) return;
      kill(slot);
      start_later(slot, kRestartTime);
    });
  };
  slot.node->stop(end);
  scheduler_.after(kStopTime, nullptr, end);
}

// ---- a life ------------------------------------------------------------------------------------

bool World::all_online() const {
  return std::all_of(devices_.begin(), devices_.end(), [](const auto& device) {
    return device->is_running() && device->client().state() == client::State::kOnline &&
           device->client().sync().is_settled();
  });
}

void World::begin() {
  for (auto* slots : {&persists_, &dispatchers_, &edges_}) {
    for (Slot& slot : *slots) start(slot);
  }
  scheduler_.run_until(scheduler_.now() + milliseconds(500));
  for (const auto& device : devices_) device->start();
  scheduler_.run_until(scheduler_.now() + seconds(30), [this] { return all_online(); });
  MARTLET_ASSERT(all_online() && "a world without faults comes up");
  intruder_->start();
  intruder_->send(ConversationId::with_self(users_[0]), "in your name", client::Strength::kLogged);
}

// All that was sent has its end, and the database has all of the logs.
bool World::at_rest() {
  const bool idle = std::all_of(devices_.begin(), devices_.end(),
                                [](const auto& device) { return device->is_at_rest(); });
  if (!idle) return false;
  const auto states = database_.tables.load_shards();
  for (const bus::LogInfo& info : jetstream_.infos()) {
    const store::ShardState& state = (*states)[info.shard.value()];
    if (state.base + info.last.value() > state.watermark.value()) return false;
  }
  return true;
}

std::string World::who_is_busy() {
  std::string text;
  for (const auto& device : devices_) {
    if (device->is_at_rest()) continue;
    text += fmt::format(
        " {}/{} (state {}, {} unanswered, {} not stored, changes empty: {}, {} retryable, {} "
        "overdue)",
        device->user().str(), device->history().device.str(), int(device->client().state()),
        device->client().queue().unacknowledged(), device->client().queue().unstored(),
        device->client().changes().empty(), device->client().queue().counters().retryable,
        device->client().queue().counters().overdue);
  }
  const auto states = database_.tables.load_shards();
  for (const bus::LogInfo& info : jetstream_.infos()) {
    const store::ShardState& state = (*states)[info.shard.value()];
    text += fmt::format(" shard {}: log ends at {}, stored to {}", info.shard.value(),
                        state.base + info.last.value(), state.watermark.value());
  }
  return text;
}

void World::collect_store() {
  history_.store.clear();
  history_.two_owners = coverage().of("path: two told that they won") > 0;
  history_.dead_entries = database_.tables.dead_entries().size();
  for (const ConversationId& conversation : database_.tables.conversations()) {
    std::vector<StoredMessage>& all = history_.store[conversation];
    for (const auto& [seq, row] : database_.tables.messages(conversation)) {
      all.push_back({Seq(static_cast<std::uint64_t>(seq)), row.message_id, row.sender,
                     row.client_msg_id, row.content.value_or(Bytes()), row.generation,
                     !row.content.has_value()});
    }
  }
}

// What a power cut took may be refused when it is sent again: its sender is not in the group now.
std::string World::who_waits_for_stored() const {
  std::string text;
  for (const DeviceHistory& device : history_.devices) {
    for (const SentRecord& sent : device.sent) {
      const bool waits =
          sent.wants_stored && !sent.stored && sent.outcome == SentRecord::Outcome::kAcknowledged;
      if (!waits || is_before_cut(history_, sent)) continue;
      text += fmt::format(" {}/{} was not told that {}#{} is stored", device.user.str(),
                          device.device.str(), sent.conversation.str(), sent.seq.value());
    }
  }
  return text;
}

// They ask again, at longer and longer intervals.
std::string World::wait_for_stored() {
  const MonotonicTime last = scheduler_.now() + kStoredTime;
  std::string waiting = who_waits_for_stored();
  while (!waiting.empty() && scheduler_.now() < last) {
    scheduler_.run_until(scheduler_.now() + seconds(1));
    waiting = who_waits_for_stored();
  }
  return waiting;
}

// Who lacks something has until the tail check; what a power cut took is taken back by it, too, and
// may be sent again until then. Whose link died without a word learns it when that is not answered.
std::vector<Finding> World::judge() {
  MonotonicTime told = scheduler_.now() + options_.tail_check * 5 / 4 + kSlack;
  if (coverage().of("fault: client silence") > 0) told += client::kRequestDeadline;
  for (Duration wait = milliseconds(300);; wait = seconds(2)) {
    scheduler_.run_until(scheduler_.now() + wait);
    collect_store();
    const std::vector<Finding> findings = check(history_);
    const bool lacks_something =
        std::any_of(findings.begin(), findings.end(), [this](const Finding& finding) {
          return finding.breach == Breach::kNotDelivered || history_.power_cut;
        });
    if (!lacks_something || scheduler_.now() > told) return findings;
    coverage().add("waits for the tail check");
  }
}

std::vector<Finding> World::finish() {
  for (std::size_t i = 0; i < devices_.size(); ++i) {
    history_.devices[i].stayed = devices_[i]->is_running() && devices_[i]->logins() == 1;
  }
  const MonotonicTime answered = scheduler_.now() + kAnswerTime;
  scheduler_.run_until(answered, [this] { return at_rest(); });
  history_.settled = at_rest();
  if (!history_.settled) history_.unsettled = who_is_busy();
  // Before anything is held against the tables: a message that a power cut took is sent again.
  const std::string not_stored = history_.settled ? wait_for_stored() : std::string();
  std::vector<Finding> findings = judge();
  if (findings.empty() && scheduler_.chance(300)) {
    read_history();
    findings = judge();
    // What a power cut took may have been sent again behind the reader's back.
    if (!findings.empty() && history_.power_cut) {
      history_.reads.clear();
      read_history();
      findings = judge();
    }
  }
  if (findings.empty() && !not_stored.empty()) {
    findings.push_back({Breach::kUnsettled, not_stored});
  }
  count_clients();
  for (auto* slots : {&persists_, &dispatchers_, &edges_}) {
    for (Slot& slot : *slots) kill(slot);
  }
  return findings;
}

// ---- a new device reads everything -------------------------------------------------------------

void World::read_history() {
  const UserId user = users_[scheduler_.random().below(users_.size())];
  const DeviceId id = DeviceId::trusted("fresh");
  DeviceHistory& record = history_.devices.emplace_back();
  record.from_start = false;
  Device fresh({user, id, token_of(user, id), addresses(), history_.acknowledged}, record);
  fresh.start();
  std::size_t open = 0;
  for (const auto& [conversation, messages] : history_.store) {
    const bool was_in = conversation.is_group()
                            ? database_.tables.memberships(conversation).contains(user.str())
                            : conversation.has_user(user);
    if (!was_in) continue;
    ++open;
    history_.reads.push_back({user, conversation, {}});
  }
  std::function<void(std::size_t, Seq)> ask = [&](std::size_t number, Seq from) {
    const InLane inside(fresh.lane());
    fresh.client().history(
        {history_.reads[number].conversation, from, wire::Direction::Forward, 100},
        [&, number](const Result<client::HistoryAnswer>& answer) {
          if (!answer) return;
          HistoryRead& read = history_.reads[number];
          Seq next(0);
          for (const client::Message& message : answer->messages) {
            read.messages.push_back({message.conversation, message.seq, message.id, message.sender,
                                     message.client_msg_id, message.content, message.generation});
            next = message.seq;
          }
          for (const auto& range : answer->withheld) {
            next = std::max(next, Seq(range.seqs.to));
          }
          answer->more ? ask(number, next) : void(--open);
        });
  };
  for (std::size_t i = 0; i < history_.reads.size(); ++i) ask(i, Seq(0));
  scheduler_.run_until(scheduler_.now() + seconds(30), [&] { return open == 0; });
  coverage().add("histories read", history_.reads.size());
}

void World::count_clients() {
  coverage().add("clients", devices_.size());
  for (const auto& device : devices_) {
    coverage().add("sends", device->history().sent.size());
    coverage().add("shown", device->history().shown.size());
    coverage().add("path: sign-in again", device->logins() - 1);
    device->kill();
    const client::SyncEngine::Counters& counters = device->counters();
    coverage().add("path: gap found", counters.gaps);
    coverage().add("path: gap fetched", counters.fetches);
    coverage().add("path: tail check found something", counters.live_missed);
    coverage().add("path: event dropped as known", counters.duplicates);
    coverage().add("path: event waited for a sync", counters.waited);
    coverage().add("path: event of an old generation", counters.old_generation);
    coverage().add("path: send repeated", device->repeats());
  }
}

}  // namespace martlet::sim
