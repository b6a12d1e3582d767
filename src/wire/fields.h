#pragma once

#include <flatbuffers/flatbuffers.h>

#include <optional>
#include <string_view>
#include <utility>

#include "base/assert.h"
#include "base/bytes.h"
#include "base/result.h"
#include "ids_generated.h"
#include "model/conversation.h"
#include "model/ids.h"
#include "wire/verify.h"

// How fields of tables become values and back; for the .cc files of wire/ only.
namespace martlet::wire {

using Builder = flatbuffers::FlatBufferBuilder;
using ByteVector = flatbuffers::Vector<std::uint8_t>;

inline std::string_view view(const flatbuffers::String* text) {
  return text == nullptr ? std::string_view() : std::string_view(text->c_str(), text->size());
}
inline BytesView view(const ByteVector* bytes) {
  return bytes == nullptr ? BytesView() : base::as_view(bytes->data(), bytes->size());
}
ClientMsgId to_msg_id(const proto::Uuid* uuid);  // nullptr: zero
proto::Uuid to_uuid(const ClientMsgId& id);

inline flatbuffers::Offset<flatbuffers::String> put(Builder& builder, std::string_view text) {
  return builder.CreateString(text.data(), text.size());
}
// Absent when empty.
inline flatbuffers::Offset<flatbuffers::String> put_some(Builder& builder, std::string_view text) {
  return text.empty() ? flatbuffers::Offset<flatbuffers::String>() : put(builder, text);
}
inline flatbuffers::Offset<ByteVector> put_bytes(Builder& builder, BytesView bytes) {
  return builder.CreateVector(base::as_u8(bytes), bytes.size());
}
inline flatbuffers::Offset<ByteVector> put_some_bytes(Builder& builder, BytesView bytes) {
  return bytes.empty() ? flatbuffers::Offset<ByteVector>() : put_bytes(builder, bytes);
}
// A buffer in a buffer: aligned, so that every language may read it in place.
flatbuffers::Offset<ByteVector> put_nested(Builder& builder, BytesView bytes);

// The encoded table. Asserts that what we made verifies.
template <class Table>
Bytes finish(Builder& builder, flatbuffers::Offset<Table> root) {
  builder.Finish(root);
  Bytes bytes(reinterpret_cast<const char*>(builder.GetBufferPointer()), builder.GetSize());
  MARTLET_ASSERT(verifies<Table>(bytes));
  return bytes;
}

// Reads the fields of one table and remembers the first that is bad; values of bad fields are
// empty. Ask result() before any is used.
class FieldReader {
 public:
  UserId user(const flatbuffers::String* text, const char* field) {
    return name<UserId>(text, field);
  }
  DeviceId device(const flatbuffers::String* text, const char* field) {
    return name<DeviceId>(text, field);
  }
  GroupId group(const flatbuffers::String* text, const char* field) {
    return name<GroupId>(text, field);
  }
  EdgeId edge(const flatbuffers::String* text, const char* field) {
    return name<EdgeId>(text, field);
  }
  // Checked, not copied.
  std::string_view name_view(const flatbuffers::String* text, const char* field);
  ConversationId conversation(const flatbuffers::String* text, const char* field);
  std::string_view conversation_view(const flatbuffers::String* text, const char* field);
  // UTF-8 without U+0000, at most so long.
  std::string_view text(const flatbuffers::String* text, const char* field, std::size_t max_bytes);
  // Neither absent nor zero.
  ClientMsgId msg_id(const proto::Uuid* uuid, const char* field);
  // At most kMaxSeq.
  Seq seq(std::uint64_t value, const char* field);
  template <class Enum>
  Enum enumerator(Enum value, Enum last, const char* field) {
    if (value > last) refuse(ErrorCode::kBadBody, field, "has an unknown value");
    return value;
  }

  void refuse(ErrorCode code, const char* field, const char* what);
  bool ok() const { return !error_.has_value(); }
  template <class T>
  Result<T> result(T value) {
    if (error_.has_value()) return tl::unexpected<Error>(std::move(*error_));
    return value;
  }

 private:
  template <class Id>
  Id name(const flatbuffers::String* text, const char* field) {
    auto id = Id::parse(view(text));
    if (id.has_value()) return *std::move(id);
    refuse(ErrorCode::kBadId, field, "is not a valid id");
    return Id();
  }

  std::optional<Error> error_;
};

}  // namespace martlet::wire
