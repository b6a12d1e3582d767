#pragma once

#include <string>

#include "edge/context.h"

namespace martlet::edge {

// Forwards the request to whoever serves the subject and gives the client its answer, untouched.
// Without one the client may repeat it. kBusy: too many are under way in this process.
Result<Taken> ask_persist(EdgeContext& edge, const Request& request, const std::string& subject);

}  // namespace martlet::edge
