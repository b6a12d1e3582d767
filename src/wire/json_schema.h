#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "wire/commands.h"

namespace reflection {
struct Enum;
}

// The client schema as the JSON codec needs it; for the .cc files of wire/ only. Made once from the
// schema that flatc has compiled, never changed: any thread.
namespace martlet::wire {

enum class JsonForm {
  kBool,
  kNumber,     // up to 32 bits
  kBigNumber,  // 64 bits: a string
  kEnum,       // the name of its value
  kText,
  kHexStruct,  // a struct of bytes
  kHexBytes,
  kBase64Bytes,
  kTexts,  // a list
  kTable,
  kTables,        // a list
  kNestedBuffer,  // bytes that are a buffer of their own
};

struct JsonTable;

struct JsonField {
  std::string_view name;
  JsonForm form = JsonForm::kNumber;
  bool required = false;
  std::uint16_t offset = 0;          // in the vtable
  std::uint16_t bytes = 0;           // of a number or struct
  std::uint64_t default_value = 0;   // of a number
  const JsonTable* table = nullptr;  // of kTable, kTables and kNestedBuffer
  const reflection::Enum* values = nullptr;
};

struct JsonTable {
  std::vector<JsonField> fields;  // in the order of the schema
  const JsonField* find(std::string_view name) const;
};

// Asserts that the command is one of ours.
const JsonTable& json_table(Command command);

// The name of a value; empty: unknown. The value of a name: false if there is none.
std::string_view enum_name(const reflection::Enum& values, std::uint64_t value);
bool enum_value(const reflection::Enum& values, std::string_view name, std::uint64_t& value);

}  // namespace martlet::wire
