#include "lib/pg/params.h"

#include <algorithm>

namespace martlet::pg {
namespace {

void append_quoted(std::string& out, std::string_view value) {
  out += '"';
  for (const char c : value) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  out += '"';
}

// The characters that end a field, a line or the data, and the one that says that they don't.
bool is_special(char c) {
  return c == '\\' || c == '\t' || c == '\n' || c == '\r';
}

void append_escaped(std::string& out, std::string_view value) {
  for (;;) {
    const auto plain = std::find_if(value.begin(), value.end(), is_special);
    out.append(value.begin(), plain);
    if (plain == value.end()) return;
    out += '\\';
    out += *plain == '\t' ? 't' : *plain == '\n' ? 'n' : *plain == '\r' ? 'r' : '\\';
    value.remove_prefix(static_cast<std::size_t>(plain - value.begin()) + 1);
  }
}

template <class Values, class Append>
std::string array_text(const Values& values, Append append) {
  std::string out = "{";
  for (const auto& value : values) {
    if (out.size() > 1) out += ',';
    append(out, value);
  }
  out += '}';
  return out;
}

}  // namespace

Params& Params::text(std::string_view value) {
  values_.emplace_back(value);
  return *this;
}

Params& Params::number(std::int64_t value) {
  values_.push_back(std::to_string(value));
  return *this;
}

Params& Params::bytes(BytesView value) {
  values_.push_back(bytea_text(value));
  return *this;
}

Params& Params::texts(const std::vector<std::string>& values) {
  values_.push_back(
      array_text(values, [](std::string& out, const std::string& v) { append_quoted(out, v); }));
  return *this;
}

Params& Params::numbers(const std::vector<std::int64_t>& values) {
  values_.push_back(
      array_text(values, [](std::string& out, std::int64_t v) { out += std::to_string(v); }));
  return *this;
}

Params& Params::byte_strings(const std::vector<Bytes>& values) {
  values_.push_back(array_text(
      values, [](std::string& out, const Bytes& v) { append_quoted(out, bytea_text(v)); }));
  return *this;
}

std::string bytea_text(BytesView value) {
  std::string text = "\\x";
  base::append_hex(text, value);
  return text;
}

void append_copy_line(std::string& out, const std::vector<std::string>& fields) {
  char separator = 0;
  for (const std::string& field : fields) {
    if (separator != 0) out += separator;
    separator = '\t';
    append_escaped(out, field);
  }
  out += '\n';
}

}  // namespace martlet::pg
