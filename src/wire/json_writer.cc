#include <flatbuffers/flatbuffers.h>

#include "base/assert.h"
#include "wire/json_codec.h"
#include "wire/json_schema.h"
#include "wire/limits.h"
#include "wire/verify.h"

namespace martlet::wire {
namespace {

using flatbuffers::Table;
using Texts = flatbuffers::Vector<flatbuffers::Offset<flatbuffers::String>>;
using Tables = flatbuffers::Vector<flatbuffers::Offset<Table>>;
using ByteVector = flatbuffers::Vector<std::uint8_t>;

std::uint64_t read_number(const Table& table, const JsonField& field) {
  const auto fallback = field.default_value;
  switch (field.bytes) {
    case 1:
      return table.GetField<std::uint8_t>(field.offset, static_cast<std::uint8_t>(fallback));
    case 2:
      return table.GetField<std::uint16_t>(field.offset, static_cast<std::uint16_t>(fallback));
    case 4:
      return table.GetField<std::uint32_t>(field.offset, static_cast<std::uint32_t>(fallback));
    default:
      MARTLET_ASSERT(field.bytes == 8);
      return table.GetField<std::uint64_t>(field.offset, fallback);
  }
}

// Appends the text of tables that were verified.
class JsonWriter {
 public:
  void write_table(const Table& table, const JsonTable& plan) {
    out_ += '{';
    const char* separator = "";
    for (const JsonField& field : plan.fields) {
      if (!is_shown(table, field)) continue;
      out_ += separator;
      separator = ",";
      out_ += '"';
      out_ += field.name;
      out_ += "\":";
      write_value(table, field);
    }
    out_ += '}';
  }

  bool is_utf8() const { return is_utf8_; }
  std::string take() { return std::move(out_); }

 private:
  // Numbers always, so that no reader needs to know defaults; the rest where it is present.
  static bool is_shown(const Table& table, const JsonField& field) {
    switch (field.form) {
      case JsonForm::kBool:
      case JsonForm::kNumber:
      case JsonForm::kBigNumber:
      case JsonForm::kEnum:
        return true;
      default:
        return table.CheckField(field.offset);
    }
  }

  void write_value(const Table& table, const JsonField& field) {
    switch (field.form) {
      case JsonForm::kBool:
        out_ += read_number(table, field) != 0 ? "true" : "false";
        break;
      case JsonForm::kNumber:
        out_ += std::to_string(read_number(table, field));
        break;
      case JsonForm::kBigNumber:
        write_quoted(std::to_string(read_number(table, field)));
        break;
      case JsonForm::kEnum:
        write_enum(read_number(table, field), *field.values);
        break;
      case JsonForm::kText: {
        const auto* text = table.GetPointer<const flatbuffers::String*>(field.offset);
        write_text({text->c_str(), text->size()});
        break;
      }
      case JsonForm::kHexStruct:
        write_quoted(base::to_hex(
            base::as_view(table.GetStruct<const std::uint8_t*>(field.offset), field.bytes)));
        break;
      case JsonForm::kHexBytes:
        write_quoted(base::to_hex(bytes_of(table, field)));
        break;
      case JsonForm::kBase64Bytes:
        write_quoted(base::to_base64(bytes_of(table, field)));
        break;
      case JsonForm::kTexts:
        write_texts(*table.GetPointer<const Texts*>(field.offset));
        break;
      case JsonForm::kTable:
        write_table(*table.GetPointer<const Table*>(field.offset), *field.table);
        break;
      case JsonForm::kTables:
        write_tables(*table.GetPointer<const Tables*>(field.offset), *field.table);
        break;
      case JsonForm::kNestedBuffer:
        write_table(*flatbuffers::GetRoot<Table>(bytes_of(table, field).data()), *field.table);
        break;
    }
  }

  static BytesView bytes_of(const Table& table, const JsonField& field) {
    const auto* bytes = table.GetPointer<const ByteVector*>(field.offset);
    return base::as_view(bytes->data(), bytes->size());
  }

  void write_texts(const Texts& texts) {
    out_ += '[';
    for (flatbuffers::uoffset_t i = 0; i < texts.size(); ++i) {
      if (i > 0) out_ += ',';
      write_text({texts.Get(i)->c_str(), texts.Get(i)->size()});
    }
    out_ += ']';
  }

  void write_tables(const Tables& tables, const JsonTable& plan) {
    out_ += '[';
    for (flatbuffers::uoffset_t i = 0; i < tables.size(); ++i) {
      if (i > 0) out_ += ',';
      write_table(*tables.Get(i), plan);
    }
    out_ += ']';
  }

  // A value of a newer server has no name here.
  void write_enum(std::uint64_t value, const reflection::Enum& values) {
    const std::string_view name = enum_name(values, value);
    name.empty() ? void(out_ += std::to_string(value)) : write_quoted(name);
  }

  void write_quoted(std::string_view plain) {
    out_ += '"';
    out_ += plain;
    out_ += '"';
  }

  void write_text(std::string_view text) {
    is_utf8_ = is_utf8_ && base::is_utf8(text);
    out_ += '"';
    for (const char c : text) write_character(c);
    out_ += '"';
  }

  void write_character(char c) {
    switch (c) {
      case '"':
        out_ += "\\\"";
        break;
      case '\\':
        out_ += "\\\\";
        break;
      case '\n':
        out_ += "\\n";
        break;
      case '\r':
        out_ += "\\r";
        break;
      case '\t':
        out_ += "\\t";
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20) {
          out_ += "\\u00" + base::to_hex({&c, 1});
        } else {
          out_ += c;
        }
    }
  }

  std::string out_;
  bool is_utf8_ = true;
};

}  // namespace

Result<std::string> body_to_json(Command command, BytesView body) {
  if (body.empty()) body = empty_table();
  if (!verify_body(command, body)) return fail(ErrorCode::kBadBody, "the body does not verify");
  JsonWriter writer;
  writer.write_table(*flatbuffers::GetRoot<Table>(body.data()), json_table(command));
  if (!writer.is_utf8()) return fail(ErrorCode::kBadBody, "a text is not UTF-8");
  std::string text = writer.take();
  if (text.size() > kMaxJsonAnswerBytes) return fail(ErrorCode::kBodyTooLarge, "too long as JSON");
  return text;
}

}  // namespace martlet::wire
