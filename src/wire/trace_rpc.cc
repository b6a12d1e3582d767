#include "wire/bus_fields.h"
#include "wire/limits.h"
#include "wire/trace.h"

namespace martlet::wire {
namespace {

flatbuffers::Offset<busproto::TraceRow> put_row(Builder& builder, const TraceRow& row) {
  MARTLET_ASSERT(row.members.size() <= kMaxTraceMembers);
  const auto conversation = put(builder, row.conversation.str());
  const auto sender = put(builder, row.sender.str());
  std::vector<flatbuffers::Offset<busproto::TraceMember>> members;
  members.reserve(row.members.size());
  for (const TraceMember& member : row.members) {
    members.push_back(busproto::CreateTraceMember(builder, put(builder, member.user.str()),
                                                  member.sees, member.member,
                                                  member.read_seq.value()));
  }
  const auto list = builder.CreateVector(members);
  const proto::Uuid id = to_uuid(row.client_msg_id);
  return busproto::CreateTraceRow(builder, conversation, row.seq.value(), row.message_id.value(),
                                  sender, &id, row.time_ms, static_cast<std::uint8_t>(row.kind),
                                  row.bytes, row.removed, row.shard.value(), row.generation.value(),
                                  row.position.value(), row.first.value(), row.watermark.value(),
                                  list, row.members_count);
}

std::vector<TraceMember> read_members(const busproto::TraceRow& table, FieldReader& read) {
  std::vector<TraceMember> out;
  if (table.members() == nullptr) return out;
  if (table.members()->size() > kMaxTraceMembers) {
    read.refuse(ErrorCode::kBadBody, "members", "are too many");
    return out;
  }
  for (const auto* member : *table.members()) {
    out.push_back({read.user(member->user(), "user"), member->sees(), member->member(),
                   read.seq(member->read_seq(), "read_seq")});
  }
  return out;
}

TraceRow read_row(const busproto::TraceRow& table, FieldReader& read) {
  TraceRow out;
  out.conversation = read.conversation(table.conversation(), "conversation");
  out.seq = read.seq(table.seq(), "seq");
  out.message_id = MessageId(table.message_id());
  out.sender = read.user(table.sender(), "sender");
  out.client_msg_id = read.msg_id(table.client_msg_id(), "client_msg_id");
  out.time_ms = table.time_ms();
  out.kind = read.enumerator(static_cast<proto::ContentKind>(table.kind()), proto::ContentKind::MAX,
                             "kind");
  out.bytes = table.bytes();
  out.removed = table.removed();
  out.shard = ShardId(table.shard());
  out.generation = Generation(table.generation());
  out.position = LogPosition(table.position());
  out.first = LogPosition(table.first());
  out.watermark = LogPosition(table.watermark());
  out.members = read_members(table, read);
  out.members_count = table.members_count();
  return out;
}

}  // namespace

Bytes encode(const TraceQuestion& question) {
  Builder builder(256);
  const auto conversation = put_some(builder, question.conversation.str());
  const proto::Uuid id = to_uuid(question.client_msg_id);
  return finish(builder,
                busproto::CreateTraceQuestion(builder, question.message_id.value(), conversation,
                                              question.seq.value(),
                                              question.client_msg_id.is_zero() ? nullptr : &id));
}

Bytes encode(const TraceAnswer& answer) {
  MARTLET_ASSERT(answer.rows.size() <= kMaxTraceRows);
  Builder builder(1024);
  const auto detail = put_some(builder, answer.error.detail);
  std::vector<flatbuffers::Offset<busproto::TraceRow>> rows;
  for (const TraceRow& row : answer.rows) rows.push_back(put_row(builder, row));
  return finish(builder,
                busproto::CreateTraceAnswer(builder, static_cast<std::uint16_t>(answer.error.code),
                                            detail, answer.behind, builder.CreateVector(rows)));
}

Result<TraceQuestion> parse_trace_question(BytesView bytes) {
  const auto table = read_envelope<busproto::TraceQuestion>(bytes, "TraceQuestion");
  if (!table) return tl::unexpected<Error>(table.error());
  FieldReader read;
  TraceQuestion out;
  out.message_id = MessageId((*table)->message_id());
  if ((*table)->conversation() != nullptr) {
    out.conversation = read.conversation((*table)->conversation(), "conversation");
  }
  out.seq = read.seq((*table)->seq(), "seq");
  out.client_msg_id = to_msg_id((*table)->client_msg_id());
  const int keys = int(out.message_id != MessageId()) + int(!out.conversation.empty()) +
                   int(!out.client_msg_id.is_zero());
  if (keys != 1 || out.conversation.empty() != (out.seq == Seq())) {
    read.refuse(ErrorCode::kBadBody, "message", "is not named in exactly one way");
  }
  return read.result(std::move(out));
}

Result<TraceAnswer> parse_trace_answer(BytesView bytes) {
  const auto table = read_envelope<busproto::TraceAnswer>(bytes, "TraceAnswer");
  if (!table) return tl::unexpected<Error>(table.error());
  FieldReader read;
  TraceAnswer out;
  out.error = read_error(**table);
  out.behind = (*table)->behind();
  const auto* rows = (*table)->rows();
  if (rows == nullptr) return read.result(std::move(out));
  if (rows->size() > kMaxTraceRows) return fail(ErrorCode::kBadBody, "rows: are too many");
  for (const auto* row : *rows) {
    out.rows.push_back(read_row(*row, read));
    if (!read.ok()) break;
  }
  return read.result(std::move(out));
}

}  // namespace martlet::wire
