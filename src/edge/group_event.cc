#include "edge/group_event.h"

#include "model/conversation.h"
#include "wire/members_change.h"
#include "wire/message.h"

namespace martlet::edge {
namespace {

Result<GroupEvent::Change> read_change(const wire::Event& event) {
  if (event.command != wire::Command::MessageEvent || event.seq == Seq()) {
    return fail(ErrorCode::kBadBody, "a change of membership that is no message");
  }
  const auto message = wire::parse_message(event.body);
  if (!message) return tl::unexpected(message.error());
  auto change = wire::parse_members_change(message->content);
  if (!change) return tl::unexpected(change.error());
  return GroupEvent::Change{UserId::trusted(message->sender), std::move(*change)};
}

}  // namespace

Result<GroupEvent> read_group_event(const wire::Event& event) {
  const auto conversation = ConversationId::parse(event.conversation);
  if (!conversation || !conversation->is_group()) {
    return fail(ErrorCode::kBadId, "the conversation is no group");
  }
  GroupEvent result{.group = conversation->group(),
                    .command = event.command,
                    .seq = event.seq,
                    .members_at = event.members_at,
                    .origin = event.origin,
                    .body = event.body,
                    .change = {},
                    .links = nullptr};
  if (!event.members_change) return result;
  auto change = read_change(event);
  if (!change) return tl::unexpected(change.error());
  result.change = std::move(*change);
  return result;
}

}  // namespace martlet::edge
