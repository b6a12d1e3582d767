#include "wire/fields.h"

#include <cstring>
#include <string>

namespace martlet::wire {

ClientMsgId to_msg_id(const proto::Uuid* uuid) {
  ClientMsgId id;
  if (uuid != nullptr) std::memcpy(id.bytes.data(), uuid->bytes()->data(), id.bytes.size());
  return id;
}

proto::Uuid to_uuid(const ClientMsgId& id) {
  proto::Uuid uuid;
  static_assert(sizeof uuid == sizeof id.bytes);
  std::memcpy(&uuid, id.bytes.data(), sizeof uuid);
  return uuid;
}

flatbuffers::Offset<ByteVector> put_nested(Builder& builder, BytesView bytes) {
  builder.ForceVectorAlignment(bytes.size(), 1, alignof(std::uint64_t));
  return put_bytes(builder, bytes);
}

BytesView empty_table() {
  // Offset of the table, then a vtable of two sizes, then the table, which points back to it.
  static constexpr char kEmpty[] = {8, 0, 0, 0, 4, 0, 4, 0, 4, 0, 0, 0};
  return {kEmpty, sizeof kEmpty};
}

std::string_view FieldReader::name_view(const flatbuffers::String* text, const char* field) {
  if (!is_valid_id(view(text))) refuse(ErrorCode::kBadId, field, "is not a valid id");
  return view(text);
}

ConversationId FieldReader::conversation(const flatbuffers::String* text, const char* field) {
  auto id = ConversationId::parse(view(text));
  if (id.has_value()) return *std::move(id);
  refuse(ErrorCode::kBadId, field, "is not a conversation");
  return {};
}

std::string_view FieldReader::conversation_view(const flatbuffers::String* text,
                                                const char* field) {
  if (!ConversationId::parse(view(text))) refuse(ErrorCode::kBadId, field, "is not a conversation");
  return view(text);
}

std::string_view FieldReader::text(const flatbuffers::String* text, const char* field,
                                   std::size_t max_bytes) {
  const std::string_view value = view(text);
  if (value.size() > max_bytes) {
    refuse(ErrorCode::kBadBody, field, "is too long");
  } else if (!base::is_utf8(value)) {
    refuse(ErrorCode::kBadBody, field, "is not UTF-8");
  } else if (value.find('\0') != std::string_view::npos) {
    refuse(ErrorCode::kBadBody, field, "contains U+0000");
  }
  return value;
}

ClientMsgId FieldReader::msg_id(const proto::Uuid* uuid, const char* field) {
  const ClientMsgId id = to_msg_id(uuid);
  if (id.is_zero()) refuse(ErrorCode::kBadId, field, "is zero");
  return id;
}

Seq FieldReader::seq(std::uint64_t value, const char* field) {
  if (value > kMaxSeq) refuse(ErrorCode::kBadRange, field, "is too large");
  return Seq(value);
}

void FieldReader::refuse(ErrorCode code, const char* field, const char* what) {
  if (error_.has_value()) return;
  error_ = Error{code, std::string(field) + ' ' + what};
}

}  // namespace martlet::wire
