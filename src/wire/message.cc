#include "wire/message.h"

#include <algorithm>

#include "wire/content.h"
#include "wire/limits.h"
#include "wire/message_fields.h"

namespace martlet::wire {
namespace {

// Fields of a content may be one and the same string in its bytes, but not in JSON.
std::size_t json_size_at_most(const Message& message) {
  constexpr std::size_t kNamesAndNumbers = 512;
  constexpr std::size_t kEscape = 6;  // \u0001
  std::size_t size = kNamesAndNumbers + message.conversation.size() + message.sender.size();
  const auto content = parse_content(message.content);
  if (!content) return size + kEscape * message.content.size();
  size += kEscape * (content->text.size() + content->type_name.size());
  size += content->data.size() / 3 * 4 + 4;
  if (!content->file) return size;
  const FileRef& file = *content->file;
  return size + kEscape * (file.url.size() + file.mime.size() + file.name.size());
}

}  // namespace

flatbuffers::Offset<proto::Message> put_message(Builder& builder, const Message& message) {
  MARTLET_ASSERT(message.removed == message.content.empty());
  flatbuffers::Offset<ByteVector> content;
  if (!message.removed) content = put_nested(builder, message.content);
  // The messages of a page share the names of conversation and senders.
  const auto conversation =
      builder.CreateSharedString(message.conversation.data(), message.conversation.size());
  const auto sender = builder.CreateSharedString(message.sender.data(), message.sender.size());
  const proto::Uuid id = to_uuid(message.client_msg_id);
  return proto::CreateMessage(builder, conversation, message.seq.value(),
                              message.message_id.value(), sender, &id, message.time_ms, content,
                              message.generation.value(), message.members_at.value(),
                              message.removed);
}

flatbuffers::Offset<MessageVector> put_messages(Builder& builder,
                                                const std::vector<Message>& messages) {
  std::vector<flatbuffers::Offset<proto::Message>> offsets;
  offsets.reserve(messages.size());
  for (const Message& message : messages) offsets.push_back(put_message(builder, message));
  return builder.CreateVector(offsets);
}

Message read_message(const proto::Message& table, FieldReader& read) {
  Message out;
  out.conversation = read.conversation_view(table.conversation(), "conversation");
  out.seq = read.seq(table.seq(), "seq");
  out.message_id = MessageId(table.message_id());
  out.sender = read.name_view(table.sender(), "sender");
  out.client_msg_id = to_msg_id(table.client_msg_id());
  out.time_ms = table.time_ms();
  out.content = view(table.content());
  out.generation = Generation(table.generation());
  out.members_at = read.seq(table.members_at(), "members_at");
  out.removed = table.removed();
  if (out.seq == Seq(0)) read.refuse(ErrorCode::kBadRange, "seq", "is zero");
  if (out.removed != out.content.empty()) {
    read.refuse(ErrorCode::kBadBody, "content", "does not fit removed");
  }
  return out;
}

std::vector<Message> read_messages(const MessageVector* tables, FieldReader& read) {
  std::vector<Message> messages;
  if (tables == nullptr) return messages;
  messages.reserve(tables->size());
  for (const proto::Message* table : *tables) {
    messages.push_back(read_message(*table, read));
    if (!read.ok()) break;
  }
  return messages;
}

Bytes encode(const Message& message) {
  Builder builder(message.content.size() + 512);
  return finish(builder, put_message(builder, message));
}

Result<Message> parse_message(BytesView body) {
  const auto table = read_body<proto::Message>(body);
  if (!table) return tl::unexpected<Error>(table.error());
  FieldReader read;
  const Message message = read_message(**table, read);
  return read.result(message);
}

// A page that is full by this has room in JSON as well.
std::size_t size_in_page(const Message& message) {
  const std::size_t size = message.content.size() + message.conversation.size() +
                           message.sender.size() + kMessageOverheadBytes;
  return std::max(size, json_size_at_most(message) / (kMaxJsonAnswerBytes / kMaxAnswerBytes));
}

}  // namespace martlet::wire
