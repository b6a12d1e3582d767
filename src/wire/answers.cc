#include "wire/answers.h"

#include "wire/fields.h"
#include "wire/limits.h"

namespace martlet::wire {
namespace {

constexpr std::size_t kSessionHexDigits = 32;

std::uint64_t get_be64(BytesView bytes) {
  std::uint64_t value = 0;
  for (const char c : bytes) value = value << 8 | static_cast<std::uint8_t>(c);
  return value;
}

SessionId read_session(const flatbuffers::String* text, FieldReader& read) {
  const auto bytes = base::from_hex(view(text));
  if (!bytes || view(text).size() != kSessionHexDigits) {
    read.refuse(ErrorCode::kBadBody, "session", "is not 32 hexadecimal digits");
    return {};
  }
  return {get_be64(BytesView(*bytes).substr(0, 8)), get_be64(BytesView(*bytes).substr(8))};
}

}  // namespace

Bytes encode(const Pong& body) {
  Builder builder(64);
  return finish(builder, proto::CreatePong(builder, body.time_ms));
}

Bytes encode(const Registered& body) {
  Builder builder(128);
  return finish(builder, proto::CreateRegistered(builder, put(builder, body.user.str())));
}

Bytes encode(const Tokens& body) {
  Builder builder(1024);
  const auto access = put(builder, body.access_token);
  const auto refresh = put(builder, body.refresh_token);
  return finish(builder, proto::CreateTokens(builder, access, refresh, body.expires_in_s));
}

Bytes encode(const AuthOk& body) {
  Builder builder(512);
  const auto user = put(builder, body.user.str());
  const auto device = put(builder, body.device.str());
  const auto session = put(builder, to_string(body.session));
  const auto edge = put_some(builder, body.edge);
  return finish(builder,
                proto::CreateAuthOk(builder, user, device, session, edge, body.heartbeat_ms,
                                    body.tail_check_ms, body.max_body_bytes, body.max_unanswered,
                                    body.expires_in_s, body.time_ms));
}

Bytes encode(const GoodbyeOk&) {
  return Bytes(empty_table());
}

Bytes encode(const Ack& body) {
  Builder builder(256);
  const auto conversation = put(builder, body.conversation.str());
  const proto::Uuid id = to_uuid(body.client_msg_id);
  return finish(builder, proto::CreateAck(builder, &id, conversation, body.seq.value(),
                                          body.message_id.value(), body.time_ms, body.level,
                                          body.generation.value()));
}

Bytes encode(const ReadOk& body) {
  Builder builder(256);
  const auto conversation = put(builder, body.conversation.str());
  return finish(builder, proto::CreateReadOk(builder, conversation, body.seq.value()));
}

Bytes encode(const Refusal& body) {
  MARTLET_ASSERT(body.error.code != ErrorCode::kNone);
  Builder builder(512);
  const auto name = put(builder, error_name(body.error.code));
  const auto detail = put_some(builder, body.error.detail);
  const proto::Uuid id = to_uuid(body.client_msg_id.value_or(ClientMsgId()));
  return finish(builder,
                proto::CreateError(builder, static_cast<std::uint16_t>(body.error.code), name,
                                   detail, is_retryable(body.error.code), body.error.retry_after_ms,
                                   body.client_msg_id.has_value() ? &id : nullptr));
}

Result<Pong> parse_pong(BytesView body) {
  return read_body<proto::Pong>(body).map(
      [](const proto::Pong* table) { return Pong{table->time_ms()}; });
}

Result<Registered> parse_registered(BytesView body) {
  const auto table = read_body<proto::Registered>(body);
  if (!table) return tl::unexpected<Error>(table.error());
  FieldReader read;
  Registered out{read.user((*table)->user(), "user")};
  return read.result(std::move(out));
}

Result<Tokens> parse_tokens(BytesView body) {
  const auto table = read_body<proto::Tokens>(body);
  if (!table) return tl::unexpected<Error>(table.error());
  FieldReader read;
  Tokens out;
  out.access_token = read.text((*table)->access_token(), "access_token", kMaxBodyBytes);
  out.refresh_token = read.text((*table)->refresh_token(), "refresh_token", kMaxBodyBytes);
  out.expires_in_s = (*table)->expires_in_s();
  return read.result(out);
}

Result<AuthOk> parse_auth_ok(BytesView body) {
  const auto table = read_body<proto::AuthOk>(body);
  if (!table) return tl::unexpected<Error>(table.error());
  const proto::AuthOk& ok = **table;
  FieldReader read;
  AuthOk out;
  out.user = read.user(ok.user(), "user");
  out.device = read.device(ok.device(), "device");
  out.session = read_session(ok.session(), read);
  out.edge = read.text(ok.edge(), "edge", kMaxLabelBytes);
  out.heartbeat_ms = ok.heartbeat_ms();
  out.tail_check_ms = ok.tail_check_ms();
  out.max_body_bytes = ok.max_body_bytes();
  out.max_unanswered = ok.max_unanswered();
  out.expires_in_s = ok.expires_in_s();
  out.time_ms = ok.time_ms();
  return read.result(std::move(out));
}

Result<GoodbyeOk> parse_goodbye_ok(BytesView body) {
  return read_body<proto::GoodbyeOk>(body).map([](const proto::GoodbyeOk*) { return GoodbyeOk(); });
}

Result<Ack> parse_ack(BytesView body) {
  const auto table = read_body<proto::Ack>(body);
  if (!table) return tl::unexpected<Error>(table.error());
  const proto::Ack& ack = **table;
  FieldReader read;
  Ack out;
  out.client_msg_id = read.msg_id(ack.client_msg_id(), "client_msg_id");
  out.conversation = read.conversation(ack.conversation(), "conversation");
  out.seq = read.seq(ack.seq(), "seq");
  out.message_id = MessageId(ack.message_id());
  out.time_ms = ack.time_ms();
  out.level = read.enumerator(ack.level(), AckLevel::MAX, "level");
  out.generation = Generation(ack.generation());
  return read.result(std::move(out));
}

Result<ReadOk> parse_read_ok(BytesView body) {
  const auto table = read_body<proto::ReadOk>(body);
  if (!table) return tl::unexpected<Error>(table.error());
  FieldReader read;
  ReadOk out;
  out.conversation = read.conversation((*table)->conversation(), "conversation");
  out.seq = read.seq((*table)->seq(), "seq");
  return read.result(std::move(out));
}

Result<Refusal> parse_refusal(BytesView body) {
  const auto table = read_body<proto::Error>(body);
  if (!table) return tl::unexpected<Error>(table.error());
  const proto::Error& error = **table;
  FieldReader read;
  Refusal out;
  out.error.code = static_cast<ErrorCode>(error.code());
  out.error.detail = read.text(error.detail(), "detail", kMaxBodyBytes);
  out.error.retry_after_ms = error.retry_after_ms();
  out.retryable = error.retryable();
  if (error.client_msg_id() != nullptr) out.client_msg_id = to_msg_id(error.client_msg_id());
  if (out.error.code == ErrorCode::kNone) read.refuse(ErrorCode::kBadBody, "code", "is zero");
  return read.result(std::move(out));
}

}  // namespace martlet::wire
