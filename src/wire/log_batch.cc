#include "wire/log_batch.h"

#include "base/hash.h"
#include "log_generated.h"
#include "wire/fields.h"
#include "wire/limits.h"

namespace martlet::wire {
namespace {

static_assert(static_cast<int>(EntryKind::kOwner) == static_cast<int>(logproto::EntryKind::Owner));
static_assert(static_cast<int>(EntryKind::kMessage) ==
              static_cast<int>(logproto::EntryKind::Message));
static_assert(static_cast<int>(EntryKind::kMembers) ==
              static_cast<int>(logproto::EntryKind::Members));
static_assert(static_cast<int>(EntryKind::kRead) == static_cast<int>(logproto::EntryKind::Read));

// True if the entry has the fields of its kind: what we write, and what we accept.
bool is_complete(const Entry& entry) {
  const bool is_placed = !entry.conversation.empty() && entry.seq > Seq(0) && !entry.sender.empty();
  switch (entry.kind) {
    case EntryKind::kOwner:
      return entry.conversation.empty() && entry.content.empty();
    case EntryKind::kMembers:
      if (!entry.conversation.is_group()) return false;
      [[fallthrough]];
    case EntryKind::kMessage:
      return is_placed && entry.message_id > MessageId(0) && !entry.client_msg_id.is_zero() &&
             !entry.content.empty();
    case EntryKind::kRead:
      return is_placed && entry.content.empty();
  }
  return false;
}

flatbuffers::Offset<logproto::Entry> put_entry(Builder& builder, const Entry& entry) {
  MARTLET_ASSERT(is_complete(entry));
  flatbuffers::Offset<ByteVector> content;
  if (!entry.content.empty()) content = put_nested(builder, entry.content);
  const auto conversation = put_some(builder, entry.conversation.str());
  const auto sender = put_some(builder, entry.sender.str());
  const auto device = put_some(builder, entry.device.str());
  const proto::Uuid id = to_uuid(entry.client_msg_id);
  return logproto::CreateEntry(builder, static_cast<logproto::EntryKind>(entry.kind), conversation,
                               entry.seq.value(), entry.message_id.value(), sender, device,
                               entry.client_msg_id.is_zero() ? nullptr : &id, entry.time_ms,
                               content, entry.content_hash);
}

Entry read_entry(const logproto::Entry& table, FieldReader& read) {
  Entry out;
  out.kind =
      static_cast<EntryKind>(read.enumerator(table.kind(), logproto::EntryKind::MAX, "kind"));
  if (table.conversation() != nullptr) {
    out.conversation = read.conversation(table.conversation(), "conversation");
  }
  out.seq = read.seq(table.seq(), "seq");
  out.message_id = MessageId(table.message_id());
  if (table.sender() != nullptr) out.sender = read.user(table.sender(), "sender");
  if (table.device() != nullptr) out.device = read.device(table.device(), "device");
  out.client_msg_id = to_msg_id(table.client_msg_id());
  out.time_ms = table.time_ms();
  out.content = Bytes(view(table.content()));
  out.content_hash = table.content_hash();
  if (!is_complete(out)) read.refuse(ErrorCode::kBadBody, "entry", "lacks fields of its kind");
  if (is_ordered(out.kind) && out.content_hash != base::hash64(out.content)) {
    read.refuse(ErrorCode::kBadBody, "content_hash", "is not that of the content");
  }
  return out;
}

}  // namespace

Bytes encode(const Batch& batch) {
  MARTLET_ASSERT(!batch.entries.empty());
  std::size_t size = kBatchOverheadBytes;
  for (const Entry& entry : batch.entries) size += size_in_batch(entry);
  Builder builder(size);
  std::vector<flatbuffers::Offset<logproto::Entry>> offsets;
  offsets.reserve(batch.entries.size());
  for (const Entry& entry : batch.entries) offsets.push_back(put_entry(builder, entry));
  const auto entries = builder.CreateVector(offsets);
  const Bytes bytes = finish(builder, logproto::CreateBatch(builder, batch.epoch.value(),
                                                            batch.generation.value(), entries));
  MARTLET_ASSERT(bytes.size() <= size);
  return bytes;
}

Result<Batch> parse_batch(BytesView bytes) {
  const auto table = read_envelope<logproto::Batch>(bytes, "Batch");
  if (!table) return tl::unexpected<Error>(table.error());
  const auto& entries = *(*table)->entries();
  if (entries.size() == 0) return fail(ErrorCode::kBadBody, "Batch is empty");
  FieldReader read;
  Batch out;
  out.epoch = Epoch((*table)->epoch());
  out.generation = Generation((*table)->generation());
  out.entries.reserve(entries.size());
  for (const auto* entry : entries) {
    out.entries.push_back(read_entry(*entry, read));
    if (!read.ok()) break;
  }
  return read.result(std::move(out));
}

std::size_t size_in_batch(const Entry& entry) {
  return entry.content.size() + entry.conversation.str().size() + entry.sender.str().size() +
         entry.device.str().size() + kEntryOverheadBytes;
}

}  // namespace martlet::wire
