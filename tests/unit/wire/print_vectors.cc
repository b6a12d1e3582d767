// Prints the vectors of docs/protocol.md. Run once when vectors are added; page_test.cc replays
// what the page says, with these functions and not with this list.
#include <cstdio>
#include <string>
#include <string_view>

#include "wire/bodies.h"
#include "wire/commands.h"
#include "wire/frame.h"
#include "wire/json_codec.h"

namespace martlet::wire {
namespace {

constexpr std::string_view kId = "0190d0c0ffee70008000000000000001";

struct Vector {
  const char* name;
  Codec codec;
  Command command;
  std::uint32_t request_id;
  std::uint16_t flags;
  std::string json;
};

void print_hex(const Bytes& frame) {
  constexpr std::size_t kBytesPerLine = 48;
  for (std::size_t i = 0; i < frame.size(); i += kBytesPerLine) {
    std::printf("%s%s\n", i == 0 ? "frame: " : "       ",
                base::to_hex(BytesView(frame).substr(i, kBytesPerLine)).c_str());
  }
  std::printf("```\n\n");
}

Bytes body_of(const Vector& vector) {
  Bytes body = vector.codec == Codec::kJson
                   ? vector.json
                   : json_to_body(vector.command, vector.json, kMaxAnswerBytes).value();
  return (vector.flags & kFlagZstd) != 0 ? compress_body(body) : body;
}

void print(const Vector& vector) {
  std::printf("```vector\nname: %s\ncodec: %d\ncommand: %u %s\nflags: %u\nrequest_id: %u\n",
              vector.name, static_cast<int>(vector.codec), static_cast<unsigned>(vector.command),
              proto::EnumNameCommand(vector.command), vector.flags, vector.request_id);
  std::printf("body: %s\n", vector.json.c_str());
  print_hex(encode_frame({.codec = vector.codec,
                          .command = static_cast<std::uint16_t>(vector.command),
                          .flags = vector.flags,
                          .request_id = vector.request_id},
                         body_of(vector)));
}

void print_bad(const char* name, const char* error, const Bytes& frame) {
  std::printf("```vector\nname: %s\nerror: %s\n", name, error);
  print_hex(frame);
}

std::string send_json(std::string_view to_user, std::string_view text) {
  return R"({"to_user":")" + std::string(to_user) + R"(","client_msg_id":")" + std::string(kId) +
         R"(","content":{"kind":"Text","text":")" + std::string(text) +
         R"("},"age_ms":0,"want":"Logged","trace":false})";
}

Bytes json_frame(Command command, std::string_view json, std::uint16_t flags = 0) {
  return encode_frame({.codec = Codec::kJson,
                       .command = static_cast<std::uint16_t>(command),
                       .flags = flags,
                       .request_id = 7},
                      json);
}

Bytes with_byte(Bytes frame, std::size_t index, char value) {
  frame[index] = value;
  return frame;
}

std::string change_json(std::string_view group, std::string_view more) {
  return R"({"group":")" + std::string(group) + R"(","client_msg_id":")" + std::string(kId) +
         R"(","age_ms":0)" + std::string(more) + "}";
}

void print_groups() {
  const std::string event =
      R"({"conversation":"g:team","seq":"2","message_id":"318767104000001","sender":"alice",)"
      R"("client_msg_id":")" +
      std::string(kId) + R"(","time_ms":"1780000000000","content":{"kind":"Members",)" +
      R"("members":{"action":"Invited","users":["bob","carol"],"role":"None","join":"Invited",)" +
      R"("earlier_history":"Hidden"}},"generation":0,"members_at":"1","removed":false})";
  const Vector vectors[] = {
      {"GROUP_CREATE in JSON", Codec::kJson, Command::GroupCreate, 12, 0,
       change_json("team", R"(,"title":"The Team","join":"Invited","earlier_history":"Shown",)"
                           R"("users":["bob"])")},
      {"GROUP_INVITE in FlatBuffers", Codec::kFlatBuffers, Command::GroupInvite, 13, 0,
       change_json("team", R"(,"users":["bob","carol"])")},
      {"a change of members in JSON", Codec::kJson, Command::MessageEvent, 0, 0, event},
      {"a change of members in FlatBuffers", Codec::kFlatBuffers, Command::MessageEvent, 0, 0,
       event},
  };
  for (const Vector& vector : vectors) print(vector);
}

