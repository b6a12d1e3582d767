#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "client/types.h"

// Short words for the tests of the client's cores.
namespace martlet::client {

inline MonotonicTime at_ms(std::int64_t ms) {
  return MonotonicTime(std::chrono::milliseconds(ms));
}

inline UserId user(std::string_view name) {
  return UserId::trusted(name);
}

inline ConversationId conversation(std::string_view name = "u:alice:bob") {
  return ConversationId::trusted(name);
}

inline ClientMsgId msg_id(std::uint64_t number) {
  ClientMsgId id;
  for (std::size_t i = 0; i < 8; ++i) {
    id.bytes[15 - i] = static_cast<std::uint8_t>(number >> (8 * i));
  }
  id.bytes[0] = 1;
  return id;
}

// The message_id tells two messages of the same seq apart.
inline Message message(std::uint64_t seq, std::uint32_t generation = 1, std::uint64_t id = 0,
                       std::string_view name = "u:alice:bob") {
  Message m;
  m.conversation = conversation(name);
  m.seq = Seq(seq);
  m.id = MessageId(id != 0 ? id : 1000 * generation + seq);
  m.sender = user("bob");
  m.client_msg_id = msg_id(m.id.value());
  m.content = "text " + std::to_string(seq);
  m.generation = Generation(generation);
  return m;
}

template <class T, class Action>
std::vector<T> only(const std::vector<Action>& actions) {
  std::vector<T> found;
  for (const Action& action : actions) {
    if (const T* one = std::get_if<T>(&action)) found.push_back(*one);
  }
  return found;
}

}  // namespace martlet::client
