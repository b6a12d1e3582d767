#include "wire/envelopes.h"

#include "wire/bus_fields.h"
#include "wire/limits.h"

namespace martlet::wire {
namespace {

static_assert(static_cast<int>(AnswerKind::kAccepted) ==
              static_cast<int>(busproto::AnswerKind::Accepted));
static_assert(static_cast<int>(AnswerKind::kRefused) ==
              static_cast<int>(busproto::AnswerKind::Refused));
static_assert(static_cast<int>(AnswerKind::kStored) ==
              static_cast<int>(busproto::AnswerKind::Stored));

static_assert(static_cast<int>(Traced::kSampled) == static_cast<int>(busproto::Traced::Sampled));
static_assert(static_cast<int>(Traced::kFlagged) == static_cast<int>(busproto::Traced::Flagged));

busproto::Traced put_traced(Traced traced) {
  return static_cast<busproto::Traced>(traced);
}

// No message is lost for what a newer version calls it.
Traced traced_of(busproto::Traced traced) {
  return traced > busproto::Traced::MAX ? Traced::kNo : static_cast<Traced>(traced);
}

constexpr auto kLastKickReason = proto::KickReason::MAX;

template <class Body>
Bytes finish_to_edge(Builder& builder, busproto::EdgeBody type, flatbuffers::Offset<Body> body) {
  return finish(builder, busproto::CreateToEdge(builder, type, body.Union()));
}

template <class Body>
Bytes finish_to_user(Builder& builder, busproto::UserBody type, flatbuffers::Offset<Body> body) {
  return finish(builder, busproto::CreateToUser(builder, type, body.Union()));
}

flatbuffers::Offset<busproto::Answer> put_answer(Builder& builder, const Answer& answer) {
  MARTLET_ASSERT((answer.kind == AnswerKind::kRefused) == (answer.error != ErrorCode::kNone));
  const busproto::SessionId session = to_bus(answer.session);
  const proto::Uuid id = to_uuid(answer.client_msg_id);
  const auto conversation = put_some(builder, answer.conversation);
  const auto detail = put_some(builder, answer.detail);
  return busproto::CreateAnswer(
      builder, static_cast<busproto::AnswerKind>(answer.kind), &session, answer.request_id,
      static_cast<std::uint16_t>(answer.command), answer.client_msg_id.is_zero() ? nullptr : &id,
      conversation, answer.seq.value(), answer.message_id.value(), answer.time_ms,
      static_cast<std::uint16_t>(answer.error), answer.retry_after_ms, detail,
      static_cast<std::uint8_t>(answer.level), put_traced(answer.traced));
}

Answer read_answer(const busproto::Answer& table, FieldReader& read) {
  Answer out;
  if (table.kind() == busproto::AnswerKind::Unknown) {
    read.refuse(ErrorCode::kBadBody, "kind", "is unknown");
  }
  out.kind =
      static_cast<AnswerKind>(read.enumerator(table.kind(), busproto::AnswerKind::MAX, "kind"));
  out.session = from_bus(table.session());
  out.request_id = table.request_id();
  out.command = static_cast<Command>(table.command());
  out.client_msg_id = to_msg_id(table.client_msg_id());
  if (table.conversation() != nullptr) {
    out.conversation = read.conversation_view(table.conversation(), "conversation");
  }
  out.seq = read.seq(table.seq(), "seq");
  out.message_id = MessageId(table.message_id());
  out.time_ms = table.time_ms();
  out.level =
      read.enumerator(static_cast<proto::AckLevel>(table.level()), proto::AckLevel::MAX, "level");
  out.error = static_cast<ErrorCode>(table.error());
  out.retry_after_ms = table.retry_after_ms();
  out.traced = traced_of(table.traced());
  out.detail = view(table.detail());
  if ((out.kind == AnswerKind::kRefused) != (out.error != ErrorCode::kNone)) {
    read.refuse(ErrorCode::kBadBody, "error", "does not fit the kind");
  }
  return out;
}

Result<ToEdge> read_answers(const busproto::AnswerBatch& table) {
  FieldReader read;
  AnswerBatch out;
  out.shard = ShardId(table.shard());
  out.generation = Generation(table.generation());
  out.epoch = Epoch(table.epoch());
  out.answers.reserve(table.answers()->size());
  for (const auto* answer : *table.answers()) {
    out.answers.push_back(read_answer(*answer, read));
    if (!read.ok()) break;
  }
  return read.result(ToEdge(std::move(out)));
}

Result<ToUser> read_event(const busproto::Event& table) {
  FieldReader read;
  Event out;
  out.shard = ShardId(table.shard());
  out.generation = Generation(table.generation());
  out.epoch = Epoch(table.epoch());
  out.position = LogPosition(table.position());
  out.command = static_cast<Command>(table.command());
  out.conversation = read.conversation_view(table.conversation(), "conversation");
  out.seq = read.seq(table.seq(), "seq");
  out.members_at = read.seq(table.members_at(), "members_at");
  out.origin = from_bus(table.origin());
  out.body = view(table.body());
  out.members_change = table.members_change();
  out.traced = traced_of(table.traced());
  if (!is_event(out.command)) read.refuse(ErrorCode::kBadBody, "command", "is no event");
  return read.result(ToUser(out));
}

Result<ToUser> read_session_started(const busproto::SessionStarted& table) {
  FieldReader read;
  SessionStarted out{read.device(table.device(), "device"), from_bus(table.session()),
                     from_bus(table.answers()), from_bus(table.after())};
  return read.result(ToUser(std::move(out)));
}

Result<ToEdge> read_drain(const busproto::DrainEdge& table) {
  FieldReader read;
  const DrainEdge out{read.text(table.who(), "who", kMaxLabelBytes)};
  return read.result(ToEdge(out));
}

Result<ToUser> read_kick_device(const busproto::KickDevice& table) {
  FieldReader read;
  KickDevice out;
  if (table.device() != nullptr) out.device = read.device(table.device(), "device");
  out.reason =
      read.enumerator(static_cast<proto::KickReason>(table.reason()), kLastKickReason, "reason");
  return read.result(ToUser(std::move(out)));
}

}  // namespace

Bytes encode(const ClientFrame& frame) {
  MARTLET_ASSERT(is_valid_id(frame.edge) && is_valid_id(frame.user) && is_valid_id(frame.device));
  Builder builder(frame.body.size() + 512);
  const auto body = put_nested(builder, frame.body);
  const auto edge = put(builder, frame.edge);
  const auto user = put(builder, frame.user);
  const auto device = put(builder, frame.device);
  const busproto::SessionId session = to_bus(frame.session);
  return finish(builder,
                busproto::CreateClientFrame(builder, edge, &session, frame.request_id, user, device,
                                            frame.received_ms, frame.first_sent_ms,
                                            static_cast<std::uint16_t>(frame.command), body,
                                            put_traced(frame.traced)));
}

Bytes encode(const AnswerBatch& batch) {
  Builder builder(1024);
  std::vector<flatbuffers::Offset<busproto::Answer>> offsets;
  offsets.reserve(batch.answers.size());
  for (const Answer& answer : batch.answers) offsets.push_back(put_answer(builder, answer));
  const auto answers = builder.CreateVector(offsets);
  return finish_to_edge(
      builder, busproto::EdgeBody::AnswerBatch,
      busproto::CreateAnswerBatch(builder, batch.shard.value(), batch.generation.value(),
                                  batch.epoch.value(), answers));
}

Bytes encode(const KickSession& kick) {
  Builder builder(128);
  const busproto::SessionId session = to_bus(kick.session);
  return finish_to_edge(
      builder, busproto::EdgeBody::KickSession,
      busproto::CreateKickSession(builder, &session, static_cast<std::uint8_t>(kick.reason)));
}

Bytes encode(const DrainEdge& drain) {
  Builder builder(256);
  const auto who = put_some(builder, drain.who);
  return finish_to_edge(builder, busproto::EdgeBody::DrainEdge,
                        busproto::CreateDrainEdge(builder, who));
}

Bytes encode(const Event& event) {
  MARTLET_ASSERT(is_event(event.command) && !event.conversation.empty());
  Builder builder(event.body.size() + 512);
  const auto body = put_nested(builder, event.body);
  const auto conversation = put(builder, event.conversation);
  const busproto::SessionId origin = to_bus(event.origin);
  const bool has_origin = event.origin != SessionId();
  return finish_to_user(
      builder, busproto::UserBody::Event,
      busproto::CreateEvent(
          builder, event.shard.value(), event.generation.value(), event.epoch.value(),
          event.position.value(), static_cast<std::uint16_t>(event.command), conversation,
          event.seq.value(), event.members_at.value(), has_origin ? &origin : nullptr, body,
          event.members_change, put_traced(event.traced)));
}

Bytes encode(const SessionStarted& one) {
  MARTLET_ASSERT(!one.device.empty());
  Builder builder(256);
  const auto device = put(builder, one.device.str());
  const busproto::SessionId session = to_bus(one.session);
  const busproto::SessionId answers = to_bus(one.answers);
  const busproto::SessionId after = to_bus(one.after);
  return finish_to_user(
      builder, busproto::UserBody::SessionStarted,
      busproto::CreateSessionStarted(builder, device, &session,
                                     one.answers == SessionId() ? nullptr : &answers,
                                     one.after == SessionId() ? nullptr : &after));
}

Bytes encode(const KickDevice& kick) {
  Builder builder(256);
  const auto device = put_some(builder, kick.device.str());
  return finish_to_user(
      builder, busproto::UserBody::KickDevice,
      busproto::CreateKickDevice(builder, device, static_cast<std::uint8_t>(kick.reason)));
}

Bytes encode(const OwnerAnnounced& announced) {
  MARTLET_ASSERT(is_valid_id(announced.owner));
  Builder builder(256);
  const auto owner = put(builder, announced.owner);
  return finish(builder, busproto::CreateOwnerAnnounced(
                             builder, announced.shard.value(), announced.generation.value(),
                             announced.epoch.value(), owner, announced.lost_events));
}

Bytes encode(const Watermark& watermark) {
  Builder builder(128);
  return finish(builder, busproto::CreateWatermark(builder, watermark.shard.value(),
                                                   watermark.generation.value(), watermark.base,
                                                   watermark.position.value()));
}

Bytes encode(const EdgeBeat& beat) {
  MARTLET_ASSERT(!beat.edge.empty());
  Builder builder(512);
  const auto edge = put(builder, beat.edge.str());
  const auto name = put_some(builder, beat.name);
  const auto address = put(builder, beat.address);
  const auto http = put_some(builder, beat.http);
  return finish(builder, busproto::CreateEdgeBeat(builder, edge, name, address, http,
                                                  beat.started_ms, beat.connections, beat.sessions,
                                                  beat.draining, beat.weight, beat.cpu_permille,
                                                  beat.loop_lag_us, beat.output_bytes_per_s));
}

Result<ClientFrame> parse_client_frame(BytesView bytes) {
  const auto table = read_envelope<busproto::ClientFrame>(bytes, "ClientFrame");
  if (!table) return tl::unexpected<Error>(table.error());
  const busproto::ClientFrame& frame = **table;
  FieldReader read;
  ClientFrame out;
  out.edge = read.name_view(frame.edge(), "edge");
  out.session = from_bus(frame.session());
  out.request_id = frame.request_id();
  out.user = read.name_view(frame.user(), "user");
  out.device = read.name_view(frame.device(), "device");
  out.received_ms = frame.received_ms();
  out.first_sent_ms = frame.first_sent_ms();
  out.command = static_cast<Command>(frame.command());
  out.body = view(frame.body());
  out.traced = traced_of(frame.traced());
  if (!is_request(out.command)) read.refuse(ErrorCode::kBadBody, "command", "is no request");
  return read.result(out);
}

Result<ToEdge> parse_to_edge(BytesView bytes) {
  const auto table = read_envelope<busproto::ToEdge>(bytes, "ToEdge");
  if (!table) return tl::unexpected<Error>(table.error());
  switch ((*table)->body_type()) {
    case busproto::EdgeBody::AnswerBatch:
      return read_answers(*(*table)->body_as_AnswerBatch());
    case busproto::EdgeBody::KickSession: {
      const auto& kick = *(*table)->body_as_KickSession();
      return ToEdge(
          KickSession{from_bus(kick.session()), static_cast<proto::KickReason>(kick.reason())});
    }
    case busproto::EdgeBody::DrainEdge:
      return read_drain(*(*table)->body_as_DrainEdge());
    case busproto::EdgeBody::NONE:
      break;
  }
  return fail(ErrorCode::kBadBody, "ToEdge has an unknown body");
}

Result<ToUser> parse_to_user(BytesView bytes) {
  const auto table = read_envelope<busproto::ToUser>(bytes, "ToUser");
  if (!table) return tl::unexpected<Error>(table.error());
  switch ((*table)->body_type()) {
    case busproto::UserBody::Event:
      return read_event(*(*table)->body_as_Event());
    case busproto::UserBody::SessionStarted:
      return read_session_started(*(*table)->body_as_SessionStarted());
    case busproto::UserBody::KickDevice:
      return read_kick_device(*(*table)->body_as_KickDevice());
    case busproto::UserBody::NONE:
      break;
  }
  return fail(ErrorCode::kBadBody, "ToUser has an unknown body");
}

Result<OwnerAnnounced> parse_owner_announced(BytesView bytes) {
  const auto table = read_envelope<busproto::OwnerAnnounced>(bytes, "OwnerAnnounced");
  if (!table) return tl::unexpected<Error>(table.error());
  FieldReader read;
  OwnerAnnounced out;
  out.shard = ShardId((*table)->shard());
  out.generation = Generation((*table)->generation());
  out.epoch = Epoch((*table)->epoch());
  out.owner = read.name_view((*table)->owner(), "owner");
  out.lost_events = (*table)->lost_events();
  return read.result(out);
}

Result<Watermark> parse_watermark(BytesView bytes) {
  return read_envelope<busproto::Watermark>(bytes, "Watermark")
      .map([](const busproto::Watermark* table) {
        return Watermark{ShardId(table->shard()), Generation(table->generation()), table->base(),
                         LogPosition(table->position())};
      });
}

Result<EdgeBeat> parse_edge_beat(BytesView bytes) {
  const auto table = read_envelope<busproto::EdgeBeat>(bytes, "EdgeBeat");
  if (!table) return tl::unexpected<Error>(table.error());
  const busproto::EdgeBeat& beat = **table;
  FieldReader read;
  EdgeBeat out;
  out.edge = read.edge(beat.edge(), "edge");
  out.name = read.text(beat.name(), "name", kMaxLabelBytes);
  out.address = read.text(beat.address(), "address", kMaxLabelBytes);
  out.http = read.text(beat.http(), "http", kMaxLabelBytes);
  out.started_ms = beat.started_ms();
  out.connections = beat.connections();
  out.sessions = beat.sessions();
  out.draining = beat.draining();
  out.weight = beat.weight();
  if (out.weight > kMaxEdgeWeight) read.refuse(ErrorCode::kBadBody, "weight", "is too large");
  out.cpu_permille = beat.cpu_permille();
  out.loop_lag_us = beat.loop_lag_us();
  out.output_bytes_per_s = beat.output_bytes_per_s();
  return read.result(std::move(out));
}

}  // namespace martlet::wire
