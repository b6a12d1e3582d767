// Writes the first inputs of the corpora, from the vectors of docs/protocol.md and from values with
// all fields set. Run when a schema has changed: make_seeds <corpus> <docs/protocol.md>. What a
// fuzzer found since lies beside them and stays.
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>

#include "../unit/wire/full_texts.h"
#include "base/hash.h"
#include "bus/lease_record.h"
#include "client/journal_lines.h"
#include "persist/sync_token.h"
#include "registry/session_json.h"
#include "wire/admin.h"
#include "wire/bodies.h"
#include "wire/envelopes.h"
#include "wire/frame.h"
#include "wire/json_codec.h"
#include "wire/log_batch.h"
#include "wire/rpc.h"
#include "wire/trace.h"

namespace martlet::fuzz {
namespace {

namespace fs = std::filesystem;

const UserId kAlice = UserId::trusted("alice");
const UserId kBob = UserId::trusted("bob");
const DeviceId kPhone = DeviceId::trusted("phone");
const GroupId kTeam = GroupId::trusted("team");
const ConversationId kChat = ConversationId::between(kAlice, kBob);
constexpr SessionId kSession{1'700'000'000'000, 0xABCDEF};
constexpr WallMs kTimeMs = 1'700'000'000'001;

ClientMsgId msg_id(std::uint8_t first) {
  ClientMsgId id;
  for (std::uint8_t& byte : id.bytes) byte = first++;
  return id;
}

class Seeds {
 public:
  explicit Seeds(fs::path folder) : folder_(std::move(folder)) {}

  void write(const std::string& target, const std::string& name, BytesView bytes) const {
    fs::create_directories(folder_ / target);
    std::ofstream(folder_ / target / ("seed-" + name), std::ios::binary) << bytes;
  }
  // One of several kinds of message, which the first byte names.
  void write(const std::string& target, const std::string& name, char kind, BytesView bytes) const {
    write(target, name, kind + Bytes(bytes));
  }

