#include "wire/requests.h"

#include "wire/age.h"
#include "wire/content.h"
#include "wire/fields.h"
#include "wire/limits.h"
#include "wire/ranges.h"

namespace martlet::wire {
namespace {

Result<Send> parse_send_fields(BytesView body) {
  const auto table = read_body<proto::Send>(body);
  if (!table) return tl::unexpected<Error>(table.error());
  const proto::Send& send = **table;
  FieldReader read;
  Send out;
  const bool is_one = (send.to_user() == nullptr) != (send.to_group() == nullptr);
  if (!is_one)
    read.refuse(ErrorCode::kBadBody, "exactly one of to_user and to_group", "must be set");
  if (send.to_user() != nullptr) out.to_user = read.user(send.to_user(), "to_user");
  if (send.to_group() != nullptr) out.to_group = read.group(send.to_group(), "to_group");
  out.client_msg_id = read.msg_id(send.client_msg_id(), "client_msg_id");
  out.content = view(send.content());
  out.age = age_of(send.age_ms());
  out.want = read.enumerator(send.want(), AckLevel::MAX, "want");
  const ClientMsgId follows = to_msg_id(send.follows());
  if (!follows.is_zero()) out.follows = follows;
  out.trace = send.trace();
  if (out.follows == out.client_msg_id)
    read.refuse(ErrorCode::kBadId, "follows", "is the message itself");
  return read.result(std::move(out));
}

}  // namespace

Bytes encode(const Ping&) {
  return Bytes(empty_table());
}

Bytes encode(const Goodbye&) {
  return Bytes(empty_table());
}

Bytes encode(const Register& body) {
  Builder builder(256);
  const auto user = put(builder, body.user.str());
  return finish(builder, proto::CreateRegister(builder, user, put(builder, body.password)));
}

Bytes encode(const Login& body) {
  Builder builder(256);
  const auto user = put(builder, body.user.str());
  const auto device = put(builder, body.device.str());
  const auto password = put(builder, body.password);
  const auto token = put_some(builder, body.token);
  return finish(builder, proto::CreateLogin(builder, user, device, password, token));
}

Bytes encode(const Auth& body) {
  Builder builder(1024);
  const auto token = put(builder, body.access_token);
  return finish(builder, proto::CreateAuth(builder, token, put_some(builder, body.client)));
}

Bytes encode(const Refresh& body) {
  Builder builder(256);
  return finish(builder, proto::CreateRefresh(builder, put(builder, body.refresh_token)));
}

Bytes encode(const Send& body) {
  MARTLET_ASSERT(body.to_user.empty() != body.to_group.empty());
  MARTLET_ASSERT(!body.client_msg_id.is_zero());
  Builder builder(body.content.size() + 256);
  const auto content = put_nested(builder, body.content);
  const auto to_user = put_some(builder, body.to_user.str());
  const auto to_group = put_some(builder, body.to_group.str());
  const proto::Uuid id = to_uuid(body.client_msg_id);
  const proto::Uuid follows = to_uuid(body.follows.value_or(ClientMsgId()));
  return finish(builder, proto::CreateSend(
                             builder, to_user, to_group, &id, content, to_age_ms(body.age),
                             body.want, body.follows.has_value() ? &follows : nullptr, body.trace));
}

Bytes encode(const Read& body) {
  Builder builder(256);
  const auto conversation = put(builder, body.conversation.str());
  return finish(builder, proto::CreateRead(builder, conversation, body.seq.value()));
}

Bytes encode(const Sync& body) {
  Builder builder(body.token.size() + body.page.size() + 64);
  const auto token = put_some_bytes(builder, body.token);
  return finish(builder, proto::CreateSync(builder, token, put_some_bytes(builder, body.page)));
}

Bytes encode(const Fetch& body) {
  MARTLET_ASSERT(body.ranges.size() <= kMaxRangesPerFetch);
  Builder builder(1024);
  const auto ranges = put_ranges(builder, body.ranges);
  return finish(builder, proto::CreateFetch(builder, ranges, body.live_missed));
}

Bytes encode(const History& body) {
  Builder builder(256);
  const auto conversation = put(builder, body.conversation.str());
  return finish(builder, proto::CreateHistory(builder, conversation, body.from.value(),
                                              body.direction, body.limit));
}

Result<Ping> parse_ping(BytesView body) {
  return read_body<proto::Ping>(body).map([](const proto::Ping*) { return Ping(); });
}

Result<Goodbye> parse_goodbye(BytesView body) {
  return read_body<proto::Goodbye>(body).map([](const proto::Goodbye*) { return Goodbye(); });
}

Result<Register> parse_register(BytesView body) {
  const auto table = read_body<proto::Register>(body);
  if (!table) return tl::unexpected<Error>(table.error());
  FieldReader read;
  Register out;
  out.user = read.user((*table)->user(), "user");
  out.password = read.text((*table)->password(), "password", kMaxBodyBytes);
  if (out.password.size() < kMinPasswordBytes || out.password.size() > kMaxPasswordBytes) {
    read.refuse(ErrorCode::kBadPassword, "password", "must have 8 to 256 bytes");
  }
  return read.result(std::move(out));
}

Result<Login> parse_login(BytesView body) {
  const auto table = read_body<proto::Login>(body);
  if (!table) return tl::unexpected<Error>(table.error());
  FieldReader read;
  Login out;
  out.user = read.user((*table)->user(), "user");
  out.device = read.device((*table)->device(), "device");
  out.password = read.text((*table)->password(), "password", kMaxBodyBytes);
  // Nobody has such a password, and hashing it would cost us.
  if (out.password.size() > kMaxPasswordBytes) {
    read.refuse(ErrorCode::kBadPassword, "password", "has more than 256 bytes");
  }
  out.token = read.text((*table)->token(), "token", kMaxBodyBytes);
  if (!out.token.empty() && !out.password.empty())
    read.refuse(ErrorCode::kBadBody, "one of password and token", "must be empty");
  return read.result(std::move(out));
}

Result<Auth> parse_auth(BytesView body) {
  const auto table = read_body<proto::Auth>(body);
  if (!table) return tl::unexpected<Error>(table.error());
  FieldReader read;
  Auth out;
  out.access_token = read.text((*table)->access_token(), "access_token", kMaxBodyBytes);
  out.client = read.text((*table)->client(), "client", kMaxLabelBytes);
  return read.result(out);
}

Result<Refresh> parse_refresh(BytesView body) {
  const auto table = read_body<proto::Refresh>(body);
  if (!table) return tl::unexpected<Error>(table.error());
  FieldReader read;
  Refresh out;
  out.refresh_token = read.text((*table)->refresh_token(), "refresh_token", kMaxBodyBytes);
  return read.result(out);
}

Result<Send> parse_send(BytesView body) {
  auto send = parse_send_fields(body);
  if (!send) return send;
  const auto content = parse_content(send->content);
  if (!content) return tl::unexpected<Error>(content.error());
  return send;
}

Result<Send> parse_checked_send(BytesView body) {
  return parse_send_fields(body);
}

Result<Read> parse_read(BytesView body) {
  const auto table = read_body<proto::Read>(body);
  if (!table) return tl::unexpected<Error>(table.error());
  FieldReader read;
  Read out;
  out.conversation = read.conversation((*table)->conversation(), "conversation");
  out.seq = read.seq((*table)->seq(), "seq");
  if (out.seq == Seq(0)) read.refuse(ErrorCode::kBadRange, "seq", "is zero");
  return read.result(std::move(out));
}

Result<Sync> parse_sync(BytesView body) {
  const auto table = read_body<proto::Sync>(body);
  if (!table) return tl::unexpected<Error>(table.error());
  return Sync{view((*table)->token()), view((*table)->page())};
}

Result<Fetch> parse_fetch(BytesView body) {
  const auto table = read_body<proto::Fetch>(body);
  if (!table) return tl::unexpected<Error>(table.error());
  const auto& ranges = *(*table)->ranges();
  if (ranges.size() == 0 || ranges.size() > kMaxRangesPerFetch) {
    return fail(ErrorCode::kBadRange,
                "a FETCH has 1 to 1000 ranges, not " + std::to_string(ranges.size()));
  }
  FieldReader read;
  Fetch out;
  out.ranges = read_ranges(&ranges, "ranges", kMaxRangeSeqs, read);
  out.live_missed = (*table)->live_missed();
  return read.result(std::move(out));
}

Result<History> parse_history(BytesView body) {
  const auto table = read_body<proto::History>(body);
  if (!table) return tl::unexpected<Error>(table.error());
  FieldReader read;
  History out;
  out.conversation = read.conversation((*table)->conversation(), "conversation");
  out.from = read.seq((*table)->from(), "from");
  out.direction = read.enumerator((*table)->direction(), Direction::MAX, "direction");
  out.limit = (*table)->limit();
  return read.result(std::move(out));
}

}  // namespace martlet::wire
