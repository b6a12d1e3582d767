#include "edge/command_table.h"

#include <algorithm>
#include <array>

#include "edge/handlers/handlers.h"

namespace martlet::edge {
namespace {

using wire::Command;

// Bodies with a few ids and a password.
constexpr std::size_t kSmall = 1024;
// An access token and the name of a client.
constexpr std::size_t kToken = kMaxAccessTokenBytes + 1024;
// The token and the page that SYNC carries grow with the number of shards. As JSON they are base64
// and must fit into a frame as well.
constexpr std::size_t kSync = kMaxSyncTokenBytes + kMaxSyncCursorBytes + 1024;
static_assert(kSync / 3 * 4 + 1024 <= kMaxBodyBytes);

// As many names as one change may have, and a title.
constexpr std::size_t kUsers = kMaxUsersPerChange * kMemberBytes + kMaxTitleBytes + kSmall;

constexpr std::array kRules{
    CommandRule{Command::Ping, kSmall, &handle_ping},
    CommandRule{Command::Register, kSmall, &handle_register},
    CommandRule{Command::Login, kToken, &handle_login},
    CommandRule{Command::Auth, kToken, &handle_auth},
    CommandRule{Command::Refresh, kSmall, &handle_refresh},
    CommandRule{Command::Goodbye, kSmall, &handle_goodbye},
    CommandRule{Command::Send, kMaxBodyBytes, &handle_send},
    CommandRule{Command::Read, kSmall, &handle_read},
    CommandRule{Command::Sync, kSync, &handle_sync},
    CommandRule{Command::Fetch, kMaxBodyBytes, &handle_fetch},
    CommandRule{Command::History, kSmall, &handle_history},
    CommandRule{Command::GroupCreate, kUsers, &handle_group_change},
    CommandRule{Command::GroupInvite, kUsers, &handle_group_change},
    CommandRule{Command::GroupJoin, kSmall, &handle_group_change},
    CommandRule{Command::GroupLeave, kSmall, &handle_group_change},
    CommandRule{Command::GroupRemove, kUsers, &handle_group_change},
    CommandRule{Command::GroupSetRole, kSmall, &handle_group_change},
    CommandRule{Command::GroupDisband, kSmall, &handle_group_change},
    CommandRule{Command::GroupInfo, kSmall, &handle_group_info},
    CommandRule{Command::GroupList, kSmall, &handle_group_list},
    CommandRule{Command::Typing, kSmall, &handle_typing},
    CommandRule{Command::Devices, kSmall, &handle_devices},
    CommandRule{Command::SignOut, kSmall, &handle_sign_out},
};

}  // namespace

std::span<const CommandRule> command_rules() {
  return kRules;
}

const CommandRule* find_rule(Command command) {
  const auto* found = std::find_if(kRules.begin(), kRules.end(), [=](const CommandRule& rule) {
    return rule.command == command;
  });
  return found == kRules.end() ? nullptr : found;
}

}  // namespace martlet::edge
