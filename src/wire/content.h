#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "client_generated.h"

namespace martlet::wire {

using proto::ContentKind;

struct FileRef {
  std::string_view url;
  std::uint64_t size = 0;
  BytesView sha256;  // empty or 32 bytes
  std::string_view mime;
  std::string_view name;
};

// What a message says. Views into the encoded content.
struct Content {
  ContentKind kind = ContentKind::Unknown;
  std::string_view text;
  std::string_view type_name;
  BytesView data;
  std::optional<FileRef> file;
};

// The bytes of Send.content and Message.content.
Bytes encode(const Content& content);
inline Bytes encode_text(std::string_view text) {
  return encode(Content{.kind = ContentKind::Text, .text = text});
}

// kBadBody: does not verify, or a string is not UTF-8. kBadContent: the fields do not fit the kind,
// a text has U+0000, a label is too long. What passes may be shown, stored and sent on.
Result<Content> parse_content(BytesView bytes);

}  // namespace martlet::wire
