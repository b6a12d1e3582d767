#pragma once

#include <utility>
#include <variant>

#include "base/assert.h"
#include "base/bytes.h"
#include "base/result.h"
#include "wire/admin.h"
#include "wire/bodies.h"
#include "wire/envelopes.h"
#include "wire/rpc.h"
#include "wire/trace.h"

namespace martlet::fuzz {

template <class Value>
Bytes encode(const Value& value) {
  return wire::encode(value);
}
template <class... Kinds>
Bytes encode(const std::variant<Kinds...>& value) {
  return std::visit([](const auto& kind) { return wire::encode(kind); }, value);
}

// What the parsed value encodes to. It must come back from there: parsed again, it encodes to the
// same bytes.
template <auto parse>
Result<Bytes> encoded_again(BytesView bytes) {
  const auto value = parse(bytes);
  if (!value) return tl::unexpected<Error>(value.error());
  Bytes first = fuzz::encode(*value);
  const auto back = parse(first);
  MARTLET_ASSERT(back.has_value());
  MARTLET_ASSERT(fuzz::encode(*back) == first);
  return first;
}

}  // namespace martlet::fuzz
