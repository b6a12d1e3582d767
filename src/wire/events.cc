#include "wire/events.h"

#include "wire/fields.h"
#include "wire/limits.h"

namespace martlet::wire {

Bytes encode(const ReadEvent& body) {
  Builder builder(256);
  const auto conversation = put(builder, body.conversation.str());
  const auto user = put(builder, body.user.str());
  return finish(builder, proto::CreateReadEvent(builder, conversation, user, body.seq.value()));
}

Bytes encode(const TypingEvent& body) {
  Builder builder(256);
  const auto conversation = put(builder, body.conversation.str());
  return finish(builder,
                proto::CreateTypingEvent(builder, conversation, put(builder, body.user.str())));
}

Bytes encode(const StoredEvent& body) {
  Builder builder(256);
  const auto conversation = put(builder, body.conversation.str());
  const proto::Uuid id = to_uuid(body.client_msg_id);
  return finish(builder, proto::CreateStoredEvent(builder, &id, conversation, body.seq.value()));
}

Bytes encode(const ResyncEvent& body) {
  Builder builder(256);
  const auto conversation = put_some(builder, body.conversation.str());
  return finish(builder, proto::CreateResyncEvent(builder, body.within_ms, conversation));
}

Bytes encode(const KickedEvent& body) {
  Builder builder(64);
  return finish(builder, proto::CreateKickedEvent(builder, body.reason, body.may_reconnect));
}

Bytes encode(const ReconnectEvent& body) {
  Builder builder(256);
  const auto to = put_some(builder, body.to);
  return finish(builder, proto::CreateReconnectEvent(builder, to, body.within_ms));
}

Result<ReadEvent> parse_read_event(BytesView body) {
  const auto table = read_body<proto::ReadEvent>(body);
  if (!table) return tl::unexpected<Error>(table.error());
  FieldReader read;
  ReadEvent out;
  out.conversation = read.conversation((*table)->conversation(), "conversation");
  out.user = read.user((*table)->user(), "user");
  out.seq = read.seq((*table)->seq(), "seq");
  return read.result(std::move(out));
}

Result<TypingEvent> parse_typing_event(BytesView body) {
  const auto table = read_body<proto::TypingEvent>(body);
  if (!table) return tl::unexpected<Error>(table.error());
  FieldReader read;
  TypingEvent out;
  out.conversation = read.conversation((*table)->conversation(), "conversation");
  out.user = read.user((*table)->user(), "user");
  return read.result(std::move(out));
}

Result<StoredEvent> parse_stored_event(BytesView body) {
  const auto table = read_body<proto::StoredEvent>(body);
  if (!table) return tl::unexpected<Error>(table.error());
  FieldReader read;
  StoredEvent out;
  out.client_msg_id = read.msg_id((*table)->client_msg_id(), "client_msg_id");
  out.conversation = read.conversation((*table)->conversation(), "conversation");
  out.seq = read.seq((*table)->seq(), "seq");
  return read.result(std::move(out));
}

Result<ResyncEvent> parse_resync_event(BytesView body) {
  const auto table = read_body<proto::ResyncEvent>(body);
  if (!table) return tl::unexpected<Error>(table.error());
  FieldReader read;
  ResyncEvent out;
  out.within_ms = (*table)->within_ms();
  const auto* conversation = (*table)->conversation();
  if (conversation != nullptr) out.conversation = read.conversation(conversation, "conversation");
  return read.result(std::move(out));
}

// A reason of a newer server is kept as it is: the client still has to go.
Result<KickedEvent> parse_kicked_event(BytesView body) {
  return read_body<proto::KickedEvent>(body).map([](const proto::KickedEvent* table) {
    return KickedEvent{table->reason(), table->may_reconnect()};
  });
}

Result<ReconnectEvent> parse_reconnect_event(BytesView body) {
  const auto table = read_body<proto::ReconnectEvent>(body);
  if (!table) return tl::unexpected<Error>(table.error());
  FieldReader read;
  ReconnectEvent out;
  out.to = read.text((*table)->to(), "to", kMaxLabelBytes);
  out.within_ms = (*table)->within_ms();
  return read.result(out);
}

}  // namespace martlet::wire