 private:
  fs::path folder_;
};

Bytes number(wire::Command command) {
  const auto value = static_cast<std::uint16_t>(command);
  return {static_cast<char>(value >> 8), static_cast<char>(value)};
}

// The frames of the page's vectors, whole and as bodies.
void write_vectors(const Seeds& seeds, const fs::path& page) {
  std::ifstream in(page);
  std::string line;
  std::string hex;
  int count = 0;
  while (std::getline(in, line)) {
    if (line.starts_with("frame: "))
      hex = line.substr(7);
    else if (!hex.empty() && line.starts_with("       "))
      hex += line.substr(7);
    else if (!hex.empty()) {
      const Bytes frame = base::from_hex(hex).value();
      const std::string name = "vector-" + std::to_string(++count);
      seeds.write("frame_stream", name, '\x02', "\x07\x20" + frame + frame);
      if (frame.size() > kFrameHeaderBytes && frame[7] == 0) {
        seeds.write("client_body", name,
                    frame.substr(4, 2) + frame[3] + frame.substr(kFrameHeaderBytes));
      }
      hex.clear();
    }
  }
}

void write_bodies(const Seeds& seeds) {
  for (const wire::CommandInfo& info : wire::all_commands()) {
    const std::string text = wire::samples::full_text(info.command);
    const Bytes body = wire::json_to_body(info.command, text, kMaxAnswerBytes).value();
    seeds.write("client_body", std::string(info.name) + "-json",
                number(info.command) + '\1' + text);
    seeds.write("client_body", std::string(info.name), number(info.command) + '\0' + body);
  }
  const auto members = wire::json_to_body(wire::Command::MessageEvent,
                                          wire::samples::kMembersMessage, kMaxAnswerBytes);
  seeds.write("client_body", "members", number(wire::Command::MessageEvent) + '\0' + *members);
  seeds.write("content", "members", wire::parse_message(*members)->content);
  seeds.write("content", "text", wire::encode_text("hi"));
  seeds.write("content", "custom",
              wire::encode(wire::Content{
                  .kind = wire::ContentKind::Custom, .type_name = "poll", .data = "data"}));
  wire::Content file{.kind = wire::ContentKind::File, .text = "look"};
  file.file = wire::FileRef{.url = "https://example.org/a", .size = 5, .mime = "image/png"};
  seeds.write("content", "file", wire::encode(file));
}

void write_envelopes(const Seeds& seeds) {
  const wire::ClientFrame frame{
      "edge", kSession, 9, "alice", "phone", 1000, 900, wire::Command::Send, "body"};
  seeds.write("bus_envelope", "frame", 0, wire::encode(frame));
  wire::AnswerBatch batch{ShardId(3), Generation(1), Epoch(7), {}};
  batch.answers.push_back({.session = kSession,
                           .request_id = 9,
                           .command = wire::Command::Send,
                           .client_msg_id = msg_id(1),
                           .conversation = "u:alice:bob",
                           .seq = Seq(4),
                           .message_id = MessageId(44),
                           .time_ms = 1234});
  batch.answers.push_back({.kind = wire::AnswerKind::kRefused,
                           .session = kSession,
                           .request_id = 10,
                           .error = ErrorCode::kBusy,
                           .retry_after_ms = 50,
                           .detail = "later"});
  seeds.write("bus_envelope", "answers", 1, wire::encode(batch));
  seeds.write("bus_envelope", "drain-edge", 1, wire::encode(wire::DrainEdge{"root"}));
  seeds.write("bus_envelope", "kick-session", 1, wire::encode(wire::KickSession{kSession}));
  const wire::Event event{.shard = ShardId(3),
                          .generation = Generation(1),
                          .epoch = Epoch(7),
                          .position = LogPosition(99),
                          .command = wire::Command::MessageEvent,
                          .conversation = "g:team",
                          .seq = Seq(4),
                          .members_at = Seq(2),
                          .origin = kSession,
                          .body = "message",
                          .members_change = true};
  seeds.write("bus_envelope", "event", 2, wire::encode(event));
  seeds.write("bus_envelope", "started", 2, wire::encode(wire::SessionStarted{kPhone, kSession}));
  seeds.write("bus_envelope", "kick-device", 2, wire::encode(wire::KickDevice{kPhone}));
  seeds.write("bus_envelope", "owner", 3,
              wire::encode(wire::OwnerAnnounced{ShardId(1), Generation(2), Epoch(3), "d", true}));
  seeds.write("bus_envelope", "watermark", 4,
              wire::encode(wire::Watermark{ShardId(1), Generation(2), 3, LogPosition(4)}));
  seeds.write("bus_envelope", "beat", 5,
              wire::encode(wire::EdgeBeat{EdgeId::trusted("e"), "edge-1", "127.0.0.1:1",
                                          "127.0.0.1:2", 5, 6, 7, true}));
}

void write_questions(const Seeds& seeds) {
  seeds.write("rpc", "client", 0,
              wire::encode(wire::ClientRequest{wire::Command::Sync, kAlice, kPhone, "body"}));
  seeds.write("rpc", "client-answer", 1,
              wire::encode(wire::ClientAnswer{wire::Command::Sync, {ErrorCode::kNone}, "page"}));
  seeds.write(
      "rpc", "client-refusal", 1,
      wire::encode(wire::ClientAnswer{wire::Command::Sync, {ErrorCode::kBusy, "x", 7}, {}}));
  seeds.write("rpc", "shard", 2, wire::encode(wire::ShardQuestion{ShardId(5), LogPosition(77)}));
  seeds.write("rpc", "shard-answer", 3,
              wire::encode(wire::ShardAnswer{
                  {ErrorCode::kNone}, ShardId(5), Generation(2), 100, LogPosition(120)}));
  seeds.write("rpc", "cold", 4,
              wire::encode(wire::ColdQuestion{ShardId(5),
                                              Generation(2),
                                              LogPosition(120),
                                              {kChat},
                                              {{kChat, kBob, msg_id(9)}},
                                              {{kAlice, kTeam}}}));
  wire::ColdAnswer cold{.generation = Generation(2), .watermark = LogPosition(120)};
  const GroupMembers members({{kAlice, GroupRole::kOwner}, {kBob, GroupRole::kMember}}, {});
  cold.heads = {{wire::HeadStatus::kKnown, Seq(7), {}},
                {wire::HeadStatus::kKnown, Seq(8), wire::GroupState{Seq(2), members}}};
  cold.messages = {{}, {true, Seq(7), MessageId(9), kTimeMs, 11}};
  cold.users = {wire::UserStatus::kExists};
  seeds.write("rpc", "cold-answer", 5, wire::encode(cold));
  seeds.write("rpc", "groups", 6, wire::encode(wire::GroupsQuestion{{}, kTeam, {kAlice, kBob}}));
  seeds.write("rpc", "groups-of-user", 6, wire::encode(wire::GroupsQuestion{kAlice, {}, {}}));
  seeds.write("rpc", "groups-answer", 7,
              wire::encode(wire::GroupsAnswer{
                  {ErrorCode::kNone}, Seq(2), {{kTeam, kAlice, Seq(1), Seq(2)}}, true, 50}));
  seeds.write("rpc", "moves", 8, wire::encode(wire::MovesQuestion{EdgeId::trusted("e"), 5, true}));
  seeds.write("rpc", "moves-answer", 9,
              wire::encode(wire::MovesAnswer{{{"127.0.0.1:1", 3}, {"", 2}}}));
  const wire::AdminRequest ban{wire::AdminAct::kBan, "root", kBob, kPhone, {}};
  seeds.write("rpc", "admin", 10, wire::encode(ban));
  seeds.write("rpc", "admin-answer", 11,
              wire::encode(wire::AdminAnswer{{ErrorCode::kNoSuchUser, "no", 0}, 2}));
  seeds.write("rpc", "audit", 12, wire::encode(wire::AuditQuestion{7, 50}));
  seeds.write("rpc", "audit-answer", 13,
              wire::encode(wire::AuditAnswer{{ErrorCode::kNone}, {{7, 1000, ban}}}));
}

void write_trace(const Seeds& seeds) {
  wire::Hop hop{.kind = wire::HopKind::kAppended,
                .sender = kAlice,
                .client_msg_id = msg_id(1),
                .time_us = kTimeMs * 1000,
                .conversation = kChat,
                .seq = Seq(7),
                .message_id = MessageId(9),
                .number = 812,
                .flagged = true,
                .user = kBob};
  seeds.write("rpc", "hops", 14, wire::encode(wire::HopReport{"edge", "edge-1", "e1", 2, {hop}}));
  wire::TraceQuestion question;
  question.conversation = kChat;
  question.seq = Seq(7);
  seeds.write("rpc", "trace", 15, wire::encode(question));
  wire::TraceRow row;
  row.conversation = kChat;
  row.seq = Seq(7);
  row.sender = kAlice;
  row.client_msg_id = msg_id(1);
  row.members = {{kAlice, true, true, Seq(7)}};
  row.members_count = 1;
  seeds.write("rpc", "trace-answer", 16,
              wire::encode(wire::TraceAnswer{{ErrorCode::kNone}, true, {row}}));
}

void write_log(const Seeds& seeds) {
  wire::Entry message{.conversation = kChat,
                      .seq = Seq(7),
                      .message_id = MessageId(9),
                      .sender = kAlice,
                      .device = kPhone,
                      .client_msg_id = msg_id(1),
                      .time_ms = kTimeMs,
                      .content = wire::encode_text("hi")};
  message.content_hash = base::hash64(message.content);
  wire::Entry change = message;
  change.kind = wire::EntryKind::kMembers;
  change.conversation = ConversationId::of_group(kTeam);
  change.content = wire::encode(MembersChange{.action = MembersAction::kInvited, .users = {kBob}});
  change.content_hash = base::hash64(change.content);
  const wire::Entry read{.kind = wire::EntryKind::kRead,
                         .conversation = kChat,
                         .seq = Seq(7),
                         .sender = kBob,
                         .device = kPhone,
                         .time_ms = kTimeMs};
  const wire::Entry owner{.kind = wire::EntryKind::kOwner, .message_id = MessageId(9)};
  seeds.write("log_batch", "one", wire::encode(wire::Batch{Epoch(1), Generation(2), {message}}));
  seeds.write("log_batch", "all",
              wire::encode(wire::Batch{Epoch(1), Generation(2), {owner, message, change, read}}));
}

void write_tokens(const Seeds& seeds) {
  const std::string header = R"({"alg":"EdDSA","kid":"key","typ":"JWT"})";
  const std::string claims =
      R"({"iss":"martlet","aud":"martlet","sub":"alice","dev":"phone","iat":1700000000,)"
      R"("exp":1700000900,"jti":"AAECAwQFBgcICQoLDA0ODw"})";
  seeds.write("jwt", "raw", 0,
              base::to_base64url(header) + '.' + base::to_base64url(claims) + ".AAAA");
  seeds.write("jwt", "both", 1, header + '\n' + claims);
  seeds.write("jwt", "claims", 2, claims);
  const store::SyncVector told{{Generation(1), Generation(2)}, {LogPosition(3), LogPosition(4)}};
  seeds.write("sync_token", "token", 0, '\1' + persist::encode_sync_token(told));
  persist::SyncCursor cursor{.now = told, .after = 5, .behind = true};
  seeds.write("sync_token", "first-page", 1, '\1' + persist::encode_sync_cursor(cursor));
  cursor.since = told;
  seeds.write("sync_token", "page", 1, '\1' + persist::encode_sync_cursor(cursor));
}

void write_records(const Seeds& seeds) {
  const registry::SessionRecord session{kAlice, kPhone, kSession, EdgeId::trusted("e"), "h:1", 5};
  seeds.write("session_json", "one", "phone\n" + registry::to_json(session, kTimeMs));
  const Bytes record = bus::encode_record({"persist-1", Epoch(3), LogPosition(4)});
  seeds.write("lease_record", "shard", bus::shard_key("persist", ShardId(3)) + '\n' + record);
  seeds.write("lease_record", "beat", bus::beat_key("persist", "persist-1") + "\n1");

  namespace journal = client::journal;
  client::Cursor cursor{.shown = 4, .target = 7, .durable = 3, .generation = 1};
  cursor.recent[4] = 99;
  seeds.write("journal", "all",
              journal::credentials_line({kAlice, kPhone, "a.b.c", "r", kTimeMs}) +
                  journal::token_line("token") + journal::cursor_line(kChat, cursor) +
                  journal::shown_line(kChat, Seq(5), MessageId(100)) +
                  journal::send_line({kBob, kChat, msg_id(1), "content", {}}) +
                  journal::send_line({{}, ConversationId::of_group(kTeam), msg_id(2), "c", {}}) +
                  journal::sent_line(msg_id(1)) +
                  journal::change_line(
                      {kTeam, msg_id(3), {.action = MembersAction::kInvited, .users = {kBob}}}) +
                  journal::changed_line(msg_id(3)));
}

void write_texts(const Seeds& seeds) {
  for (const char* text : {"alice", "u:alice:bob", "g:team", "127.0.0.1:7000", "[::1]:7000",
                           "AAEC/w==", "AAEC_w", "00ff", "\xE4\xBD\xA0", "\xF0\x9F\x98\x80"}) {
    seeds.write("names", std::to_string(base::hash64(text) % 100'000), text);
  }
  const std::string file =
      "name = \"one\"\nnats.url = [\"nats://a:b@h:1\", \"nats://h:2\"]\n"
      "[edge]\nlisten = \"[::1]:7\"\nconnections = 7\nbuffer_bytes = \"4KiB\"\nstrict = true\n";
  const std::string variables = "MARTLET_LOG_LEVEL=debug\nMARTLET_EDGE_SEEDS=a:1,b:2\n";
  seeds.write("config", "all",
              file + '\0' + variables + '\0' +
                  "--db.password=pass\n--edge.patience_ms\n500\n--edge.also=\n");
  const std::string stream = R"({"config":{"name":"S","subjects":["s"],"max_bytes":-1},)"
                             R"("state":{"messages":2,"bytes":9,"first_seq":3,"last_seq":4}})";
  seeds.write("jetstream", "error", 0,
              R"({"error":{"code":404,"err_code":10059,"description":"stream not found"}})");
  seeds.write("jetstream", "ack", 1, R"({"stream":"S","seq":7})");
  seeds.write("jetstream", "stream", 2, stream);
  seeds.write("jetstream", "compare", 3, stream);
  seeds.write("jetstream", "page", 4, R"({"total":1,"streams":[)" + stream + "]}");
  seeds.write("jetstream", "message", 5, R"({"message":{"data":"AAEC","seq":7}})");
  seeds.write("jetstream", "consumer", 6, R"({"name":"c"})");
  seeds.write("jetstream", "delivery", 7, "$JS.ACK.S.c.1.7.1.1700000000.5");
  seeds.write("jetstream", "delivery-domain", 7, "$JS.ACK.d.a.S.c.1.7.1.1700000000.5.x");
}

void write_proxy_headers(const Seeds& seeds) {
  const Bytes signature("\r\n\r\n\0\r\nQUIT\n", 12);
  const Bytes ports("\x12\x34\x1C\xE8", 4);
  seeds.write("proxy_header", "ipv4",
              signature + Bytes("\x21\x11\0\x0C\xC0\0\2\7\xC6\x33\x64\1", 12) + ports);
  seeds.write("proxy_header", "ipv6",
              signature + Bytes("\x21\x21\0\x24", 4) + Bytes(32, '\2') + ports);
  seeds.write("proxy_header", "more",
              signature + Bytes("\x21\x11\0\x13\xC0\0\2\7\xC6\x33\x64\1", 12) + ports +
                  Bytes("\x03\0\4abcd", 7));
  seeds.write("proxy_header", "local", signature + Bytes("\x20\0\0\0", 4));
  seeds.write("proxy_header", "range", "172.16.0.0/12");
  seeds.write("proxy_header", "range6", "fd00::/8");
  seeds.write("proxy_header", "tickets", "# keys\n" + base::to_base64(Bytes(80, 'k')) + "\n");
}

}  // namespace
}  // namespace martlet::fuzz

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: make_seeds CORPUS docs/protocol.md\n";
    return 2;
  }
  const martlet::fuzz::Seeds seeds(argv[1]);
  martlet::fuzz::write_vectors(seeds, argv[2]);
  martlet::fuzz::write_bodies(seeds);
  martlet::fuzz::write_envelopes(seeds);
  martlet::fuzz::write_questions(seeds);
  martlet::fuzz::write_log(seeds);
  martlet::fuzz::write_trace(seeds);
  martlet::fuzz::write_tokens(seeds);
  martlet::fuzz::write_records(seeds);
  martlet::fuzz::write_texts(seeds);
  martlet::fuzz::write_proxy_headers(seeds);
}
