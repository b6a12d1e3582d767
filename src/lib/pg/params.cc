#include "lib/pg/params.h"

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
  text += base::to_hex(value);
  return text;
}

}  // namespace martlet::pg
