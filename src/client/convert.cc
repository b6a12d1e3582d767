#include "client/convert.h"

#include <algorithm>
#include <utility>

namespace martlet::client {
namespace {

ConversationRange to_range(const wire::Range& range) {
  return {range.conversation, {range.from.value(), range.to.value()}};
}

std::vector<ConversationRange> to_ranges(const std::vector<wire::Range>& ranges) {
  std::vector<ConversationRange> out;
  out.reserve(ranges.size());
  for (const wire::Range& range : ranges) out.push_back(to_range(range));
  return out;
}

std::vector<Message> to_messages(const std::vector<wire::Message>& messages) {
  std::vector<Message> out;
  out.reserve(messages.size());
  for (const wire::Message& message : messages) out.push_back(to_message(message));
  return out;
}

}  // namespace

Message to_message(const wire::Message& message) {
  Message out;
  out.conversation = ConversationId::trusted(message.conversation);
  out.seq = message.seq;
  out.id = message.message_id;
  out.sender = UserId::trusted(message.sender);
  out.client_msg_id = message.client_msg_id;
  out.time_ms = message.time_ms;
  out.content = Bytes(message.content);
  out.generation = message.generation;
  out.removed = message.removed;
  return out;
}

Acknowledged to_acknowledged(const wire::Ack& ack) {
  Acknowledged out;
  out.id = ack.client_msg_id;
  out.conversation = ack.conversation;
  out.seq = ack.seq;
  out.message_id = ack.message_id;
  out.time_ms = ack.time_ms;
  out.level = to_strength(ack.level);
  out.generation = ack.generation;
  return out;
}

SyncAnswer to_sync_answer(const wire::SyncPage& page) {
  SyncAnswer out;
  for (const wire::ConversationState& state : page.conversations) {
    ConversationNews news;
    news.conversation = state.conversation;
    news.last_seq = state.last_seq;
    news.read_seq = state.read_seq;
    news.peer_read_seq = state.peer_read_seq;
    news.start_seq = state.start_seq;
    news.unread = state.unread;
    news.generation = state.generation;
    news.former = state.membership == wire::Membership::Former;
    news.members_at = state.members_at;
    news.newest = to_messages(state.newest);
    out.conversations.push_back(std::move(news));
  }
  out.next_page = Bytes(page.next_page);
  out.token = Bytes(page.token);
  out.behind = page.behind;
  out.again_in_ms = page.again_in_ms;
  return out;
}

FetchAnswer to_fetch_answer(const wire::FetchPage& page) {
  return {to_messages(page.messages), to_ranges(page.withheld), to_ranges(page.remaining)};
}

wire::Fetch to_fetch(const SyncEngine::AskFetch& ask) {
  wire::Fetch out;
  out.ranges.reserve(ask.ranges.size());
  for (const ConversationRange& range : ask.ranges) {
    out.ranges.push_back({range.conversation, Seq(range.seqs.from), Seq(range.seqs.to)});
  }
  out.live_missed = std::uint32_t(std::min<std::uint64_t>(ask.live_missed, UINT32_MAX));
  return out;
}

wire::GroupChange to_group_change(const OutgoingChange& change, std::optional<Duration> age) {
  return {change.group, change.id, age, change.change};
}

wire::Send to_send(const OutgoingMessage& message, std::optional<Duration> age,
                   std::optional<ClientMsgId> follows) {
  wire::Send out;
  if (message.to.empty()) {
    out.to_group = message.conversation.group();
  } else {
    out.to_user = message.to;
  }
  out.client_msg_id = message.id;
  out.content = message.content;
  out.age = age;
  out.want = message.want == Strength::kStored ? wire::AckLevel::Stored : wire::AckLevel::Logged;
  out.follows = follows;
  out.trace = message.follow == Follow::kAlways;
  return out;
}

}  // namespace martlet::client
