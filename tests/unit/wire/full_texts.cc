#include "full_texts.h"

namespace martlet::wire::samples {
namespace {

constexpr std::string_view kMessage =
    R"({"conversation":"u:alice:bob","seq":"7","message_id":"18446744073709551615",)"
    R"("sender":"alice","client_msg_id":"0190d0c0ffee70008000000000000001",)"
    R"("time_ms":"1700000000000","content":{"kind":"File","text":"look",)"
    R"("file":{"url":"https://example.org/a","size":"9007199254740993",)"
    R"("sha256":"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff",)"
    R"("mime":"image/png","name":"a.png"}},"generation":3,"members_at":"0","removed":false})";

constexpr std::string_view kRange = R"({"conversation":"g:team","from":"1","to":"20"})";

std::string list(std::string_view element) {
  return '[' + std::string(element) + ']';
}

std::string full_group_request(Command command) {
  switch (command) {
    case Command::GroupCreate:
      return std::string(kChange) + R"(,"title":"The Team","join":"Anyone",)" +
             R"("earlier_history":"Shown","users":["bob","carol"]})";
    case Command::GroupInvite:
    case Command::GroupRemove:
      return std::string(kChange) + R"(,"users":["bob"]})";
    case Command::GroupJoin:
    case Command::GroupLeave:
    case Command::GroupDisband:
      return std::string(kChange) + "}";
    case Command::GroupSetRole:
      return std::string(kChange) + R"(,"user":"bob","role":"Admin"})";
    case Command::GroupInfo:
      return R"({"group":"team","after":"bob","limit":5})";
    case Command::GroupList:
      return R"({"after":"team","limit":5})";
    case Command::Typing:
      return R"({"to_user":"bob","to_group":"team"})";
    case Command::SignOut:
      return R"({"device":"phone"})";
    default:
      return "no text";
  }
}

std::string full_request(Command command) {
  switch (command) {
    case Command::Ping:
    case Command::Goodbye:
    case Command::Devices:
      return "{}";
    case Command::Register:
      return R"({"user":"alice","password":"pass word"})";
    case Command::Login:
      return R"({"user":"alice","device":"phone","password":"pass word"})";
    case Command::Auth:
      return R"({"access_token":"a.b.c","client":"test/1"})";
    case Command::Refresh:
      return R"({"refresh_token":"r"})";
    case Command::Send:
      return R"({"to_user":"bob","to_group":"team",)" + std::string(kSend.substr(17));
    case Command::Read:
      return R"({"conversation":"u:alice:bob","seq":"3"})";
    case Command::Sync:
      return R"({"token":"AAEC/w==","page":"eA=="})";
    case Command::Fetch:
      return R"({"ranges":[)" + std::string(kRange) + ',' + std::string(kRange) +
             R"(],"live_missed":2})";
    case Command::History:
      return R"({"conversation":"u:alice:bob","from":"10","direction":"Forward","limit":5})";
    default:
      return full_group_request(command);
  }
}

std::string full_group_text(Command command) {
  switch (command) {
    case Command::GroupCreated:
    case Command::GroupInvited:
    case Command::GroupJoined:
    case Command::GroupLeft:
    case Command::GroupRemoved:
    case Command::GroupRoleSet:
    case Command::GroupDisbanded:
      return R"({"client_msg_id":"0190d0c0ffee70008000000000000001","conversation":"g:team",)"
             R"("seq":"7","message_id":"9","time_ms":"5","level":"Logged","generation":2})";
    case Command::GroupInfoPage:
      return R"({"group":"team","title":"The Team","join":"Anyone","earlier_history":"Shown",)"
             R"("members_count":2,"members_at":"7","members":[{"user":"alice","role":"Owner",)"
             R"("since_seq":"1"}],"more":true})";
    case Command::GroupListPage:
      return R"({"groups":[{"group":"team","title":"The Team","role":"Member",)"
             R"("members_count":2}],"more":true})";
    case Command::TypingOk:
      return "{}";
    case Command::TypingEvent:
      return R"({"conversation":"g:team","user":"bob"})";
    case Command::DeviceList:
      return R"({"devices":[{"device":"phone","this_one":true,"last_login_ms":"5"}]})";
    case Command::SignedOut:
      return R"({"devices":3})";
    default:
      return full_request(command);
  }
}

}  // namespace

std::string full_text(Command command) {
  switch (command) {
    case Command::Pong:
      return R"({"time_ms":"1700000000000"})";
    case Command::GoodbyeOk:
      return "{}";
    case Command::ReadOk:
      return R"({"conversation":"u:alice:bob","seq":"3"})";
    case Command::Registered:
      return R"({"user":"alice"})";
    case Command::Tokens:
    case Command::Refreshed:
      return R"({"access_token":"a","refresh_token":"r","expires_in_s":3600})";
    case Command::AuthOk:
      return R"({"user":"alice","device":"phone","session":"00","edge":"e","heartbeat_ms":30000,)"
             R"("tail_check_ms":60000,"max_body_bytes":65536,"max_unanswered":64,)"
             R"("expires_in_s":3600,"time_ms":"5"})";
    case Command::Ack:
      return R"({"client_msg_id":"0190d0c0ffee70008000000000000001",)"
             R"("conversation":"u:alice:bob","seq":"7","message_id":"9","time_ms":"5",)"
             R"("level":"Stored","generation":2})";
    case Command::SyncPage:
      return R"({"conversations":[{"conversation":"u:alice:bob","last_seq":"7","read_seq":"5",)"
             R"("peer_read_seq":"6","unread":"2","first_seq":"1","generation":3,)"
             R"("membership":"Former","newest":)" +
             list(kMessage) +
             R"(,"members_at":"6","start_seq":"4"}],"next_page":"eA==","token":"eQ==",)"
             R"("behind":true,"again_in_ms":9})";
    case Command::FetchPage:
      return R"({"messages":)" + list(kMessage) + R"(,"withheld":)" + list(kRange) +
             R"(,"remaining":)" + list(kRange) + "}";
    case Command::HistoryPage:
      return R"({"messages":)" + list(kMessage) + R"(,"withheld":)" + list(kRange) +
             R"(,"more":true,"behind":true,"again_in_ms":9})";
    case Command::MessageEvent:
      return std::string(kMessage);
    case Command::ReadEvent:
      return R"({"conversation":"u:alice:bob","user":"bob","seq":"3"})";
    case Command::StoredEvent:
      return R"({"client_msg_id":"0190d0c0ffee70008000000000000001",)"
             R"("conversation":"u:alice:bob","seq":"3"})";
    case Command::ResyncEvent:
      return R"({"within_ms":10000,"conversation":"u:alice:bob"})";
    case Command::KickedEvent:
      return R"({"reason":"Replaced","may_reconnect":true})";
    case Command::ReconnectEvent:
      return R"({"to":"127.0.0.1:7000","within_ms":3000})";
    case Command::Error:
      return R"({"code":64,"name":"BUSY","detail":"later","retryable":true,)"
             R"("retry_after_ms":100,"client_msg_id":"0190d0c0ffee70008000000000000001"})";
    default:
      return full_group_text(command);
  }
}

}  // namespace martlet::wire::samples
