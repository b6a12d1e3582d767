#include "bus/subjects.h"
#include "edge/handlers/handlers.h"
#include "edge/publish_frame.h"

namespace martlet::edge {

// A read cursor concerns only the reader: it goes to the log of their conversation with themself.
Result<Taken> handle_read(EdgeContext& edge, const Request& request) {
  const auto read = wire::parse_read(request.body);
  if (!read) return tl::unexpected(read.error());
  const UserId& reader = request.link.session().user();
  const bool in_group = read->conversation.is_group();
  if (in_group && edge.groups.is_outside(reader, read->conversation.group())) {
    return fail(ErrorCode::kNotMember);
  }
  const ShardId shard = shard_of(ConversationId::with_self(reader), edge.identity.shards);
  return publish_frame(edge, request,
                       {.shard = shard, .subject = bus::subject::in_user(shard, reader)});
}

}  // namespace martlet::edge
