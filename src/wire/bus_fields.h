#pragma once

#include <cstring>
#include <string>

#include "bus_generated.h"
#include "wire/fields.h"

// Structs of the bus schema; for the .cc files of wire/ only.
namespace martlet::wire {

inline busproto::SessionId to_bus(const SessionId& id) {
  return {id.time_ms, id.random};
}

// Copied bytewise: messages of the broker lie anywhere in memory, the struct wants eight.
inline SessionId from_bus(const busproto::SessionId* id) {
  SessionId out;
  if (id == nullptr) return out;
  std::uint64_t words[2];
  static_assert(sizeof words == sizeof *id);
  std::memcpy(words, static_cast<const void*>(id), sizeof words);
  out.time_ms = flatbuffers::EndianScalar(words[0]);
  out.random = flatbuffers::EndianScalar(words[1]);
  return out;
}

// Answers carry an error in the same way.
template <class Table>
Error read_error(const Table& table) {
  return Error{static_cast<ErrorCode>(table.error()), std::string(view(table.detail())), 0};
}

}  // namespace martlet::wire
