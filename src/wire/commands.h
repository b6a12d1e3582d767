#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "base/bytes.h"
#include "client_generated.h"

namespace martlet::wire {

using proto::Command;

// What every part must know about a command. An edge keeps limits and handlers beside it.
struct CommandInfo {
  Command command;
  std::string_view name;   // of the enum, also in JSON tools
  std::string_view table;  // of the body, without the namespace
  bool needs_auth;         // requests only
  bool (*verify)(BytesView body);
};

// All commands but None, in the order of their numbers.
std::span<const CommandInfo> all_commands();
// nullptr: no such command.
const CommandInfo* find_command(std::uint16_t number);
const CommandInfo* find_command(std::string_view name);

inline const CommandInfo* find_command(Command command) {
  return find_command(static_cast<std::uint16_t>(command));
}
inline bool is_request(Command command) {
  return static_cast<std::uint16_t>(command) < 0x4000;
}
inline bool is_event(Command command) {
  return (static_cast<std::uint16_t>(command) & 0xC000) == 0x4000;
}
inline bool is_answer(Command command) {
  return (static_cast<std::uint16_t>(command) & 0x8000) != 0;
}
// The number of the answer to a request.
inline Command answer_to(Command request) {
  return static_cast<Command>(static_cast<std::uint16_t>(request) | 0x8000);
}

// True if the body is a FlatBuffer of the command's table: it may be read without harm. Says
// nothing about its meaning.
bool verify_body(Command command, BytesView body);

}  // namespace martlet::wire
