#include "dispatcher/shard_core.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "base/hash.h"
#include "base/planted.h"
#include "bus/leases.h"
#include "wire/group_requests.h"
#include "wire/limits.h"
#include "wire/requests.h"

namespace martlet::dispatcher {
namespace {

std::uint32_t retry_after_ms(ErrorCode code) {
  switch (code) {
    case ErrorCode::kBusy:
      return kBusyRetryMs;
    case ErrorCode::kUnavailable:
      return kUnavailableRetryMs;
    case ErrorCode::kOutOfOrder:
      return kOutOfOrderRetryMs;
    case ErrorCode::kLogFull:
      return kLogFullRetryMs;
    default:
      return 0;
  }
}

std::optional<Asker> asker_of(const wire::ClientFrame& frame) {
  auto edge = EdgeId::parse(frame.edge);
  if (!edge) return std::nullopt;
  return Asker{std::move(*edge), frame.session, frame.request_id,
               frame.command,    false,         frame.traced};
}

wire::Answer answer_to(const Asker& asker, wire::AnswerKind kind, const ClientMsgId& id) {
  wire::Answer answer;
  answer.kind = kind;
  answer.session = asker.session;
  answer.request_id = asker.request_id;
  answer.command = asker.command;
  answer.client_msg_id = id;
  answer.traced = asker.traced;
  return answer;
}

// All but its number. The frame keeps its id and its act only.
std::unique_ptr<OpenEntry> open_message(SendFrame& frame, const Moment& moment) {
  auto open = std::make_unique<OpenEntry>();
  open->origin = frame.asker.session;
  open->arrived = frame.arrived;
  open->traced = frame.asker.traced;
  open->askers.push_back(std::move(frame.asker));
  wire::Entry& entry = open->entry;
  entry.kind = frame.act == nullptr ? wire::EntryKind::kMessage : wire::EntryKind::kMembers;
  entry.conversation = std::move(frame.conversation);
  entry.sender = std::move(frame.user);
  entry.device = std::move(frame.device);
  entry.client_msg_id = frame.id;
  entry.time_ms = moment.wall_ms;
  entry.content = std::move(frame.content);
  entry.content_hash = frame.content_hash;
  open->bytes = wire::size_in_batch(entry);
  return open;
}

}  // namespace

ShardCore::ShardCore(ShardStart start, std::uint16_t shards, const ShardLimits& limits,
                     DispatcherMetrics& metrics, wire::HopSink* hops)
    : shard_(start.shard),
      shards_(shards),
      epoch_(start.epoch),
      generation_(start.generation),
      base_(start.base),
      limits_(limits),
      metrics_(metrics),
      trail_(start.shard, hops),
      last_(start.last),
      watermark_(start.watermark),
      last_message_id_(start.last_message_id),
      heads_(std::move(start.heads)),
      window_(std::move(start.window)),
      fanout_(limits.fanout),
      parking_(limits.parked_frames),
      stored_waits_(limits.stored_waits),
      log_bytes_(start.log_bytes) {}

void ShardCore::frame(const wire::ClientFrame& frame, const Moment& moment) {
  metrics_.frame_received(frame.command);
  if (is_doubting_ || is_letting_go_) return metrics_.silent(Silence::kNotServing);
  auto asker = asker_of(frame);
  if (!asker || !is_valid_id(frame.user) || !is_valid_id(frame.device)) {
    return metrics_.silent(Silence::kMalformed);
  }
  switch (frame.command) {
    case wire::Command::Send:
      return send(frame, std::move(*asker), moment);
    case wire::Command::Read:
      return read(frame, std::move(*asker), moment);
    case wire::Command::Typing:
      return typing(frame, *asker, moment);
    default:
      if (wire::is_group_change(frame.command)) {
        return change_group(frame, std::move(*asker), moment);
      }
      return refuse(*asker, {}, ErrorCode::kUnknownCommand, moment);
  }
}

void ShardCore::send(const wire::ClientFrame& frame, Asker asker, const Moment& moment) {
  const auto body = wire::parse_checked_send(frame.body);
  if (!body) return refuse(asker, {}, body.error().code, moment);
  SendFrame send;
  send.user = UserId::trusted(frame.user);
  send.conversation = body->to_user.empty() ? ConversationId::of_group(body->to_group)
                                            : ConversationId::between(send.user, body->to_user);
  if (shard_of(send.conversation, shards_) != shard_) return metrics_.silent(Silence::kMisrouted);
  if (body->content.empty() || body->client_msg_id.is_zero()) {
    return refuse(asker, body->client_msg_id, ErrorCode::kBadBody, moment);
  }
  if (body->content.size() > kMaxBodyBytes) {
    return refuse(asker, body->client_msg_id, ErrorCode::kBodyTooLarge, moment);
  }
  send.asker = std::move(asker);
  send.asker.wants_stored = body->want == wire::AckLevel::Stored;
  send.device = DeviceId::trusted(frame.device);
  send.id = body->client_msg_id;
  send.follows = body->follows;
  send.content_hash = base::hash64(body->content);
  send.arrived = moment.now;
  send.received_ms = frame.received_ms;
  send.first_sent_ms = frame.first_sent_ms;
  send.content = Bytes(body->content);
  arrive(std::move(send), moment);
}

void ShardCore::arrive(SendFrame frame, const Moment& moment) {
  trail_.frame(wire::HopKind::kDispatcherIn, frame);
  Needs needs;
  if (window_.find(frame.conversation, frame.user, frame.id) == nullptr) {
    needs.head = usable_head(frame.conversation) == nullptr;
    needs.lookup = needs_lookup(frame, moment);
    needs.users = frame.act != nullptr && !frame.act->newcomers.empty();
    const bool must_ask = needs.head || needs.lookup || needs.users;
    if (must_ask || parking_.holds(frame.conversation, frame.user)) {
      return park(std::move(frame), needs, moment);
    }
  }
  judge(std::move(frame), moment);
}

bool ShardCore::needs_lookup(const SendFrame& frame, const Moment& moment) {
  if (is_planted(Planted::kNoLookUp)) return false;
  const WallMs complete_since = window_.complete_since();
  if (frame.received_ms > moment.wall_ms + kClockMarginMs) {
    metrics_.clock_skewed();
    if (complete_since > 0) return true;
  }
  if (complete_since == 0) return false;
  const WallMs after = complete_since + kClockMarginMs;
  const bool is_recent = frame.received_ms + kRecentFrameMs > moment.wall_ms;
  // The age is reckoned by a clock that may stand still while the device sleeps; the time in the id
  // was written once. Neither may say that it is older, and an id of the future says nothing.
  const bool is_young = frame.first_sent_ms > after;
  const WallMs made_ms = time_of(frame.id).value_or(0);
  const bool is_young_id = made_ms > after && made_ms <= moment.wall_ms + kClockMarginMs;
  if (is_planted(Planted::kTrustFirstSent)) return !is_recent || !is_young;
  return !is_recent || !is_young || !is_young_id;
}

void ShardCore::park(SendFrame frame, Needs needs, const Moment& moment) {
  const Asker asker = frame.asker;
  const ClientMsgId id = frame.id;
  trail_.frame(wire::HopKind::kParked, frame);
  switch (parking_.park(std::move(frame), needs, moment.now + kParkingTime)) {
    case Parking::Parked::kYes:
      return metrics_.parked();
    case Parking::Parked::kRepeat:
      return metrics_.silent(Silence::kRepeat);
    case Parking::Parked::kFull:
      return refuse(asker, id, ErrorCode::kBusy, moment);
  }
}

// Everything about the frame is known: its conversation's head, and whether it was accepted before.
void ShardCore::judge(SendFrame frame, const Moment& moment) {
  Window::Slot* known = window_.find(frame.conversation, frame.user, frame.id);
  if (known != nullptr) return answer_known(*known, frame, moment);
  const Refusals::Refusal refused = refusals_.find(frame.conversation, frame.user, frame.id);
  const bool is_known = refused.code != ErrorCode::kNone && !is_planted(Planted::kForgetRefusals);
  if (is_known && !refused.is_told) return metrics_.silent(Silence::kRepeat);
  if (is_known) return refuse(frame, refused.code, moment);
  accept(std::move(frame), moment);
}

void ShardCore::answer_known(Window::Slot& slot, SendFrame& frame, const Moment& moment) {
  KnownMessage& known = slot.second;
  metrics_.duplicate();
  if (known.content_hash != frame.content_hash) return refuse(frame, ErrorCode::kConflict, moment);
  if (known.open != nullptr) {
    auto& askers = known.open->askers;
    const bool is_repeat = std::find(askers.begin(), askers.end(), frame.asker) != askers.end();
    if (is_repeat || askers.size() >= kMaxAskersPerMessage) {
      return metrics_.silent(Silence::kRepeat);
    }
    askers.push_back(std::move(frame.asker));
    return;
  }
  if (moment.renewal_age >= bus::kMaxRenewalAge) return metrics_.silent(Silence::kOldLease);
  trail_.known(frame, known);
  acknowledge(frame.asker, frame.id, frame.conversation, known);
}

void ShardCore::accept(SendFrame frame, const Moment& moment) {
  if (frame.follows && window_.find(frame.conversation, frame.user, *frame.follows) == nullptr) {
    return refuse(frame, ErrorCode::kOutOfOrder, moment);
  }
  Head* head = usable_head(frame.conversation);
  MARTLET_ASSERT(head != nullptr);
  if (head->group != nullptr) {
    const ErrorCode code = why_not_in(*head->group, frame);
    if (code != ErrorCode::kNone) return refuse_in_group(*head->group, frame, code, moment);
  }
  auto open = open_message(frame, moment);
  const ErrorCode why_not = why_not_queue(*open);
  if (why_not != ErrorCode::kNone) {
    trail_.entry(wire::HopKind::kAnswered, open->entry, open->traced, 0, why_not);
    return refuse(open->askers.front(), frame.id, why_not, moment);
  }
  if (const Duration wait = wait_of(*head, open->entry, moment); wait > Duration(0)) {
    trail_.entry(wire::HopKind::kAnswered, open->entry, open->traced, 0, ErrorCode::kRateLimited);
    return refuse(open->askers.front(), frame.id, ErrorCode::kRateLimited, moment, wait);
  }

  wire::Entry& entry = open->entry;
  head->last_seq = head->last_seq.next();
  ++head->open;
  if (!is_planted(Planted::kReuseMessageId) || head->last_seq.value() % 50 != 0) {
    last_message_id_ = make_message_id(shard_, moment.wall_ms, last_message_id_);
  }

  entry.seq = head->last_seq;
  entry.message_id = last_message_id_;
  open->slot = window_.open(entry.conversation, entry.sender, frame.id,
                            {.seq = head->last_seq,
                             .message_id = last_message_id_,
                             .time_ms = moment.wall_ms,
                             .content_hash = frame.content_hash,
                             .open = open.get()});
  if (head->group != nullptr) open->members_at = head->group->members_at();
  if (frame.act != nullptr) apply_change(*open, *head->group, frame.act->change);
  plant_haste(*open);
  enqueue(std::move(open));
}

// The reader's cursor has no number and needs no look-up: only the greatest one counts.
void ShardCore::read(const wire::ClientFrame& frame, Asker asker, const Moment& moment) {
  const auto body = wire::parse_read(frame.body);
  if (!body) return refuse(asker, {}, body.error().code, moment);
  const UserId reader = UserId::trusted(frame.user);
  if (shard_of(ConversationId::with_self(reader), shards_) != shard_) {
    return metrics_.silent(Silence::kMisrouted);
  }
  // Who is in a group is known on another shard; the cursor of one who never was is ignored.
  if (!body->conversation.is_group() && !body->conversation.has_user(reader)) {
    return refuse(asker, {}, ErrorCode::kNotMember, moment);
  }
  if (body->seq == Seq()) return refuse(asker, {}, ErrorCode::kBadRange, moment);

  auto open = std::make_unique<OpenEntry>();
  open->origin = asker.session;
  open->arrived = moment.now;
  wire::Entry& entry = open->entry;
  entry.kind = wire::EntryKind::kRead;
  entry.conversation = body->conversation;
  entry.seq = body->seq;
  // Not its own: after a purge the log still tells which ids were given.
  entry.message_id = last_message_id_;
  entry.sender = reader;
  entry.device = DeviceId::trusted(frame.device);
  entry.time_ms = moment.wall_ms;
  open->bytes = wire::size_in_batch(entry);
  const ErrorCode why_not = why_not_queue(*open);
  if (why_not != ErrorCode::kNone) return refuse(asker, {}, why_not, moment);
  open->askers.push_back(std::move(asker));
  enqueue(std::move(open));
}

ErrorCode ShardCore::why_not_queue(const OpenEntry& open) {
  const std::size_t bytes = queued_bytes_ + open.bytes;
  is_full_ = log_bytes_ + bytes + kRecordOverheadBytes > limits_.log_bytes;
  if (is_full_) return ErrorCode::kLogFull;
  const bool is_long = queue_.size() >= limits_.queued_entries;
  return is_long || bytes > kMaxQueuedBytes ? ErrorCode::kBusy : ErrorCode::kNone;
}

void ShardCore::enqueue(std::unique_ptr<OpenEntry> open) {
  queued_bytes_ += open->bytes;
  queue_.push_back(std::move(open));
}

void ShardCore::refuse(const SendFrame& frame, ErrorCode code, const Moment& moment) {
  remember_refusal(frame.conversation, frame.user, frame.id, {code, true}, moment);
  trail_.frame(wire::HopKind::kAnswered, frame, code);
  refuse(frame.asker, frame.id, code, moment);
}

// A conflict is about another message, which is there.
void ShardCore::remember_refusal(const ConversationId& conversation, const UserId& sender,
                                 const ClientMsgId& id, const Refusals::Refusal& refusal,
                                 const Moment& moment) {
  if (is_retryable(refusal.code) || refusal.code == ErrorCode::kConflict) return;
  refusals_.add(conversation, sender, id, refusal, moment.now + kRefusalTime);
}

void ShardCore::refuse(const Asker& asker, const ClientMsgId& id, ErrorCode code,
                       const Moment& moment, Duration retry_after) {
  if (moment.renewal_age >= bus::kMaxRenewalAge) return metrics_.silent(Silence::kOldLease);
  metrics_.refused(code);
  metrics_.failed(asker.command);
  wire::Answer answer = answer_to(asker, wire::AnswerKind::kRefused, id);
  answer.error = code;
  const bool is_usual = retry_after == Duration(0);
  answer.retry_after_ms = is_usual ? retry_after_ms(code) : to_ms<std::uint32_t>(retry_after) + 1;
  actions_.answers[asker.edge].push_back({answer, {}});
}

void ShardCore::acknowledge(const Asker& asker, const ClientMsgId& id,
                            const ConversationId& conversation, const KnownMessage& message) {
  const bool is_stored = message.position <= watermark_;
  wire::Answer answer = answer_to(asker, wire::AnswerKind::kAccepted, id);
  answer.seq = message.seq;
  answer.message_id = message.message_id;
  answer.time_ms = message.time_ms;
  answer.level = is_stored ? wire::AckLevel::Stored : wire::AckLevel::Logged;
  actions_.answers[asker.edge].push_back({answer, conversation.str()});
  if (!asker.wants_stored || is_stored) return;
  if (!stored_waits_.add({message.position, asker, id, conversation, message.seq,
                          message.message_id, message.time_ms})) {
    metrics_.stored_wait_dropped();
  }
}

void ShardCore::let_go() {
  is_letting_go_ = true;
  queue_.clear();
  actions_.append.reset();
  actions_.question.reset();
}

void ShardCore::tick(const Moment& moment) {
  if (is_doubting_ || is_letting_go_) return;
  for (const SendFrame& frame : parking_.take_expired(moment.now)) {
    refuse(frame, ErrorCode::kUnavailable, moment);
  }
  window_.forget_old(moment.now, watermark_);
  refusals_.forget_old(moment.now);
}

void ShardCore::info(std::uint64_t bytes) {
  log_bytes_ = bytes + (appended_bytes_ - appended_when_asked_);
  is_full_ = is_full_ && log_bytes_ + queued_bytes_ + kMaxBodyBytes > limits_.log_bytes;
}

}  // namespace martlet::dispatcher
