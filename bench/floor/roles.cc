#include "bench/floor/roles.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <utility>

#include "bus/subjects.h"
#include "model/limits.h"
#include "persist/limits.h"

namespace martlet::bench {
namespace {

constexpr Duration kPatience = std::chrono::seconds(30);
constexpr Duration kAppendTimeout = std::chrono::seconds(10);
constexpr Duration kFetchWait = std::chrono::seconds(1);

[[noreturn]] void give_up(const std::string& why) {
  std::fprintf(stderr, "floor: %s\n", why.c_str());
  std::exit(1);
}

std::unique_ptr<bus::NatsBus> connected(event::Loop& loop, const FloorOptions& options,
                                        const std::string& name) {
  auto bus = bus::connect(loop, {.url = options.url, .name = name, .queue = {}});
  if (!bus) give_up(bus.error().detail);
  return std::move(*bus);
}

UserId user_of(std::size_t number) {
  return UserId::trusted("u" + std::to_string(number));
}

EdgeId edge_of(std::uint32_t number) {
  return EdgeId::trusted("edge" + std::to_string(number));
}

Tag tag_of(BytesView payload, std::size_t at = 0) {
  Tag tag;
  std::memcpy(&tag, payload.data() + at, sizeof tag);
  return tag;
}

void put(Bytes& payload, const Tag& tag, std::size_t at = 0) {
  std::memcpy(payload.data() + at, &tag, sizeof tag);
}

}  // namespace

Role::Role(const FloorOptions& options, const std::string& name)
    : options_(options), bus_(connected(loop_, options, name)) {}

// ---- edge

FloorEdge::FloorEdge(const FloorOptions& options, std::uint32_t number)
    : Role(options, "floor edge"), number_(number), frame_(options.sizes.frame, 'x') {}

void FloorEdge::start(std::function<void()> ready) {
  const auto add = [this](const std::string& subject, bus::Priority priority, auto handler) {
    subscriptions_.push_back(bus_->subscribe(subject, {}, priority, std::move(handler)));
  };
  add(bus::subject::edge(edge_of(number_)), bus::Priority::kAnswers,
      [this](const bus::Incoming& message) { on_answers(message.payload); });
  for (std::size_t user = 0; user < options_.users; ++user) {
    if (!is_ours(user)) continue;
    add(bus::subject::user(user_of(user)), bus::Priority::kDroppable,
        [this, user](const bus::Incoming& message) {
          if (tag_of(message.payload).recipient == user) ++received;
        });
  }
  bus_->after_subscriptions(kPatience, [ready = std::move(ready)](const Result<void>& done) {
    if (!done) give_up(done.error().detail);
    ready();
  });
}

void FloorEdge::begin() {
  sending_ = true;
  for (std::size_t i = 0; i < options_.in_flight / options_.edges; ++i) send();
}

// Sender and recipient are drawn anew, as in one-to-one.
void FloorEdge::send() {
  const auto sender = static_cast<std::uint32_t>(random_.below(options_.users));
  const auto step = static_cast<std::uint32_t>(random_.below(options_.users - 1));
  const auto recipient = static_cast<std::uint32_t>((sender + 1 + step) % options_.users);
  const Tag tag{++last_, number_, sender, recipient};
  put(frame_, tag);
  sent_[tag.number] = clock_.now();
  const ShardId shard(static_cast<std::uint16_t>((sender + recipient) % kFloorShards));
  bus_->publish(bus::subject::in_user(shard, user_of(recipient)), frame_);
}

void FloorEdge::on_answers(BytesView payload) {
  const std::uint64_t count = tag_of(payload).number;
  const MonotonicTime now = clock_.now();
  for (std::uint64_t i = 0; i < count; ++i) {
    const Tag tag = tag_of(payload, sizeof(Tag) + i * options_.sizes.answer);
    const auto sent = sent_.find(tag.number);
    if (sent == sent_.end()) continue;
    if (measuring_) latencies_.add(now - sent->second);
    sent_.erase(sent);
    ++answered;
    if (sending_) send();
  }
}

// ---- dispatcher

FloorDispatcher::FloorDispatcher(const FloorOptions& options)
    : Role(options, "floor dispatcher"), log_(*bus_), shards_(kFloorShards) {}

void FloorDispatcher::start(std::function<void()> ready) {
  const auto left = std::make_shared<int>(kFloorShards);
  for (std::uint16_t number = 0; number < kFloorShards; ++number) {
    const ShardId id(number);
    const auto on_frame = [this, id](const bus::Incoming& message) {
      Shard& shard = shards_[id.value()];
      shard.open.push_back(tag_of(message.payload));
      if (std::exchange(shard.is_flush_due, true)) return;
      loop_.at_turn_end([this, id] {
        shards_[id.value()].is_flush_due = false;
        flush(id);
      });
    };
    subscriptions_.push_back(
        bus_->subscribe(bus::subject::in_shard(id), {}, bus::Priority::kAnswers, on_frame));
    log_.ensure(id, {}, [this, left, ready](const Result<void>& done) {
      if (!done) give_up(done.error().detail);
      if (--*left > 0) return;
      bus_->after_subscriptions(kPatience, [ready](const Result<void>&) { ready(); });
    });
  }
}

void FloorDispatcher::flush(ShardId id) {
  Shard& shard = shards_[id.value()];
  if (shard.open.empty() || !shard.under_way.empty()) return;
  const Sizes& sizes = options_.sizes;
  const std::size_t most = (kMaxAppendBytes - sizes.batch) / sizes.entry;
  const std::size_t count = std::min(most, shard.open.size());
  const auto end = shard.open.begin() + static_cast<std::ptrdiff_t>(count);
  shard.under_way.assign(shard.open.begin(), end);
  shard.open.erase(shard.open.begin(), end);
  const Bytes batch(sizes.batch + count * sizes.entry, 'x');
  log_.append(id, shard.last, batch, kAppendTimeout, [this, id](const auto& result) {
    if (!result) give_up("an append failed: " + result.error().detail);
    Shard& shard = shards_[id.value()];
    shard.last = *result;
    publish(shard);
    shard.under_way.clear();
    flush(id);
  });
}

void FloorDispatcher::publish(const Shard& shard) {
  const Sizes& sizes = options_.sizes;
  std::map<std::uint32_t, std::vector<Tag>> by_edge;
  for (const Tag& tag : shard.under_way) by_edge[tag.edge].push_back(tag);
  for (const auto& [edge, tags] : by_edge) {
    Bytes answers(std::max(sizes.answers, sizeof(Tag)) + tags.size() * sizes.answer, 'x');
    put(answers, Tag{tags.size(), edge, 0, 0});
    for (std::size_t i = 0; i < tags.size(); ++i) {
      put(answers, tags[i], sizeof(Tag) + i * sizes.answer);
    }
    bus_->publish(bus::subject::edge(edge_of(edge)), answers);
  }
  Bytes event(sizes.event, 'x');
  for (const Tag& tag : shard.under_way) {
    put(event, tag);
    bus_->publish(bus::subject::user(user_of(tag.sender)), event);
    bus_->publish(bus::subject::user(user_of(tag.recipient)), event);
  }
}

// ---- reader

FloorReader::FloorReader(const FloorOptions& options)
    : Role(options, "floor reader"), log_(*bus_), readers_(kFloorShards) {}

void FloorReader::start(std::function<void()> ready) {
  for (std::uint16_t shard = 0; shard < kFloorShards; ++shard) {
    readers_[shard] = log_.read(ShardId(shard), bus::LogSequence(1));
    next(shard);
  }
  ready();
}

void FloorReader::next(std::uint16_t shard) {
  readers_[shard]->next(persist::kFetchBytes, kFetchWait,
                        [this, shard](const Result<std::vector<bus::LogRecord>>& records) {
                          if (!records) give_up("reading failed: " + records.error().detail);
                          next(shard);
                        });
}

}  // namespace martlet::bench
