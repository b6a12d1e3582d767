#pragma once

#include <string_view>

namespace martlet::service {

// The project's version, from meson.build.
std::string_view version();

}  // namespace martlet::service
