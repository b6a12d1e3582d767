#include <flatbuffers/flatbuffers.h>

#include <charconv>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/assert.h"
#include "wire/fields.h"
#include "wire/json_codec.h"
#include "wire/json_schema.h"
#include "wire/limits.h"

namespace martlet::wire {
namespace {

using Json = nlohmann::json;
using Offset = flatbuffers::uoffset_t;

// Counts brackets outside of strings: what is too deep is refused before any parser sees it.
bool is_too_deep(std::string_view json) {
  std::size_t depth = 0;
  bool is_string = false;
  for (std::size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (is_string) {
      if (c == '\\') ++i;
      if (c == '"') is_string = false;
    } else if (c == '"') {
      is_string = true;
    } else if (c == '[' || c == '{') {
      if (++depth > kMaxJsonDepth) return true;
    } else if ((c == ']' || c == '}') && depth > 0) {
      --depth;
    }
  }
  return false;
}

std::uint64_t largest(const JsonField& field) {
  if (field.form == JsonForm::kBool) return 1;
  return field.bytes == 8 ? UINT64_MAX : (1ULL << 8 * field.bytes) - 1;
}

// A whole number without sign, all of the text.
std::optional<std::uint64_t> to_number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// Builds tables from JSON values and remembers the first thing that is wrong, with the path of the
// field. After an error what it builds is worthless, but always well-formed.
class JsonReader {
 public:
  Offset read_table(const Json& value, const JsonTable& plan, Builder& builder) {
    if (!value.is_object()) {
      refuse("is not an object");
      return 0;
    }
    refuse_unknown(value, plan);
    std::vector<Prepared> fields;
    for (const JsonField& field : plan.fields) {
      const auto found = value.find(field.name);
      const bool is_absent = found == value.end() || found->is_null();
      const Step step(*this, field.name);
      if (is_absent && field.required) refuse("is missing");
      if (is_absent) continue;
      fields.push_back(prepare(*found, field, builder));
      if (error_.has_value()) return 0;
    }
    if (error_.has_value()) return 0;
    const Offset start = builder.StartTable();
    for (const Prepared& one : fields) add(one, builder);
    return builder.EndTable(start);
  }

  const std::optional<Error>& error() const { return error_; }

 private:
  // A field on its way into a table: children are written before their parent.
  struct Prepared {
    const JsonField* field;
    std::uint64_t number = 0;
    Offset offset = 0;
    Bytes bytes;  // of a struct
  };

  // The field or element that is being read, for messages.
  class Step {
   public:
    Step(JsonReader& reader, std::string_view name)
        : path_(reader.path_), size_(reader.path_.size()) {
      if (!path_.empty() && !name.starts_with('[')) path_ += '.';
      path_ += name;
    }
    ~Step() { path_.resize(size_); }
    Step(const Step&) = delete;
    Step& operator=(const Step&) = delete;

   private:
    std::string& path_;
    std::size_t size_;
  };

  void refuse(const char* what) {
    if (error_.has_value()) return;
    error_ = Error{ErrorCode::kBadBody, (path_.empty() ? "the body" : path_) + ' ' + what};
  }

  void refuse_unknown(const Json& object, const JsonTable& plan) {
    for (const auto& [name, value] : object.items()) {
      if (plan.find(name) != nullptr) continue;
      // The name is the peer's: it is shown as far as it is one.
      const Step step(*this, is_valid_id(name) ? std::string_view(name) : "a field");
      refuse("is unknown");
      return;
    }
  }

  Prepared prepare(const Json& value, const JsonField& field, Builder& builder) {
    Prepared out{.field = &field};
    switch (field.form) {
      case JsonForm::kBool:
        if (!value.is_boolean()) refuse("is neither true nor false");
        if (value.is_boolean()) out.number = value.get<bool>() ? 1 : 0;
        break;
      case JsonForm::kNumber:
      case JsonForm::kBigNumber:
      case JsonForm::kEnum:
        out.number = read_number(value, field);
        break;
      case JsonForm::kText:
        out.offset = put(builder, read_string(value)).o;
        break;
      case JsonForm::kHexStruct:
        out.bytes = decode(value, base::from_hex, "is not hexadecimal");
        if (out.bytes.size() != field.bytes) refuse("has the wrong length");
        break;
      case JsonForm::kHexBytes:
        out.offset = put_bytes(builder, decode(value, base::from_hex, "is not hexadecimal")).o;
        break;
      case JsonForm::kBase64Bytes:
        out.offset = put_bytes(builder, decode(value, base::from_base64, "is not base64")).o;
        break;
      case JsonForm::kTexts:
        out.offset = read_texts(value, builder);
        break;
      case JsonForm::kTable:
        out.offset = read_table(value, *field.table, builder);
        break;
      case JsonForm::kTables:
        out.offset = read_tables(value, *field.table, builder);
        break;
      case JsonForm::kNestedBuffer:
        out.offset = read_nested(value, *field.table, builder);
        break;
    }
    return out;
  }

