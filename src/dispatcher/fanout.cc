#include "dispatcher/fanout.h"

#include "base/assert.h"
#include "dispatcher/limits.h"
#include "wire/events.h"
#include "wire/message.h"

namespace martlet::dispatcher {
namespace {

wire::Event event_of(const Ownership& owner, LogPosition position,
                     const ConversationId& conversation) {
  wire::Event event;
  event.shard = owner.shard;
  event.generation = owner.generation;
  event.epoch = owner.epoch;
  event.position = position;
  event.conversation = conversation.str();
  return event;
}

}  // namespace

Audience audience_of(const ConversationId& conversation) {
  if (conversation.is_group()) return {conversation.group(), {}};
  auto [low, high] = conversation.users();
  if (low == high) return {{}, {std::move(low)}};
  return {{}, {std::move(low), std::move(high)}};
}

Audience audience_of(const LiveEntry& live) {
  const wire::Entry& entry = live.entry;
  if (!entry.conversation.is_group()) return audience_of(entry.conversation);
  if (!wire::is_ordered(entry.kind)) return {{}, {entry.sender}};
  return {entry.conversation.group(), live.concerned};
}

Audience audience_of(const LiveTyping& typing) {
  return audience_of(typing.conversation);
}

std::vector<ConversationId> hints_for(const LiveEntry& live) {
  const Audience audience = audience_of(live);
  if (!live.entry.conversation.is_group()) return {live.entry.conversation};
  std::vector<ConversationId> hints;
  if (audience.group) hints.push_back(live.entry.conversation);
  for (const UserId& user : audience.users) hints.push_back(ConversationId::with_self(user));
  return hints;
}

Bytes encode_live(const Ownership& owner, const LiveEntry& live) {
  const wire::Entry& entry = live.entry;
  wire::Event event = event_of(owner, live.position, entry.conversation);
  event.origin = live.origin;
  if (entry.kind == wire::EntryKind::kRead) {
    const Bytes body = wire::encode(wire::ReadEvent{entry.conversation, entry.sender, entry.seq});
    event.command = wire::Command::ReadEvent;
    event.body = body;
    return wire::encode(event);
  }
  MARTLET_ASSERT(wire::is_ordered(entry.kind));
  wire::Message message;
  message.conversation = entry.conversation.str();
  message.seq = entry.seq;
  message.message_id = entry.message_id;
  message.sender = entry.sender.str();
  message.client_msg_id = entry.client_msg_id;
  message.time_ms = entry.time_ms;
  message.content = entry.content;
  message.generation = owner.generation;
  message.members_at = live.members_at;
  const Bytes body = wire::encode(message);
  event.command = wire::Command::MessageEvent;
  event.seq = entry.seq;
  event.members_at = live.members_at;
  event.members_change = entry.kind == wire::EntryKind::kMembers;
  event.traced = live.traced;
  event.body = body;
  return wire::encode(event);
}

Bytes encode_typing(const Ownership& owner, const LiveTyping& typing) {
  wire::Event event = event_of(owner, {}, typing.conversation);
  const Bytes body = wire::encode(wire::TypingEvent{typing.conversation, typing.user});
  event.command = wire::Command::TypingEvent;
  event.members_at = typing.members_at;
  event.origin = typing.origin;
  event.body = body;
  return wire::encode(event);
}

Bytes encode_resync(const Ownership& owner, const ConversationId& conversation) {
  wire::Event event = event_of(owner, {}, conversation);
  const Bytes body = wire::encode(wire::ResyncEvent{kResyncWithinMs, conversation});
  event.command = wire::Command::ResyncEvent;
  event.body = body;
  return wire::encode(event);
}

Bytes encode_answers(const Ownership& owner, std::span<const OutgoingAnswer> answers) {
  MARTLET_ASSERT(!answers.empty() && answers.size() <= kMaxAnswersPerPublish);
  wire::AnswerBatch batch{owner.shard, owner.generation, owner.epoch, {}};
  batch.answers.reserve(answers.size());
  for (const OutgoingAnswer& outgoing : answers) {
    wire::Answer answer = outgoing.answer;
    answer.conversation = outgoing.conversation;
    batch.answers.push_back(answer);
  }
  return wire::encode(batch);
}

}  // namespace martlet::dispatcher