void print_good_ones() {
  const std::string id(kId);
  const std::string message =
      R"({"conversation":"u:alice:bob","seq":"1","message_id":"318767104000000","sender":"alice",)"
      R"("client_msg_id":")" +
      id + R"(","time_ms":"1780000000000","content":{"kind":"Text","text":"hi bob"},)" +
      R"("generation":0,"members_at":"0","removed":false})";
  const std::string full_send =
      R"({"to_user":"bob","client_msg_id":")" + id +
      R"(","content":{"kind":"File","text":"look","file":{"url":"https://example.org/a.png",)" +
      R"("size":"1234","sha256":"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",)"
      R"("mime":"image/png","name":"a.png"}},"age_ms":250,"want":"Stored",)"
      R"("follows":"0190d0c0ffee70008000000000000000","trace":true})";
  const Vector vectors[] = {
      {"PING in JSON", Codec::kJson, Command::Ping, 1, 0, "{}"},
      {"PING in FlatBuffers", Codec::kFlatBuffers, Command::Ping, 1, 0, "{}"},
      {"LOGIN in JSON", Codec::kJson, Command::Login, 2, 0,
       R"({"user":"alice","device":"phone","password":"correct horse"})"},
      {"AUTH in FlatBuffers", Codec::kFlatBuffers, Command::Auth, 3, 0,
       R"({"access_token":"a.b.c","client":"example/1"})"},
      {"SEND in JSON", Codec::kJson, Command::Send, 7, 0, send_json("bob", "hi \xE4\xBD\xA0\\n")},
      {"SEND in FlatBuffers", Codec::kFlatBuffers, Command::Send, 7, 0, send_json("bob", "hi bob")},
      {"SEND of a file, with every field", Codec::kFlatBuffers, Command::Send, 8, 0, full_send},
      {"SEND in JSON, compressed", Codec::kJson, Command::Send, 9, 1,
       send_json("bob", std::string(100, 'a'))},
      {"ACK in FlatBuffers", Codec::kFlatBuffers, Command::Ack, 7, 0,
       R"({"client_msg_id":")" + id +
           R"(","conversation":"u:alice:bob","seq":"1","message_id":"318767104000000",)" +
           R"("time_ms":"1780000000000","level":"Logged","generation":0})"},
      {"a refused SEND, in FlatBuffers", Codec::kFlatBuffers, Command::Error, 7, 0,
       R"({"code":66,"name":"LOG_FULL","retryable":true,"retry_after_ms":2000,"client_msg_id":")" +
           id + "\"}"},
      {"an event in JSON", Codec::kJson, Command::MessageEvent, 0, 0, message},
      {"an event in FlatBuffers", Codec::kFlatBuffers, Command::MessageEvent, 0, 0, message},
      {"FETCH in FlatBuffers", Codec::kFlatBuffers, Command::Fetch, 10, 0,
       R"({"ranges":[{"conversation":"u:alice:bob","from":"2","to":"9"}],"live_missed":0})"},
      {"the page of a first SYNC in JSON", Codec::kJson, Command::SyncPage, 11, 0,
       R"({"conversations":[{"conversation":"u:alice:bob","last_seq":"1","read_seq":"0",)"
       R"("peer_read_seq":"1","unread":"0","first_seq":"1","generation":0,"membership":"Member",)"
       R"("newest":[)" +
           message +
           R"(],"members_at":"0","start_seq":"1"}],"token":"AQAB","behind":false,"again_in_ms":0})"},
  };
  for (const Vector& vector : vectors) print(vector);
  print_groups();
}

void print_bad_ones() {
  const Bytes ping = json_frame(Command::Ping, "{}");
  print_bad("wrong magic", "BAD_MAGIC", "GET / HTTP/1.1\r\n");
  print_bad("another version", "BAD_VERSION", with_byte(ping, 2, 2));
  print_bad("an unknown codec", "BAD_CODEC", with_byte(ping, 3, 2));
  print_bad("an undefined flag", "BAD_FLAGS", with_byte(ping, 7, 2));
  print_bad("a body over the limit, not even sent", "BODY_TOO_LARGE",
            with_byte(with_byte(ping, 13, 1), 15, 1).substr(0, kFrameHeaderBytes));
  print_bad("an unknown command", "UNKNOWN_COMMAND", json_frame(static_cast<Command>(4660), "{}"));
  print_bad("a FlatBuffer that does not verify", "BAD_BODY",
            encode_frame({.command = 16, .request_id = 7}, "no flatbuffer at all"));
  print_bad("not JSON", "BAD_BODY", json_frame(Command::Ping, "{"));
  print_bad("JSON nested too deeply", "BAD_BODY", json_frame(Command::Ping, std::string(33, '[')));
  print_bad("a field that the schema does not have", "BAD_BODY",
            json_frame(Command::Ping, R"({"x":1})"));
  print_bad("a required field is missing", "BAD_BODY",
            json_frame(Command::Auth, R"({"client":"example/1"})"));
  print_bad("bad UTF-8", "BAD_BODY", json_frame(Command::Refresh, "{\"refresh_token\":\"\xC3(\"}"));
  print_bad("not a zstd frame", "BAD_BODY", json_frame(Command::Ping, "{}", kFlagZstd));
  print_bad("an id with a dot", "BAD_ID", json_frame(Command::Send, send_json("a.b", "x")));
  print_bad("U+0000 in a text", "BAD_CONTENT",
            json_frame(Command::Send, send_json("bob", "\\u0000")));
  print_bad(
      "a reversed range", "BAD_RANGE",
      json_frame(Command::Fetch, R"({"ranges":[{"conversation":"g:x","from":"9","to":"2"}]})"));
  print_bad("a short password", "BAD_PASSWORD",
            json_frame(Command::Register, R"({"user":"alice","password":"short"})"));
  print_bad("a new group's id with capitals", "BAD_ID",
            json_frame(Command::GroupCreate, change_json("Team", "")));
  print_bad("a user named twice", "BAD_BODY",
            json_frame(Command::GroupInvite, change_json("team", R"(,"users":["bob","bob"])")));
  print_bad("a change of members that a client sends as a message", "BAD_CONTENT",
            json_frame(Command::Send, R"({"to_group":"team","client_msg_id":")" + std::string(kId) +
                                          R"(","content":{"kind":"Members","members":{"action":)" +
                                          R"("Joined"}}})"));
  print_bad("TYPING to two", "BAD_BODY",
            json_frame(Command::Typing, R"({"to_user":"bob","to_group":"team"})"));
}

}  // namespace
}  // namespace martlet::wire

int main() {
  martlet::wire::print_good_ones();
  std::printf("Frames that are refused:\n\n");
  martlet::wire::print_bad_ones();
}
