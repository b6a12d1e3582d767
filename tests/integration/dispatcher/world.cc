#include "world.h"

#include <algorithm>

#include "base/assert.h"
#include "bus/subjects.h"
#include "wire/content.h"
#include "wire/message.h"
#include "wire/requests.h"

namespace martlet::dispatcher::testing {

using namespace std::chrono_literals;

std::unique_ptr<bus::NatsBus> connect(event::Loop& loop, const test::NatsServer& server,
                                      const std::string& name) {
  bus::BusOptions options;
  options.url = server.url();
  options.name = name;
  auto bus = bus::connect(loop, options);
  MARTLET_ASSERT(bus.has_value());
  return std::move(*bus);
}

// ---- leases
// -----------------------------------------------------------------------------------------

void HandedLeases::doubt(ShardId shard) {
  if (records_.owners[shard] != name_) return;
  auto timer = std::make_shared<std::unique_ptr<event::Timer>>();
  *timer = std::make_unique<event::Timer>(loop_,
                                          [this, shard, timer, alive = std::weak_ptr<int>(alive_)] {
                                            auto keep = std::move(*timer);
                                            if (!alive.expired() && records_.owners[shard] == name_)
                                              hand_out(shard);
                                          });
  (*timer)->start_once(100ms);
}

void HandedLeases::note_published(ShardId shard, LogPosition position) {
  if (records_.owners[shard] == name_) records_.published[shard] = position;
}

void HandedLeases::note_reached(ShardId shard, LogPosition position) {
  records_.reached[shard] = position;
}

void HandedLeases::hand_out(ShardId shard) {
  const bus::ShardRecord before{records_.owners[shard], Epoch(records_.revision),
                                records_.published[shard], records_.reached[shard]};
  records_.owners[shard] = name_;
  listener_->on_acquired(shard, Epoch(++records_.revision), before);
}

Node::Node(event::Loop& loop, const test::NatsServer& server, Records& records, std::string name,
           const DispatcherOptions& node_options)
    : options(node_options),
      bus(connect(loop, server, name)),
      narrow(*bus),
      log(*bus),
      leases(loop, records, name) {
  const DispatcherParts parts{loop, narrow, log, leases, options, kShards, name, metrics};
  dispatcher = std::make_unique<Dispatcher>(parts);
  dispatcher->start();
}

void Node::own_all() {
  for (std::uint16_t shard = 0; shard < kShards; ++shard) leases.hand_out(ShardId(shard));
}

// ---- persist
// ----------------------------------------------------------------------------------------

Persist::Persist(event::Loop& loop, const test::NatsServer& server)
    : loop_(loop),
      bus_(connect(loop, server, "persist")),
      log_(*bus_),
      timer_(loop, [this] { tick(); }) {
  subscriptions_.push_back(bus_->subscribe(
      bus::subject::rpc_shard(), bus::subject::persist_queue(), bus::Priority::kAnswers,
      [this](const bus::Incoming& in) {
        const auto question = wire::parse_shard_question(in.payload);
        // The real one looks where the log ends, and raises the generation if it lost its tail.
        log_.info(question->shard, 2s,
                  [this, question, reply = std::string(in.reply)](const auto& info) {
                    const ShardId shard = question->shard;
                    if (!info || !database(shard).check_end(info->last.value(), question->known))
                      return;
                    bus_->reply(reply, wire::encode(*database(shard).answer(shard)));
                  });
      }));
  subscriptions_.push_back(
      bus_->subscribe(bus::subject::rpc_cold(), bus::subject::persist_queue(),
                      bus::Priority::kAnswers, [this](const bus::Incoming& in) {
                        const auto question = wire::parse_cold_question(in.payload);
                        const auto answer = database(question->shard).answer(*question);
                        if (answer) bus_->reply(in.reply, wire::encode(*answer));
                      }));
  timer_.start_every(20ms);
}

void Persist::add_user(const std::string& name) {
  for (test::FakeDatabase& database : databases_) database.users.insert(name);
}

void Persist::tick() {
  if (is_paused || !bus_->is_connected()) return;
  for (std::uint16_t shard = 0; shard < kShards; ++shard) {
    follow(shard);
    const wire::Watermark told = databases_[shard].told(ShardId(shard));
    bus_->publish(bus::subject::watermark(ShardId(shard)), wire::encode(told));
  }
}

void Persist::follow(std::uint16_t shard) {
  Follower& follower = followers_[shard];
  if (follower.is_reading) return;
  test::FakeDatabase& database = databases_[shard];
  if (follower.reader == nullptr) {
    const std::uint64_t from = database.watermark.value() - database.base + 1;
    follower.reader = log_.read(ShardId(shard), bus::LogSequence(from));
  }
  follower.is_reading = true;
  follower.reader->next(
      1 << 20, 500ms, [this, shard, alive = std::weak_ptr<int>(alive_)](const auto& records) {
        if (alive.expired()) return;
        Follower& mine = followers_[shard];
        mine.is_reading = false;
        if (!records) return loop_.defer_delete(std::move(mine.reader));
        for (const bus::LogRecord& record : *records) {
          const LogPosition position(databases_[shard].base + record.sequence.value());
          const auto batch = wire::parse_batch(record.batch);
          MARTLET_ASSERT(batch.has_value());
          if (position > databases_[shard].watermark) databases_[shard].apply(position, *batch);
        }
      });
}

void Persist::purge(ShardId shard) {
  const std::uint64_t stored = database(shard).watermark.value() - database(shard).base;
  log_.info(shard, 2s, [this, shard, stored](const auto& info) {
    if (info) log_.purge_below(shard, bus::LogSequence(stored), *info, [](const auto&) {});
  });
}

// ---- edge
// -------------------------------------------------------------------------------------------

Edge::Edge(event::Loop& loop, const test::NatsServer& server)
    : loop_(loop), bus_(connect(loop, server, "edge")), timer_(loop, [this] { repeat(false); }) {
  const auto add = [&](const std::string& subject, auto handler) {
    subscriptions_.push_back(
        bus_->subscribe(subject, "", bus::Priority::kAnswers, std::move(handler)));
  };
  add(bus::subject::edge(EdgeId::trusted("edge1")),
      [this](const bus::Incoming& in) { on_answers(in.payload); });
  for (int i = 0; i < 20; ++i) {
    const std::string name = "user" + std::to_string(i);
    add(bus::subject::user(UserId::trusted(name)),
        [this, name](const bus::Incoming& in) { on_user(name, in.payload); });
  }
  add(bus::subject::all_owners(), [this](const bus::Incoming& in) {
    const auto told = wire::parse_owner_announced(in.payload);
    auto& highest = owners_[told->shard.value()];
    const std::pair<Generation, Epoch> now{told->generation, told->epoch};
    if (now > highest) repeat(true);
    if (told->lost_events) all_hinted_ = true;
    highest = std::max(highest, now);
  });
  timer_.start_every(100ms);
}

void Edge::send(const std::string& from, const std::string& to, const std::string& text) {
  const ClientMsgId id = make_client_msg_id(clock_, random_);
  const Bytes content = wire::encode_text(text);
  wire::Send body;
  body.to_user = UserId::trusted(to);
  body.client_msg_id = id;
  body.content = content;
  body.age = Duration(0);
  const auto lane = std::make_pair(from, to);
  const auto before = last_sent_.find(lane);
  if (before != last_sent_.end() && pending_.contains(before->second)) {
    body.follows = before->second;
  }
  last_sent_[lane] = id;
  const auto conversation = ConversationId::between(UserId::trusted(from), UserId::trusted(to));
  Pending& pending = pending_[id];
  pending.number = ++count_;
  pending.from = from;
  pending.subject = bus::subject::in_user(shard_of(conversation, kShards), UserId::trusted(to));
  pending.body = wire::encode(body);
  pending.first_sent_ms = loop_.wall_ms();
  publish(id, pending);
}

void Edge::publish(const ClientMsgId& id, Pending& pending) {
  wire::ClientFrame frame;
  frame.edge = "edge1";
  frame.session = {1, 1};
  frame.request_id = static_cast<std::uint32_t>(pending.number);
  frame.user = pending.from;
  frame.device = "phone";
  frame.received_ms = loop_.wall_ms();
  frame.first_sent_ms = pending.first_sent_ms;
  frame.command = wire::Command::Send;
  frame.body = pending.body;
  pending.repeat_at = loop_.now() + 1s;
  MARTLET_ASSERT(!id.is_zero());
  bus_->publish(pending.subject, wire::encode(frame));
}

// In the order in which they were sent first.
void Edge::repeat(bool all) {
  std::vector<std::pair<std::uint64_t, ClientMsgId>> due;
  for (auto& [id, pending] : pending_) {
    if (all || pending.repeat_at <= loop_.now()) due.emplace_back(pending.number, id);
  }
  std::sort(due.begin(), due.end());
  for (const auto& [number, id] : due) publish(id, pending_.at(id));
}

void Edge::on_answers(BytesView payload) {
  const auto told = wire::parse_to_edge(payload);
  MARTLET_ASSERT(told.has_value());
  for (const wire::Answer& answer : std::get<wire::AnswerBatch>(*told).answers) {
    const auto pending = pending_.find(answer.client_msg_id);
    if (answer.kind == wire::AnswerKind::kRefused) {
      ++refusals_[answer.error];
      if (pending != pending_.end()) pending->second.repeat_at = loop_.now() + 200ms;
      continue;
    }
    const Acked acked{ConversationId::trusted(answer.conversation), answer.seq, answer.message_id};
    const auto [known, is_new] = acked_.emplace(answer.client_msg_id, acked);
    MARTLET_ASSERT(is_new || known->second.message_id == acked.message_id);
    if (pending != pending_.end()) pending_.erase(pending);
  }
}

void Edge::on_user(const std::string& user, BytesView payload) {
  const auto told = wire::parse_to_user(payload);
  MARTLET_ASSERT(told.has_value());
  const auto& event = std::get<wire::Event>(*told);
  if (event.command == wire::Command::ResyncEvent) hinted_.emplace(user, event.conversation);
  if (event.command != wire::Command::MessageEvent) return;
  const auto message = wire::parse_message(event.body);
  MARTLET_ASSERT(message.has_value());
  ++seen_[{user, message->client_msg_id}];
}

std::size_t Edge::refused(ErrorCode code) const {
  const auto found = refusals_.find(code);
  return found == refusals_.end() ? 0 : found->second;
}

std::size_t Edge::seen(const std::string& user, const ClientMsgId& id) const {
  const auto found = seen_.find({user, id});
  return found == seen_.end() ? 0 : found->second;
}

std::size_t Edge::messages_seen_by(const std::string& user) const {
  return static_cast<std::size_t>(std::count_if(
      seen_.begin(), seen_.end(), [&](const auto& item) { return item.first.first == user; }));
}

}  // namespace martlet::dispatcher::testing
