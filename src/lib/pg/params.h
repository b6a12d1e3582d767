#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace martlet::pg {

// The values of a statement's $1, $2 … in PostgreSQL's text form. Texts must be without U+0000;
// bytes may hold anything.
class Params {
 public:
  Params& text(std::string_view value);
  Params& number(std::int64_t value);
  Params& bytes(BytesView value);
  // Arrays, for unnest(): cast them in the statement ($1::text[]).
  Params& texts(const std::vector<std::string>& values);
  Params& numbers(const std::vector<std::int64_t>& values);
  Params& byte_strings(const std::vector<Bytes>& values);

  const std::vector<std::string>& values() const { return values_; }

 private:
  std::vector<std::string> values_;
};

// "\x" and hexadecimal digits: how bytea is written and read as text.
std::string bytea_text(BytesView value);

// A line of COPY's text form, with its end, of fields none of which is null.
void append_copy_line(std::string& out, const std::vector<std::string>& fields);

}  // namespace martlet::pg
