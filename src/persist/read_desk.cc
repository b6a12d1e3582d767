#include "persist/read_desk.h"

#include "base/assert.h"
#include "base/planted.h"
#include "persist/limits.h"
#include "store/limits.h"
#include "wire/group_requests.h"
#include "wire/verify.h"

namespace martlet::persist {
namespace {

wire::Message message_of(const store::StoredRow& row) {
  wire::Message message;
  message.conversation = row.conversation.str();
  message.seq = row.seq;
  message.message_id = row.message_id;
  message.sender = row.sender.str();
  message.client_msg_id = row.client_msg_id;
  message.time_ms = row.time_ms;
  message.generation = row.generation;
  // Edges store only what verifies; a page must not fail on what the disk made of it.
  message.removed = row.removed || !wire::verifies<proto::Content>(row.content);
  if (!message.removed) message.content = row.content;
  return message;
}

std::vector<wire::Message> messages_of(const std::vector<store::StoredRow>& rows) {
  std::vector<wire::Message> messages;
  messages.reserve(rows.size());
  for (const store::StoredRow& row : rows) messages.push_back(message_of(row));
  return messages;
}

wire::ConversationState state_of(const store::SyncConversation& row) {
  wire::ConversationState state;
  state.conversation = row.conversation;
  state.last_seq = row.last_seq;
  state.read_seq = row.read_seq;
  state.peer_read_seq = row.peer_read_seq;
  state.unread = row.unread;
  state.first_seq = row.first_seq;
  state.start_seq = row.start_seq;
  state.members_at = row.members_at;
  state.membership = row.is_former ? wire::Membership::Former : wire::Membership::Member;
  state.generation = row.generation;
  state.newest = messages_of(row.newest);
  return state;
}

std::size_t bytes_of(const wire::ConversationState& state) {
  std::size_t bytes = wire::size_in_page(state);
  for (const wire::Message& message : state.newest) bytes += wire::size_in_page(message);
  return bytes;
}

// The store knows the members of groups.
bool may_ask(const UserId& user, const ConversationId& conversation) {
  if (is_planted(Planted::kSkipReadRights)) return true;
  return conversation.is_group() || conversation.has_user(user);
}

void answer_fetch(const ClientCallPtr& call, const store::FetchRows& rows) {
  if (rows.not_member) return call->refuse({ErrorCode::kNotMember, rows.not_member->str()});
  call->answer(
      wire::encode(wire::FetchPage{messages_of(rows.messages), rows.withheld, rows.remaining}));
}

// Former members must not be told of a group as if they still were in it.
void refuse_behind(const ClientCallPtr& call) {
  call->refuse({ErrorCode::kUnavailable, "the database is behind the log", kAgainInMs});
}

// Who is in no group that we know of may be in one that is not stored yet.
void answer_history(const ClientCallPtr& call, const store::HistoryRows& rows, bool behind) {
  if (rows.not_member && !behind) return call->refuse({ErrorCode::kNotMember, ""});
  call->answer(wire::encode(wire::HistoryPage{messages_of(rows.messages), rows.withheld, rows.more,
                                              behind, behind ? kAgainInMs : 0}));
}

}  // namespace

void ReadDesk::handle(const ClientCallPtr& call) {
  if (call->user().empty()) return call->refuse({ErrorCode::kNotAuthenticated, ""});
  switch (call->command()) {
    case wire::Command::Sync:
      return handle_sync(call);
    case wire::Command::Fetch:
      return handle_fetch(call);
    case wire::Command::History:
      return handle_history(call);
    case wire::Command::GroupInfo:
      return handle_group_info(call);
    case wire::Command::GroupList:
      return handle_group_list(call);
    default:
      call->refuse({ErrorCode::kUnknownCommand, "not answered here"});
  }
}

void ReadDesk::wait(const ClientCallPtr& call, std::vector<ShardId> shards, Barrier::Release then) {
  if (is_planted(Planted::kSkipBarrier)) return then(false);
  const MonotonicTime started = parts_.loop.now();
  const bool taken = parts_.barrier.add(
      std::move(shards), started, [this, started, then = std::move(then)](bool behind) {
        parts_.metrics.barrier_took(parts_.loop.now() - started, behind);
        then(behind);
      });
  if (!taken)
    call->refuse({ErrorCode::kBusy, "too many requests wait for the database", kBusyRetryMs});
}

void ReadDesk::handle_sync(const ClientCallPtr& call) {
  const auto body = wire::parse_sync(call->body());
  if (!body) return call->refuse(body.error());
  if (!body->page.empty()) {
    auto cursor = decode_sync_cursor(body->page, parts_.shards);
    if (!cursor) return call->refuse({ErrorCode::kBadBody, "page: not one of ours"});
    return read_page(call, std::move(*cursor), false);
  }
  SyncCursor cursor;
  if (!body->token.empty()) {
    cursor.since = decode_sync_token(body->token, parts_.shards);
    if (!cursor.since) return call->refuse({ErrorCode::kBadBody, "token: not one of ours"});
  }
  wait(call, {}, [this, call, cursor = std::move(cursor)](bool behind) mutable {
    cursor.behind = behind;
    read_page(call, std::move(cursor), true);
  });
}

void ReadDesk::read_page(const ClientCallPtr& call, SyncCursor cursor, bool first_page) {
  const store::SyncRequest request{call->user(), cursor.since, cursor.after};
  parts_.store.sync(request, [call, cursor = std::move(cursor),
                              first_page](const Result<store::SyncRows>& rows) mutable {
    if (!rows) return call->refuse(rows.error());
    if (first_page || is_planted(Planted::kTwoSnapshots)) cursor.now = rows->now;
    call->answer(encode_sync_page(*rows, std::move(cursor)));
  });
}

Bytes encode_sync_page(const store::SyncRows& rows, SyncCursor cursor) {
  wire::SyncPage page;
  // Both kinds of token, and the page itself.
  const std::size_t fixed = 2 * (16 + 24 * cursor.now.positions.size()) + 1024;
  MARTLET_ASSERT(fixed < store::kMaxPageBytes / 4);
  std::size_t room = store::kMaxPageBytes - fixed;
  for (const store::SyncConversation& row : rows.conversations) {
    wire::ConversationState state = state_of(row);
    const std::size_t bytes = bytes_of(state);
    if (bytes > room) break;
    room -= bytes;
    cursor.after = row.row_id;
    page.conversations.push_back(std::move(state));
  }
  MARTLET_ASSERT(!page.conversations.empty() || rows.conversations.empty());
  page.behind = cursor.behind;
  page.again_in_ms = cursor.behind ? kAgainInMs : 0;
  const bool is_last = !rows.more && page.conversations.size() == rows.conversations.size();
  const Bytes token = is_last ? encode_sync_token(cursor.now) : encode_sync_cursor(cursor);
  (is_last ? page.token : page.next_page) = token;
  return wire::encode(page);
}

void ReadDesk::handle_fetch(const ClientCallPtr& call) {
  auto body = wire::parse_fetch(call->body());
  if (!body) return call->refuse(body.error());
  for (const wire::Range& range : body->ranges) {
    if (!may_ask(call->user(), range.conversation))
      return call->refuse({ErrorCode::kNotMember, range.conversation.str()});
  }
  const store::FetchRequest request{call->user(), std::move(body->ranges)};
  parts_.store.fetch(request, [this, call, request](const Result<store::FetchRows>& rows) {
    if (!rows) return call->refuse(rows.error());
    if (rows->beyond.empty()) return answer_fetch(call, *rows);
    // Seen live, perhaps, and not stored yet.
    wait(call, rows->beyond, [this, call, request](bool behind) {
      store::FetchRequest again = request;
      again.keep_unknown = behind;
      fetch(call, std::move(again));
    });
  });
}

void ReadDesk::fetch(const ClientCallPtr& call, store::FetchRequest request) {
  parts_.store.fetch(std::move(request), [call](const Result<store::FetchRows>& rows) {
    if (!rows) return call->refuse(rows.error());
    answer_fetch(call, *rows);
  });
}

void ReadDesk::handle_history(const ClientCallPtr& call) {
  const auto body = wire::parse_history(call->body());
  if (!body) return call->refuse(body.error());
  if (!may_ask(call->user(), body->conversation))
    return call->refuse({ErrorCode::kNotMember, body->conversation.str()});
  const store::HistoryRequest request{call->user(), *body};
  wait(call, {shard_of(body->conversation, parts_.shards)}, [this, call, request](bool behind) {
    parts_.store.history(request, [call, behind](const Result<store::HistoryRows>& rows) {
      rows ? answer_history(call, *rows, behind) : call->refuse(rows.error());
    });
  });
}

void ReadDesk::handle_group_info(const ClientCallPtr& call) {
  const auto body = wire::parse_group_info(call->body());
  if (!body) return call->refuse(body.error());
  const store::GroupInfoRequest request{call->user(), body->group, std::string(body->after),
                                        body->limit};
  const ShardId shard = shard_of(ConversationId::of_group(body->group), parts_.shards);
  wait(call, {shard}, [this, call, request](bool behind) {
    if (behind) return refuse_behind(call);
    parts_.store.group_info(request,
                            [call](const Result<std::optional<wire::GroupInfoPage>>& page) {
                              if (!page) return call->refuse(page.error());
                              if (!*page) return call->refuse({ErrorCode::kNotMember, ""});
                              call->answer(wire::encode(**page));
                            });
  });
}

void ReadDesk::handle_group_list(const ClientCallPtr& call) {
  const auto body = wire::parse_group_list(call->body());
  if (!body) return call->refuse(body.error());
  const store::GroupListRequest request{call->user(), std::string(body->after), body->limit};
  wait(call, {}, [this, call, request](bool behind) {
    if (behind) return refuse_behind(call);
    parts_.store.group_list(request, [call](const Result<wire::GroupListPage>& page) {
      page ? call->answer(wire::encode(*page)) : call->refuse(page.error());
    });
  });
}

}  // namespace martlet::persist
