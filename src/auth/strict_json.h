#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

// For the .cc files of auth/ only.
namespace martlet::auth {

// An object, in which nothing lies deeper than max_depth (1: its members are no objects or lists)
// and no object has a member twice, of which readers might see different ones. Anything else is
// `discarded`.
nlohmann::json parse_strict_object(std::string_view text, int max_depth);

// A member that is a string; empty: there is none.
std::string text_of(const nlohmann::json& object, const std::string& name);

}  // namespace martlet::auth
