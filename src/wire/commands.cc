#include "wire/commands.h"

#include <algorithm>

#include "wire/verify.h"

namespace martlet::wire {
namespace {

template <class Table>
bool verify(BytesView body) {
  return read_body<Table>(body).has_value();
}

constexpr bool kOpen = false;
constexpr bool kNeedsAuth = true;

constexpr CommandInfo kCommands[] = {
    {Command::Ping, "Ping", "Ping", kOpen, verify<proto::Ping>},
    {Command::Register, "Register", "Register", kOpen, verify<proto::Register>},
    {Command::Login, "Login", "Login", kOpen, verify<proto::Login>},
    {Command::Auth, "Auth", "Auth", kOpen, verify<proto::Auth>},
    {Command::Refresh, "Refresh", "Refresh", kOpen, verify<proto::Refresh>},
    {Command::Goodbye, "Goodbye", "Goodbye", kOpen, verify<proto::Goodbye>},
    {Command::Send, "Send", "Send", kNeedsAuth, verify<proto::Send>},
    {Command::Read, "Read", "Read", kNeedsAuth, verify<proto::Read>},
    {Command::Sync, "Sync", "Sync", kNeedsAuth, verify<proto::Sync>},
    {Command::Fetch, "Fetch", "Fetch", kNeedsAuth, verify<proto::Fetch>},
    {Command::History, "History", "History", kNeedsAuth, verify<proto::History>},
    {Command::GroupCreate, "GroupCreate", "GroupCreate", kNeedsAuth, verify<proto::GroupCreate>},
    {Command::GroupInvite, "GroupInvite", "GroupInvite", kNeedsAuth, verify<proto::GroupInvite>},
    {Command::GroupJoin, "GroupJoin", "GroupJoin", kNeedsAuth, verify<proto::GroupJoin>},
    {Command::GroupLeave, "GroupLeave", "GroupLeave", kNeedsAuth, verify<proto::GroupLeave>},
    {Command::GroupRemove, "GroupRemove", "GroupRemove", kNeedsAuth, verify<proto::GroupRemove>},
    {Command::GroupSetRole, "GroupSetRole", "GroupSetRole", kNeedsAuth,
     verify<proto::GroupSetRole>},
    {Command::GroupDisband, "GroupDisband", "GroupDisband", kNeedsAuth,
     verify<proto::GroupDisband>},
    {Command::GroupInfo, "GroupInfo", "GroupInfo", kNeedsAuth, verify<proto::GroupInfo>},
    {Command::GroupList, "GroupList", "GroupList", kNeedsAuth, verify<proto::GroupList>},
    {Command::Typing, "Typing", "Typing", kNeedsAuth, verify<proto::Typing>},
    {Command::Devices, "Devices", "Devices", kNeedsAuth, verify<proto::Devices>},
    {Command::SignOut, "SignOut", "SignOut", kNeedsAuth, verify<proto::SignOut>},

    {Command::MessageEvent, "MessageEvent", "Message", kOpen, verify<proto::Message>},
    {Command::ReadEvent, "ReadEvent", "ReadEvent", kOpen, verify<proto::ReadEvent>},
    {Command::StoredEvent, "StoredEvent", "StoredEvent", kOpen, verify<proto::StoredEvent>},
    {Command::TypingEvent, "TypingEvent", "TypingEvent", kOpen, verify<proto::TypingEvent>},
    {Command::ResyncEvent, "ResyncEvent", "ResyncEvent", kOpen, verify<proto::ResyncEvent>},
    {Command::KickedEvent, "KickedEvent", "KickedEvent", kOpen, verify<proto::KickedEvent>},
    {Command::ReconnectEvent, "ReconnectEvent", "ReconnectEvent", kOpen,
     verify<proto::ReconnectEvent>},

    {Command::Pong, "Pong", "Pong", kOpen, verify<proto::Pong>},
    {Command::Registered, "Registered", "Registered", kOpen, verify<proto::Registered>},
    {Command::Tokens, "Tokens", "Tokens", kOpen, verify<proto::Tokens>},
    {Command::AuthOk, "AuthOk", "AuthOk", kOpen, verify<proto::AuthOk>},
    {Command::Refreshed, "Refreshed", "Tokens", kOpen, verify<proto::Tokens>},
    {Command::GoodbyeOk, "GoodbyeOk", "GoodbyeOk", kOpen, verify<proto::GoodbyeOk>},
    {Command::Ack, "Ack", "Ack", kOpen, verify<proto::Ack>},
    {Command::ReadOk, "ReadOk", "ReadOk", kOpen, verify<proto::ReadOk>},
    {Command::SyncPage, "SyncPage", "SyncPage", kOpen, verify<proto::SyncPage>},
    {Command::FetchPage, "FetchPage", "FetchPage", kOpen, verify<proto::FetchPage>},
    {Command::HistoryPage, "HistoryPage", "HistoryPage", kOpen, verify<proto::HistoryPage>},
    {Command::GroupCreated, "GroupCreated", "Ack", kOpen, verify<proto::Ack>},
    {Command::GroupInvited, "GroupInvited", "Ack", kOpen, verify<proto::Ack>},
    {Command::GroupJoined, "GroupJoined", "Ack", kOpen, verify<proto::Ack>},
    {Command::GroupLeft, "GroupLeft", "Ack", kOpen, verify<proto::Ack>},
    {Command::GroupRemoved, "GroupRemoved", "Ack", kOpen, verify<proto::Ack>},
    {Command::GroupRoleSet, "GroupRoleSet", "Ack", kOpen, verify<proto::Ack>},
    {Command::GroupDisbanded, "GroupDisbanded", "Ack", kOpen, verify<proto::Ack>},
    {Command::GroupInfoPage, "GroupInfoPage", "GroupInfoPage", kOpen, verify<proto::GroupInfoPage>},
    {Command::GroupListPage, "GroupListPage", "GroupListPage", kOpen, verify<proto::GroupListPage>},
    {Command::TypingOk, "TypingOk", "TypingOk", kOpen, verify<proto::TypingOk>},
    {Command::DeviceList, "DeviceList", "DeviceList", kOpen, verify<proto::DeviceList>},
    {Command::SignedOut, "SignedOut", "SignedOut", kOpen, verify<proto::SignedOut>},
    {Command::Error, "Error", "Error", kOpen, verify<proto::Error>},
};

}  // namespace

std::span<const CommandInfo> all_commands() {
  return kCommands;
}

const CommandInfo* find_command(std::uint16_t number) {
  const auto command = static_cast<Command>(number);
  const auto* found = std::lower_bound(
      std::begin(kCommands), std::end(kCommands), command,
      [](const CommandInfo& info, Command wanted) { return info.command < wanted; });
  return found != std::end(kCommands) && found->command == command ? found : nullptr;
}

const CommandInfo* find_command(std::string_view name) {
  const auto* found = std::find_if(std::begin(kCommands), std::end(kCommands),
                                   [name](const CommandInfo& info) { return info.name == name; });
  return found == std::end(kCommands) ? nullptr : found;
}

bool verify_body(Command command, BytesView body) {
  const CommandInfo* info = find_command(command);
  return info != nullptr && info->verify(body);
}

}  // namespace martlet::wire
