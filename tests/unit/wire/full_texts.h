#pragma once

#include <string>
#include <string_view>

#include "wire/commands.h"

// JSON texts of bodies in which every field is set, for tests of the codecs.
namespace martlet::wire::samples {

inline constexpr std::string_view kSend =
    R"({"to_user":"bob","client_msg_id":"0190d0c0ffee70008000000000000001",)"
    R"("content":{"kind":"Text","text":"hi"},"age_ms":0,"want":"Stored",)"
    R"("follows":"0190d0c0ffee70008000000000000000","trace":true})";

// The beginning of a change of a group.
inline constexpr std::string_view kChange =
    R"({"group":"team","client_msg_id":"0190d0c0ffee70008000000000000001","age_ms":250)";

inline constexpr std::string_view kMembersMessage =
    R"({"conversation":"g:team","seq":"7","message_id":"9","sender":"alice",)"
    R"("client_msg_id":"0190d0c0ffee70008000000000000001","time_ms":"5","content":)"
    R"({"kind":"Members","members":{"action":"Created","users":["bob","carol"],"role":"None",)"
    R"("title":"The Team","join":"Anyone","earlier_history":"Shown"}},)"
    R"("generation":3,"members_at":"4","removed":false})";

// One text for each command with every field of its table set, in the order of the schema.
std::string full_text(Command command);

}  // namespace martlet::wire::samples