  std::uint64_t read_number(const Json& value, const JsonField& field) {
    std::optional<std::uint64_t> number;
    if (value.is_number_unsigned()) {
      number = value.get<std::uint64_t>();
    } else if (value.is_string() && field.form == JsonForm::kBigNumber) {
      number = to_number(value.get_ref<const std::string&>());
    } else if (value.is_string() && field.form == JsonForm::kEnum) {
      std::uint64_t named = 0;
      if (!enum_value(*field.values, value.get_ref<const std::string&>(), named)) {
        refuse("is no name of its enum");
      }
      number = named;
    }
    if (!number || *number > largest(field)) refuse("is not a number of its range");
    return number.value_or(0);
  }

  std::string_view read_string(const Json& value) {
    if (value.is_string()) return value.get_ref<const std::string&>();
    refuse("is not a string");
    return {};
  }

  template <class Decoder>
  Bytes decode(const Json& value, Decoder decoder, const char* complaint) {
    auto bytes = decoder(read_string(value));
    if (!bytes) refuse(complaint);
    return std::move(bytes).value_or(Bytes());
  }

  Offset read_texts(const Json& value, Builder& builder) {
    if (!value.is_array()) refuse("is not a list");
    std::vector<flatbuffers::Offset<flatbuffers::String>> texts;
    for (std::size_t i = 0; i < value.size() && !error_; ++i) {
      const Step step(*this, '[' + std::to_string(i) + ']');
      texts.push_back(put(builder, read_string(value[i])));
    }
    if (error_.has_value()) return 0;
    return builder.CreateVector(texts).o;
  }

  Offset read_tables(const Json& value, const JsonTable& plan, Builder& builder) {
    if (!value.is_array()) refuse("is not a list");
    std::vector<flatbuffers::Offset<flatbuffers::Table>> tables;
    for (std::size_t i = 0; i < value.size() && !error_; ++i) {
      const Step step(*this, '[' + std::to_string(i) + ']');
      tables.emplace_back(read_table(value[i], plan, builder));
    }
    if (error_.has_value()) return 0;
    return builder.CreateVector(tables).o;
  }

  Offset read_nested(const Json& value, const JsonTable& plan, Builder& builder) {
    Builder inner(256);
    const Offset root = read_table(value, plan, inner);
    if (error_.has_value()) return 0;
    inner.Finish(flatbuffers::Offset<flatbuffers::Table>(root));
    return put_nested(builder, base::as_view(inner.GetBufferPointer(), inner.GetSize())).o;
  }

  static void add(const Prepared& one, Builder& builder) {
    const JsonField& field = *one.field;
    switch (field.form) {
      case JsonForm::kBool:
      case JsonForm::kNumber:
      case JsonForm::kBigNumber:
      case JsonForm::kEnum:
        add_number(field, one.number, builder);
        break;
      case JsonForm::kHexStruct:
        builder.PushBytes(base::as_u8(one.bytes), one.bytes.size());
        builder.AddStructOffset(field.offset, builder.GetSize());
        break;
      default:
        builder.AddOffset(field.offset, flatbuffers::Offset<void>(one.offset));
    }
  }

  static void add_number(const JsonField& field, std::uint64_t value, Builder& builder) {
    const auto put_as = [&]<class Number>(Number) {
      builder.AddElement<Number>(field.offset, static_cast<Number>(value),
                                 static_cast<Number>(field.default_value));
    };
    switch (field.bytes) {
      case 1:
        return put_as(std::uint8_t{});
      case 2:
        return put_as(std::uint16_t{});
      case 4:
        return put_as(std::uint32_t{});
      default:
        MARTLET_ASSERT(field.bytes == 8);
        return put_as(std::uint64_t{});
    }
  }

  std::optional<Error> error_;
  std::string path_;
};

}  // namespace

Result<Bytes> json_to_body(Command command, std::string_view json, std::size_t max_body_bytes) {
  if (json.empty()) json = "{}";
  if (is_too_deep(json)) return fail(ErrorCode::kBadBody, "the JSON is nested too deeply");
  constexpr bool kAllowExceptions = false;
  const Json value = Json::parse(json, nullptr, kAllowExceptions);
  if (value.is_discarded()) return fail(ErrorCode::kBadBody, "the body is not well-formed JSON");
  Builder builder(json.size() + 64);
  JsonReader reader;
  const Offset root = reader.read_table(value, json_table(command), builder);
  if (reader.error().has_value()) return tl::unexpected<Error>(*reader.error());
  builder.Finish(flatbuffers::Offset<flatbuffers::Table>(root));
  if (builder.GetSize() > max_body_bytes) {
    return fail(ErrorCode::kBodyTooLarge, "the body is too long");
  }
  Bytes body(base::as_view(builder.GetBufferPointer(), builder.GetSize()));
  MARTLET_ASSERT(verify_body(command, body));
  return body;
}

}  // namespace martlet::wire
