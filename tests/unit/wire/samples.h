#pragma once

#include <string>
#include <string_view>

#include "base/random.h"
#include "model/conversation.h"
#include "model/ids.h"
#include "wire/content.h"

// Values that many tests of the codecs need.
namespace martlet::wire::samples {

inline UserId user(std::string_view name) {
  return UserId::trusted(name);
}
inline DeviceId device(std::string_view name) {
  return DeviceId::trusted(name);
}

inline ConversationId alice_and_bob() {
  return ConversationId::between(user("alice"), user("bob"));
}

// Sixteen bytes that count up from `first`.
inline ClientMsgId msg_id(std::uint8_t first) {
  ClientMsgId id;
  for (std::uint8_t& byte : id.bytes) byte = first++;
  return id;
}

// The message of an Error, or "" where there is none.
template <class Result>
std::string detail_of(const Result& result) {
  return result ? std::string() : result.error().detail;
}
template <class Result>
ErrorCode code_of(const Result& result) {
  return result ? ErrorCode::kNone : result.error().code;
}

// The bytes with a few of them changed, cut or repeated.
inline Bytes mutate(Bytes bytes, Random& random) {
  if (bytes.empty()) return bytes;
  const std::uint64_t changes = 1 + random.below(4);
  for (std::uint64_t i = 0; i < changes; ++i) {
    bytes[random.below(bytes.size())] = static_cast<char>(random.next());
  }
  if (random.below(8) == 0) bytes.resize(random.below(bytes.size()) + 1);
  if (random.below(8) == 0) bytes += bytes.substr(random.below(bytes.size()));
  return bytes;
}

}  // namespace martlet::wire::samples
