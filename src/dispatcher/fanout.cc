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

std::vector<UserId> users_of(const ConversationId& conversation) {
  auto [low, high] = conversation.users();
  if (low == high) return {std::move(low)};
  return {std::move(low), std::move(high)};
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
  MARTLET_ASSERT(entry.kind == wire::EntryKind::kMessage);
  wire::Message message;
  message.conversation = entry.conversation.str();
  message.seq = entry.seq;
  message.message_id = entry.message_id;
  message.sender = entry.sender.str();
  message.client_msg_id = entry.client_msg_id;
  message.time_ms = entry.time_ms;
  message.content = entry.content;
  message.generation = owner.generation;
  const Bytes body = wire::encode(message);
  event.command = wire::Command::MessageEvent;
  event.seq = entry.seq;
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
