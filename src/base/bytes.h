#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace martlet {

// Bytes that are no text: frames, bodies, encoded tables. std::string owns, the view does not.
using Bytes = std::string;
using BytesView = std::string_view;

namespace base {

inline const std::uint8_t* as_u8(BytesView bytes) {
  return reinterpret_cast<const std::uint8_t*>(bytes.data());
}
inline BytesView as_view(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

// Lower-case hexadecimal digits, two a byte.
std::string to_hex(BytesView bytes);
void append_hex(std::string& out, BytesView bytes);
// Empty if the text has an odd length or another character than 0-9 a-f A-F.
std::optional<Bytes> from_hex(std::string_view text);

// RFC 4648 section 4, with padding.
std::string to_base64(BytesView bytes);
std::optional<Bytes> from_base64(std::string_view text);
// RFC 4648 section 5, without padding (JWT).
std::string to_base64url(BytesView bytes);
std::optional<Bytes> from_base64url(std::string_view text);

// True if the text is well-formed UTF-8 (no surrogates, no overlong forms).
bool is_utf8(std::string_view text);

}  // namespace base
}  // namespace martlet
