#pragma once

#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "wire/commands.h"

// The JSON form of client bodies, by reflection over schemas/client.fbs: every table, present and
// future, without code of its own. docs/protocol.md has the rules.
namespace martlet::wire {

// The FlatBuffers body of a command. Refuses nesting deeper than kMaxJsonDepth before it parses.
// kBadBody names the field that is unknown, missing or malformed; kBodyTooLarge: the result would
// be longer than max_body_bytes. What it returns verifies; its meaning is still to be checked.
Result<Bytes> json_to_body(Command command, std::string_view json, std::size_t max_body_bytes);

// The JSON text of a body: one line, fields in the order of the schema. kBadBody: the body does not
// verify or has a string that is not UTF-8.
Result<std::string> body_to_json(Command command, BytesView body);

}  // namespace martlet::wire
