#include "rig.h"

#include <gtest/gtest.h>

#include "base/assert.h"
#include "wire/content.h"

namespace martlet::dispatcher::testing {

ClientMsgId id_of(std::uint64_t number, WallMs made_ms) {
  ClientMsgId id;
  for (int i = 0; i < 6; ++i) id.bytes[i] = static_cast<std::uint8_t>(made_ms >> (40 - 8 * i));
  id.bytes[6] = 0x70;
  id.bytes[8] = 0x80;
  for (int i = 0; i < 7; ++i) id.bytes[9 + i] = static_cast<std::uint8_t>(number >> (8 * i));
  return id;
}

UserId user(std::string_view name) {
  return UserId::trusted(name);
}

ConversationId between(std::string_view a, std::string_view b) {
  return ConversationId::between(user(a), user(b));
}

ConversationId group(std::string_view name) {
  return ConversationId::of_group(GroupId::trusted(name));
}

MembersChange created(const std::vector<std::string>& users, JoinPolicy join) {
  MembersChange change = act_of(MembersAction::kCreated, users);
  change.join = join;
  return change;
}

MembersChange act_of(MembersAction action, const std::vector<std::string>& users, GroupRole role) {
  MembersChange change;
  change.action = action;
  for (const std::string& name : users) change.users.push_back(user(name));
  change.role = role;
  return change;
}

tl::expected<bus::LogSequence, bus::AppendError> FakeLog::append(bus::LogSequence expected_last,
                                                                 BytesView batch) {
  if (expected_last != last()) {
    return tl::unexpected<bus::AppendError>({bus::AppendFailure::kWrongSequence, "wrong sequence"});
  }
  records_.emplace_back(batch);
  return last();
}

bus::LogInfo FakeLog::info() const {
  bus::LogInfo info{kShard, first_, last(), 0};
  for (const Bytes& record : records_) info.bytes += record.size();
  return info;
}

Result<std::vector<bus::LogRecord>> FakeLog::read(bus::LogSequence from,
                                                  std::size_t at_most) const {
  if (from < first_) return fail(ErrorCode::kConflict, "purged");
  std::vector<bus::LogRecord> out;
  for (auto sequence = from; sequence <= last() && out.size() < at_most;
       sequence = sequence.next()) {
    out.push_back({sequence, records_[sequence.value() - 1]});
  }
  return out;
}

void FakeLog::purge_below(bus::LogSequence first) {
  first_ = std::max(first_, first);
}

void FakeLog::lose_after(bus::LogSequence last) {
  records_.resize(last.value());
  first_ = std::min(first_, bus::LogSequence(1));
}

std::vector<wire::Batch> FakeLog::batches() const {
  std::vector<wire::Batch> out;
  for (const Bytes& record : records_) {
    auto batch = wire::parse_batch(record);
    MARTLET_ASSERT(batch.has_value());
    out.push_back(std::move(*batch));
  }
  return out;
}

TakenOver play_take_over(TakeOverCore& core, FakeLog& log, FakeDatabase& database, ShardId shard,
                         Moment moment) {
  using Kind = TakeOverStep::Kind;
  bus::LogSequence reading;
  for (int steps = 0; steps < 100'000; ++steps) {
    const TakeOverStep step = core.next_step();
    switch (step.kind) {
      case Kind::kWait:
        moment.now += kMaxTakeOverPause;
        core.tick(moment);
        break;
      case Kind::kEnsure:
        core.ensured({}, moment);
        break;
      case Kind::kAskShard:
        database.check_end(log.last().value());
        core.shard_answer(database.answer(shard), moment);
        break;
      case Kind::kSubscribe:
        core.subscribed({}, moment);
        break;
      case Kind::kInfo:
        core.info(log.info(), moment);
        break;
      case Kind::kAppendOwner:
        core.owner_appended(log.append(step.expected_last, step.batch), moment);
        break;
      case Kind::kRead: {
        if (step.is_new_reader) reading = step.from;
        const auto records = log.read(reading, 3);
        if (records) reading = bus::LogSequence(reading.value() + records->size());
        core.records(records, moment);
        break;
      }
      case Kind::kDone:
        return core.take_result();
      case Kind::kGiveUp:
        ADD_FAILURE() << "gave up: " << core.give_up_reason();
        return {};
    }
  }
  ADD_FAILURE() << "the take-over does not end: " << core.give_up_reason();
  return {};
}

Rig::Rig(ShardLimits rig_limits) : limits(rig_limits) {
  for (const char* name : {"alice", "bob", "carol", "dave"}) database.users.insert(name);
  moment.now = MonotonicTime(std::chrono::hours(1));
  moment.wall_ms = kStartMs;
  take_over();
}

void Rig::take_over(LogPosition published) {
  TakeOverCore core({kShard, Epoch(++leases), published, {}, MessageId()}, limits, metrics);
  taken_ = play_take_over(core, log, database, kShard, moment);
  core_ = std::make_unique<ShardCore>(std::move(taken_.start), kOneShard, limits, metrics, &hops);
  append.reset();
  question.reset();
  is_doubting = false;
}

// What every frame of an edge has.
wire::ClientFrame frame_of(std::string_view edge, SessionId session, std::uint32_t request_id,
                           std::string_view user) {
  wire::ClientFrame frame;
  frame.edge = edge;
  frame.session = session;
  frame.request_id = request_id;
  frame.user = user;
  frame.device = "phone";
  return frame;
}

void Rig::hand_in(wire::ClientFrame frame) {
  core_->frame(frame, moment);
  take();
}

void Rig::send(const Sending& sending) {
  wire::Send body;
  if (sending.to.starts_with("g:")) {
    body.to_group = GroupId::trusted(std::string_view(sending.to).substr(2));
  } else {
    body.to_user = user(sending.to);
  }
  body.client_msg_id = sending.id;
  const Bytes content = wire::encode_text(sending.content);
  body.content = content;
  body.want = sending.wants_stored ? wire::AckLevel::Stored : wire::AckLevel::Logged;
  body.follows = sending.follows;
  const Bytes bytes = wire::encode(body);
  wire::ClientFrame frame =
      frame_of(sending.edge, sending.session, sending.request_id, sending.from);
  frame.received_ms = sending.received_ms.value_or(moment.wall_ms);
  frame.first_sent_ms = sending.first_sent_ms.value_or(moment.wall_ms);
  frame.command = wire::Command::Send;
  frame.body = bytes;
  frame.traced = sending.traced;
  hand_in(frame);
}

void Rig::change(const Changing& changing) {
  const Bytes bytes = wire::encode(wire::GroupChange{GroupId::trusted(changing.group), changing.id,
                                                     std::nullopt, changing.change});
  wire::ClientFrame frame =
      frame_of(changing.edge, changing.session, changing.request_id, changing.from);
  frame.received_ms = moment.wall_ms;
  frame.first_sent_ms = changing.first_sent_ms.value_or(moment.wall_ms);
  frame.command = wire::command_of(changing.change.action);
  frame.body = bytes;
  hand_in(frame);
}

void Rig::typing(std::string_view from, std::string_view to) {
  wire::Typing body;
  if (to.starts_with("g:")) {
    body.to_group = GroupId::trusted(to.substr(2));
  } else {
    body.to_user = user(to);
  }
  const Bytes bytes = wire::encode(body);
  wire::ClientFrame frame = frame_of("edge1", {1, 1}, 1, from);
  frame.command = wire::Command::Typing;
  frame.body = bytes;
  hand_in(frame);
}

void Rig::read(std::string_view reader, const ConversationId& conversation, std::uint64_t seq,
               std::uint32_t request_id) {
  const Bytes bytes = wire::encode(wire::Read{conversation, Seq(seq)});
  wire::ClientFrame frame = frame_of("edge1", {1, 1}, request_id, reader);
  frame.received_ms = moment.wall_ms;
  frame.command = wire::Command::Read;
  frame.body = bytes;
  hand_in(frame);
}

void Rig::take() {
  Actions actions = core_->take_actions(moment);
  if (actions.append) {
    MARTLET_ASSERT(!append.has_value());
    append = std::move(actions.append);
  }
  if (actions.question) {
    MARTLET_ASSERT(!question.has_value());
    question = std::move(actions.question);
  }
  for (auto& [edge, list] : actions.answers) {
    for (OutgoingAnswer& answer : list) answers_.push_back(std::move(answer));
  }
  for (LiveEntry& event : actions.events) events_.push_back(std::move(event));
  for (LiveTyping& typing : actions.typing) typings_.push_back(std::move(typing));
  is_doubting = is_doubting || actions.doubt;
}

void Rig::finish_append() {
  ASSERT_TRUE(append.has_value());
  const AppendRequest request = std::move(*append);
  append.reset();
  core_->append_result(log.append(request.expected_last, request.batch), moment);
  take();
}

void Rig::fail_append(bus::AppendFailure failure) {
  ASSERT_TRUE(append.has_value());
  append.reset();
  core_->append_result(tl::unexpected<bus::AppendError>({failure, "test"}), moment);
  take();
}

void Rig::answer_question() {
  ASSERT_TRUE(question.has_value());
  const wire::ColdQuestion asked = std::move(*question);
  question.reset();
  core_->cold_answer(database.answer(asked), moment);
  take();
}

void Rig::settle() {
  for (int i = 0; i < 1'000'000 && (append || question); ++i) {
    if (append) finish_append();
    if (question) answer_question();
  }
}

void Rig::follow(LogPosition up_to) {
  const std::uint64_t from = database.watermark.value() - database.base + 1;
  const auto records = log.read(bus::LogSequence(from), SIZE_MAX);
  ASSERT_TRUE(records.has_value());
  for (const bus::LogRecord& record : *records) {
    const LogPosition position(database.base + record.sequence.value());
    if (position > up_to) return;
    database.apply(position, *wire::parse_batch(record.batch));
  }
}

void Rig::store_all() {
  follow();
  core_->watermark(database.told(kShard));
  take();
}

void Rig::pass(Duration time) {
  moment.now += time;
  moment.wall_ms +=
      static_cast<WallMs>(std::chrono::duration_cast<std::chrono::milliseconds>(time).count());
  tick();
}

void Rig::tick() {
  core_->tick(moment);
  take();
}

std::vector<OutgoingAnswer> Rig::answers() {
  return std::exchange(answers_, {});
}

OutgoingAnswer Rig::only_answer() {
  EXPECT_EQ(answers_.size(), 1u);
  auto all = answers();
  return all.empty() ? OutgoingAnswer{} : all.front();
}

std::vector<LiveEntry> Rig::events() {
  return std::exchange(events_, {});
}

std::vector<LiveTyping> Rig::typings() {
  return std::exchange(typings_, {});
}

}  // namespace martlet::dispatcher::testing
