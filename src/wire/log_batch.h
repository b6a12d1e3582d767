#pragma once

#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "model/conversation.h"
#include "model/ids.h"

// The durable log (schemas/log.fbs): one Batch is one stream entry and has one log position.
namespace martlet::wire {

enum class EntryKind : std::uint8_t { kOwner = 1, kMessage = 2, kRead = 3, kMembers = 16 };

// Owner: message_id is the last one given before. Message: all fields. Members: all fields, in a
// group; the content is a MembersChange. Read: conversation, seq
// (the cursor), sender (the reader), device, time_ms.
struct Entry {
  EntryKind kind = EntryKind::kMessage;
  ConversationId conversation;
  Seq seq;
  MessageId message_id;
  UserId sender;
  DeviceId device;
  ClientMsgId client_msg_id;
  WallMs time_ms = 0;
  Bytes content;
  std::uint64_t content_hash = 0;  // base::hash64(content)
  friend bool operator==(const Entry&, const Entry&) = default;
};

struct Batch {
  Epoch epoch;
  Generation generation;
  std::vector<Entry> entries;  // never empty
  friend bool operator==(const Batch&, const Batch&) = default;
};

// True for what has a place in the order of its conversation.
inline bool is_ordered(EntryKind kind) {
  return kind == EntryKind::kMessage || kind == EntryKind::kMembers;
}

// Asserts that every entry has the fields of its kind.
Bytes encode(const Batch& batch);
// kBadBody, kBadId: not written by one of ours, or the disk lied.
Result<Batch> parse_batch(BytesView bytes);

// What the entry adds at most to an encoded batch; an empty batch has kBatchOverheadBytes.
std::size_t size_in_batch(const Entry& entry);

}  // namespace martlet::wire
