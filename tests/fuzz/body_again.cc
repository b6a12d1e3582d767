#include "body_again.h"

#include "again.h"
#include "wire/bodies.h"

namespace martlet::fuzz {
namespace {

using wire::Command;

template <Command command>
Result<wire::GroupChange> parse_change(BytesView body) {
  return wire::parse_group_change(command, body);
}

struct Again {
  Command command;
  Result<Bytes> (*run)(BytesView);
};

constexpr Again kRequests[] = {
    {Command::Ping, encoded_again<wire::parse_ping>},
    {Command::Register, encoded_again<wire::parse_register>},
    {Command::Login, encoded_again<wire::parse_login>},
    {Command::Auth, encoded_again<wire::parse_auth>},
    {Command::Refresh, encoded_again<wire::parse_refresh>},
    {Command::Goodbye, encoded_again<wire::parse_goodbye>},
    {Command::Send, encoded_again<wire::parse_send>},
    {Command::Read, encoded_again<wire::parse_read>},
    {Command::Sync, encoded_again<wire::parse_sync>},
    {Command::Fetch, encoded_again<wire::parse_fetch>},
    {Command::History, encoded_again<wire::parse_history>},
    {Command::GroupCreate, encoded_again<parse_change<Command::GroupCreate>>},
    {Command::GroupInvite, encoded_again<parse_change<Command::GroupInvite>>},
    {Command::GroupJoin, encoded_again<parse_change<Command::GroupJoin>>},
    {Command::GroupLeave, encoded_again<parse_change<Command::GroupLeave>>},
    {Command::GroupRemove, encoded_again<parse_change<Command::GroupRemove>>},
    {Command::GroupSetRole, encoded_again<parse_change<Command::GroupSetRole>>},
    {Command::GroupDisband, encoded_again<parse_change<Command::GroupDisband>>},
    {Command::GroupInfo, encoded_again<wire::parse_group_info>},
    {Command::GroupList, encoded_again<wire::parse_group_list>},
    {Command::Typing, encoded_again<wire::parse_typing>},
    {Command::Devices, encoded_again<wire::parse_devices>},
    {Command::SignOut, encoded_again<wire::parse_sign_out>},
};

constexpr Again kOfTheServer[] = {
    {Command::MessageEvent, encoded_again<wire::parse_message>},
    {Command::ReadEvent, encoded_again<wire::parse_read_event>},
    {Command::StoredEvent, encoded_again<wire::parse_stored_event>},
    {Command::TypingEvent, encoded_again<wire::parse_typing_event>},
    {Command::ResyncEvent, encoded_again<wire::parse_resync_event>},
    {Command::KickedEvent, encoded_again<wire::parse_kicked_event>},
    {Command::ReconnectEvent, encoded_again<wire::parse_reconnect_event>},
    {Command::Pong, encoded_again<wire::parse_pong>},
    {Command::Registered, encoded_again<wire::parse_registered>},
    {Command::Tokens, encoded_again<wire::parse_tokens>},
    {Command::Refreshed, encoded_again<wire::parse_tokens>},
    {Command::AuthOk, encoded_again<wire::parse_auth_ok>},
    {Command::GoodbyeOk, encoded_again<wire::parse_goodbye_ok>},
    {Command::ReadOk, encoded_again<wire::parse_read_ok>},
    {Command::SyncPage, encoded_again<wire::parse_sync_page>},
    {Command::FetchPage, encoded_again<wire::parse_fetch_page>},
    {Command::HistoryPage, encoded_again<wire::parse_history_page>},
    {Command::GroupInfoPage, encoded_again<wire::parse_group_info_page>},
    {Command::GroupListPage, encoded_again<wire::parse_group_list_page>},
    {Command::TypingOk, encoded_again<wire::parse_typing_ok>},
    {Command::DeviceList, encoded_again<wire::parse_device_list>},
    {Command::SignedOut, encoded_again<wire::parse_signed_out>},
    {Command::Error, encoded_again<wire::parse_refusal>},
};

}  // namespace

Result<Bytes> body_again(Command command, BytesView body) {
  for (const Again& again : kRequests) {
    if (again.command == command) return again.run(body);
  }
  for (const Again& again : kOfTheServer) {
    if (again.command == command) return again.run(body);
  }
  // The rest are Acks of SEND and of changes of groups.
  return encoded_again<wire::parse_ack>(body);
}

}  // namespace martlet::fuzz
