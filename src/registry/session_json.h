#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "registry/sessions.h"

namespace martlet::registry {

// The value of a device in the directory.
std::string to_json(const SessionRecord& record, WallMs expires_ms);
// Empty if it has run out, or is not what to_json writes.
std::optional<SessionRecord> from_json(const UserId& user, std::string_view device,
                                       std::string_view json, WallMs now_ms);

}  // namespace martlet::registry
