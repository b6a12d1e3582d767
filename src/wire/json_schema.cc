#include "wire/json_schema.h"

#include <flatbuffers/reflection_generated.h>

#include <algorithm>
#include <string>

#include "base/assert.h"
#include "wire/client_bfbs.h"

namespace martlet::wire {
namespace {

constexpr std::string_view kNamespace = "martlet.proto.";

std::string_view view(const flatbuffers::String* text) {
  return {text->c_str(), text->size()};
}

std::string_view attribute(const reflection::Field& field, const char* key) {
  if (field.attributes() == nullptr) return {};
  const auto* found = field.attributes()->LookupByKey(key);
  return found == nullptr ? std::string_view() : view(found->value());
}

// Turns the compiled schema into tables of plain values. What a form is missing for ends the
// process: a new kind of field in client.fbs needs code here, and every test would tell.
class SchemaReader {
 public:
  SchemaReader() : schema_(*reflection::GetSchema(kClientBfbs)) {
    tables_.resize(schema_.objects()->size());
    for (flatbuffers::uoffset_t i = 0; i < schema_.objects()->size(); ++i) {
      const reflection::Object& object = *schema_.objects()->Get(i);
      if (!object.is_struct()) tables_[i] = read_table(object);
    }
  }

  const JsonTable& find(std::string_view name) const {
    return tables_[index_of(std::string(kNamespace) + std::string(name))];
  }

 private:
  JsonTable read_table(const reflection::Object& object) const {
    std::vector<const reflection::Field*> fields(object.fields()->begin(), object.fields()->end());
    std::sort(fields.begin(), fields.end(),
              [](const auto* a, const auto* b) { return a->id() < b->id(); });
    JsonTable table;
    for (const auto* field : fields) table.fields.push_back(read_field(*field));
    return table;
  }

  JsonField read_field(const reflection::Field& field) const {
    JsonField out;
    out.name = view(field.name());
    out.required = field.required();
    out.offset = field.offset();
    out.default_value = static_cast<std::uint64_t>(field.default_integer());
    const reflection::Type& type = *field.type();
    switch (type.base_type()) {
      case reflection::Bool:
        out.form = JsonForm::kBool;
        out.bytes = 1;
        break;
      case reflection::UByte:
        read_number(type, 1, out);
        break;
      case reflection::UShort:
        read_number(type, 2, out);
        break;
      case reflection::UInt:
        read_number(type, 4, out);
        break;
      case reflection::ULong:
        read_number(type, 8, out);
        break;
      case reflection::String:
        out.form = JsonForm::kText;
        break;
      case reflection::Obj:
        read_object(type, out);
        break;
      case reflection::Vector:
        read_vector(field, out);
        break;
      default:
        MARTLET_ASSERT(!"a type of the schema without a JSON form");
    }
    return out;
  }

  void read_number(const reflection::Type& type, std::uint16_t bytes, JsonField& out) const {
    out.bytes = bytes;
    out.form = bytes == 8 ? JsonForm::kBigNumber : JsonForm::kNumber;
    if (type.index() < 0) return;
    out.form = JsonForm::kEnum;
    out.values = schema_.enums()->Get(static_cast<flatbuffers::uoffset_t>(type.index()));
  }

  void read_object(const reflection::Type& type, JsonField& out) const {
    const auto index = static_cast<flatbuffers::uoffset_t>(type.index());
    const reflection::Object& object = *schema_.objects()->Get(index);
    out.table = &tables_[index];
    out.form = JsonForm::kTable;
    if (!object.is_struct()) return;
    MARTLET_ASSERT(object.fields()->size() == 1 && object.minalign() == 1);
    MARTLET_ASSERT(attribute(*object.fields()->Get(0), "json") == "hex");
    out.form = JsonForm::kHexStruct;
    out.bytes = static_cast<std::uint16_t>(object.bytesize());
  }

  void read_vector(const reflection::Field& field, JsonField& out) const {
    const reflection::Type& type = *field.type();
    if (type.element() == reflection::Obj) {
      out.form = JsonForm::kTables;
      out.table = &tables_[static_cast<std::size_t>(type.index())];
      return;
    }
    if (type.element() == reflection::String) {
      out.form = JsonForm::kTexts;
      return;
    }
    MARTLET_ASSERT(type.element() == reflection::UByte);
    const std::string_view nested = attribute(field, "nested_flatbuffer");
    if (!nested.empty()) {
      out.form = JsonForm::kNestedBuffer;
      out.table = &tables_[index_of(std::string(kNamespace) + std::string(nested))];
      return;
    }
    const std::string_view json = attribute(field, "json");
    MARTLET_ASSERT(json == "hex" || json == "base64");
    out.form = json == "hex" ? JsonForm::kHexBytes : JsonForm::kBase64Bytes;
  }

  std::size_t index_of(const std::string& name) const {
    for (flatbuffers::uoffset_t i = 0; i < schema_.objects()->size(); ++i) {
      if (view(schema_.objects()->Get(i)->name()) == name) return i;
    }
    MARTLET_ASSERT(!"a table that the schema does not have");
    return 0;
  }

  const reflection::Schema& schema_;
  std::vector<JsonTable> tables_;  // by index in the schema; never grows once made
};

}  // namespace

const JsonField* JsonTable::find(std::string_view name) const {
  const auto found = std::find_if(fields.begin(), fields.end(),
                                  [name](const JsonField& field) { return field.name == name; });
  return found == fields.end() ? nullptr : &*found;
}

const JsonTable& json_table(Command command) {
  static const SchemaReader kSchema;
  const CommandInfo* info = find_command(command);
  MARTLET_ASSERT(info != nullptr);
  return kSchema.find(info->table);
}

std::string_view enum_name(const reflection::Enum& values, std::uint64_t value) {
  for (const auto* entry : *values.values()) {
    if (static_cast<std::uint64_t>(entry->value()) == value) return view(entry->name());
  }
  return {};
}

bool enum_value(const reflection::Enum& values, std::string_view name, std::uint64_t& value) {
  for (const auto* entry : *values.values()) {
    if (view(entry->name()) != name) continue;
    value = static_cast<std::uint64_t>(entry->value());
    return true;
  }
  return false;
}

}  // namespace martlet::wire
