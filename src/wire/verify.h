#pragma once

#include <flatbuffers/flatbuffers.h>

#include "base/bytes.h"
#include "base/result.h"
#include "wire/limits.h"

// The one door to FlatBuffers that came from somewhere else. Include it where a table is read, not
// in headers.
namespace martlet::wire {

// An offset, an empty vtable and an empty table.
inline constexpr std::size_t kMinTableBytes = 12;

// True if every offset of the table and of what hangs on it stays inside the bytes.
template <class Table>
bool verifies(BytesView bytes) {
  if (bytes.size() < kMinTableBytes || bytes.size() > kMaxAnswerBytes + kMaxEnvelopeBytes)
    return false;
  flatbuffers::Verifier verifier(base::as_u8(bytes), bytes.size(), kMaxTableDepth, kMaxTables);
  return verifier.VerifyBuffer<Table>(nullptr);
}

// The encoding of a table without fields.
BytesView empty_table();

// A body of the client protocol; no bytes at all stand for a table without fields. The pointer is
// into the body.
template <class Table>
Result<const Table*> read_body(BytesView body) {
  if (body.empty()) body = empty_table();
  if (!verifies<Table>(body)) return fail(ErrorCode::kBadBody, "the body does not verify");
  return flatbuffers::GetRoot<Table>(body.data());
}

// A message of one of our own services. `what` names it in the error.
template <class Table>
Result<const Table*> read_envelope(BytesView bytes, const char* what) {
  if (!verifies<Table>(bytes))
    return fail(ErrorCode::kBadBody, std::string(what) + " does not verify");
  return flatbuffers::GetRoot<Table>(bytes.data());
}

}  // namespace martlet::wire
