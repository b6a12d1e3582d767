#pragma once

#include "base/bytes.h"
#include "base/result.h"
#include "wire/commands.h"

namespace martlet::fuzz {

// The body of a command parsed and encoded, twice, see again.h.
Result<Bytes> body_again(wire::Command command, BytesView body);

}  // namespace martlet::fuzz
