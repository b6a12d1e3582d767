#include "wire/requests.h"

#include <flatbuffers/flatbuffers.h>
#include <gtest/gtest.h>

#include <string>

#include "samples.h"
#include "wire/content.h"
#include "wire/limits.h"

namespace martlet::wire {
namespace {

using samples::alice_and_bob;
using samples::code_of;
using samples::detail_of;
using samples::device;
using samples::msg_id;
using samples::user;

const Bytes& hello() {
  static const Bytes kHello = encode_text("hello");
  return kHello;
}

Send a_send() {
  Send send;
  send.to_user = user("bob");
  send.client_msg_id = msg_id(1);
  send.content = hello();
  return send;
}

// Bodies as a careless client makes them: encode() would assert.
struct RawSend {
  const char* to_user = "bob";
  const char* to_group = nullptr;
  std::uint8_t id_first = 1;
  Bytes content = hello();
  std::uint8_t want = 0;
};

Bytes encode_raw(const RawSend& raw) {
  flatbuffers::FlatBufferBuilder builder;
  const auto to_user = raw.to_user == nullptr ? 0 : builder.CreateString(raw.to_user);
  const auto to_group = raw.to_group == nullptr ? 0 : builder.CreateString(raw.to_group);
  const auto content = builder.CreateVector(base::as_u8(raw.content), raw.content.size());
  proto::Uuid id;
  std::memset(static_cast<void*>(&id), raw.id_first, sizeof id);
  builder.Finish(proto::CreateSend(builder, to_user, to_group, &id, content, 0,
                                   static_cast<AckLevel>(raw.want)));
  return Bytes(reinterpret_cast<const char*>(builder.GetBufferPointer()), builder.GetSize());
}

Bytes encode_raw_ranges(std::size_t count, std::uint64_t from, std::uint64_t to,
                        const char* conversation = "g:x") {
  flatbuffers::FlatBufferBuilder builder;
  std::vector<flatbuffers::Offset<proto::Range>> ranges;
  for (std::size_t i = 0; i < count; ++i) {
    ranges.push_back(proto::CreateRange(builder, builder.CreateString(conversation), from, to));
  }
  builder.Finish(proto::CreateFetch(builder, builder.CreateVector(ranges)));
  return Bytes(reinterpret_cast<const char*>(builder.GetBufferPointer()), builder.GetSize());
}

TEST(Requests, SendComesBack) {
  Send sent = a_send();
  sent.age = std::chrono::milliseconds(1500);
  sent.want = AckLevel::Stored;
  sent.follows = msg_id(40);
  sent.trace = true;
  const Bytes body = encode(sent);
  const auto got = parse_send(body);
  ASSERT_TRUE(got) << detail_of(got);
  EXPECT_EQ(got->to_user, user("bob"));
  EXPECT_TRUE(got->to_group.empty());
  EXPECT_EQ(got->client_msg_id, msg_id(1));
  EXPECT_EQ(got->content, hello());
  EXPECT_EQ(got->age, std::chrono::milliseconds(1500));
  EXPECT_EQ(got->want, AckLevel::Stored);
  EXPECT_EQ(got->follows, msg_id(40));
  EXPECT_TRUE(got->trace);
}

TEST(Requests, SendWithoutAgeOrPredecessor) {
  const Bytes body = encode(a_send());
  const auto got = parse_send(body);
  ASSERT_TRUE(got) << detail_of(got);
  EXPECT_FALSE(got->age.has_value());
  EXPECT_FALSE(got->follows.has_value());
  EXPECT_EQ(got->want, AckLevel::Logged);
}

TEST(Requests, SendToAGroup) {
  Send sent = a_send();
  sent.to_user = {};
  sent.to_group = GroupId::trusted("team");
  const Bytes body = encode(sent);
  EXPECT_EQ(parse_send(body)->to_group.str(), "team");
}

TEST(Requests, SendNeedsExactlyOneRecipient) {
  EXPECT_EQ(code_of(parse_send(encode_raw({.to_user = nullptr}))), ErrorCode::kBadBody);
  EXPECT_EQ(code_of(parse_send(encode_raw({.to_group = "g"}))), ErrorCode::kBadBody);
}

TEST(Requests, BadRecipientsAreBadIds) {
  const std::string too_long(65, 'x');
  for (const char* id : {"", "a.b", "a b", "a*", ">", "a:b", "\xC3\xA9", too_long.c_str()}) {
    EXPECT_EQ(code_of(parse_send(encode_raw({.to_user = id}))), ErrorCode::kBadId) << id;
  }
}

TEST(Requests, ZeroMessageIdIsABadId) {
  EXPECT_EQ(code_of(parse_send(encode_raw({.id_first = 0}))), ErrorCode::kBadId);
}

TEST(Requests, MessageThatFollowsItselfIsRefused) {
  Send sent = a_send();
  sent.follows = sent.client_msg_id;
  EXPECT_EQ(code_of(parse_send(encode(sent))), ErrorCode::kBadId);
}

TEST(Requests, UnknownLevelIsABadBody) {
  EXPECT_EQ(code_of(parse_send(encode_raw({.want = 2}))), ErrorCode::kBadBody);
}

TEST(Requests, ContentThatDoesNotVerifyIsABadBody) {
  EXPECT_EQ(code_of(parse_send(encode_raw({.content = "garbage garbage"}))), ErrorCode::kBadBody);
  EXPECT_EQ(code_of(parse_send(encode_raw({.content = ""}))), ErrorCode::kBadBody);
}

TEST(Requests, UnfitContentIsRefusedAtTheEdgeOnly) {
  const Bytes body = encode_raw({.content = encode(Content{.kind = ContentKind::File})});
  EXPECT_EQ(code_of(parse_send(body)), ErrorCode::kBadContent);
  EXPECT_EQ(code_of(parse_checked_send(body)), ErrorCode::kNone);
}

TEST(Requests, AccountRequestsComeBack) {
  const Bytes registration = encode(Register{user("alice"), "correct horse"});
  EXPECT_EQ(parse_register(registration)->user, user("alice"));
  EXPECT_EQ(parse_register(registration)->password, "correct horse");
  const Bytes login = encode(Login{user("alice"), device("phone"), "pw"});
  EXPECT_EQ(parse_login(login)->device, device("phone"));
  EXPECT_EQ(parse_login(login)->password, "pw");
  const Bytes auth = encode(Auth{"token", "client/1"});
  EXPECT_EQ(parse_auth(auth)->access_token, "token");
  EXPECT_EQ(parse_auth(auth)->client, "client/1");
  const Bytes refresh = encode(Refresh{"again"});
  EXPECT_EQ(parse_refresh(refresh)->refresh_token, "again");
}

TEST(Requests, PasswordsHaveBounds) {
  EXPECT_EQ(code_of(parse_register(encode(Register{user("a"), "1234567"}))),
            ErrorCode::kBadPassword);
  EXPECT_EQ(code_of(parse_register(encode(Register{user("a"), "12345678"}))), ErrorCode::kNone);
  const std::string too_long(257, 'x');
  EXPECT_EQ(code_of(parse_register(encode(Register{user("a"), too_long}))),
            ErrorCode::kBadPassword);
  EXPECT_EQ(code_of(parse_login(encode(Login{user("a"), device("d"), too_long}))),
            ErrorCode::kBadPassword);
}

TEST(Requests, StringsMustBeUtf8WithoutU0000) {
  EXPECT_EQ(code_of(parse_register(encode(Register{user("a"), "1234567\xFF"}))),
            ErrorCode::kBadBody);
  EXPECT_EQ(code_of(parse_auth(encode(Auth{std::string_view("a\0b", 3), ""}))),
            ErrorCode::kBadBody);
}

TEST(Requests, RequiredFieldsAreRequired) {
  for (const auto& error :
       {code_of(parse_register("")), code_of(parse_login("")), code_of(parse_auth("")),
        code_of(parse_refresh("")), code_of(parse_send("")), code_of(parse_read("")),
        code_of(parse_fetch("")), code_of(parse_history(""))}) {
    EXPECT_EQ(error, ErrorCode::kBadBody);
  }
}

TEST(Requests, EmptyBodyStandsForATableWithoutFields) {
  EXPECT_TRUE(parse_ping(""));
  EXPECT_TRUE(parse_goodbye(""));
  EXPECT_EQ(parse_sync("")->token, "");
  EXPECT_TRUE(parse_ping(encode(Ping())));
}

TEST(Requests, ReadComesBack) {
  const Bytes body = encode(Read{alice_and_bob(), Seq(7)});
  EXPECT_EQ(parse_read(body)->conversation, alice_and_bob());
  EXPECT_EQ(parse_read(body)->seq, Seq(7));
}

TEST(Requests, ReadOfZeroOrHugeSeqIsABadRange) {
  EXPECT_EQ(code_of(parse_read(encode(Read{alice_and_bob(), Seq(0)}))), ErrorCode::kBadRange);
  EXPECT_EQ(code_of(parse_read(encode(Read{alice_and_bob(), Seq(kMaxSeq + 1)}))),
            ErrorCode::kBadRange);
}

TEST(Requests, SyncComesBack) {
  const Bytes body = encode(Sync{.token = "opaque", .page = "next"});
  EXPECT_EQ(parse_sync(body)->token, "opaque");
  EXPECT_EQ(parse_sync(body)->page, "next");
}

TEST(Requests, FetchComesBack) {
  const Fetch sent{{{alice_and_bob(), Seq(1), Seq(9)}, {alice_and_bob(), Seq(20), Seq(20)}}, 7};
  const Bytes body = encode(sent);
  EXPECT_EQ(parse_fetch(body)->ranges, sent.ranges);
  EXPECT_EQ(parse_fetch(body)->live_missed, 7U);
}

TEST(Requests, FetchHasOneToAThousandRanges) {
  EXPECT_EQ(code_of(parse_fetch(encode_raw_ranges(0, 1, 1))), ErrorCode::kBadRange);
  EXPECT_EQ(code_of(parse_fetch(encode_raw_ranges(1000, 1, 1))), ErrorCode::kNone);
  EXPECT_EQ(code_of(parse_fetch(encode_raw_ranges(1001, 1, 1))), ErrorCode::kBadRange);
}

TEST(Requests, RangesThatAreReversedZeroOrHugeAreRefused) {
  EXPECT_EQ(code_of(parse_fetch(encode_raw_ranges(1, 9, 8))), ErrorCode::kBadRange);
  EXPECT_EQ(detail_of(parse_fetch(encode_raw_ranges(1, 9, 8))), "ranges has a reversed one");
  EXPECT_EQ(code_of(parse_fetch(encode_raw_ranges(1, 0, 8))), ErrorCode::kBadRange);
  EXPECT_EQ(code_of(parse_fetch(encode_raw_ranges(1, 1, kMaxRangeSeqs))), ErrorCode::kNone);
  EXPECT_EQ(code_of(parse_fetch(encode_raw_ranges(1, 1, kMaxRangeSeqs + 1))), ErrorCode::kBadRange);
  EXPECT_EQ(code_of(parse_fetch(encode_raw_ranges(1, UINT64_MAX, UINT64_MAX))),
            ErrorCode::kBadRange);
  EXPECT_EQ(code_of(parse_fetch(encode_raw_ranges(1, 1, UINT64_MAX))), ErrorCode::kBadRange);
}

TEST(Requests, BadConversationsAreBadIds) {
  for (const char* name : {"", "u:b:a", "u:a", "x:a", "g:", "g:a b", "u:a:b:c"}) {
    EXPECT_EQ(code_of(parse_fetch(encode_raw_ranges(1, 1, 1, name))), ErrorCode::kBadId) << name;
  }
}

TEST(Requests, HistoryComesBack) {
  const Bytes body = encode(History{alice_and_bob(), Seq(50), Direction::Forward, 10});
  const auto got = parse_history(body);
  EXPECT_EQ(got->conversation, alice_and_bob());
  EXPECT_EQ(got->from, Seq(50));
  EXPECT_EQ(got->direction, Direction::Forward);
  EXPECT_EQ(got->limit, 10U);
}

TEST(Requests, HistoryOfHugeSeqIsABadRange) {
  EXPECT_EQ(code_of(parse_history(encode(History{alice_and_bob(), Seq(kMaxSeq + 1)}))),
            ErrorCode::kBadRange);
}

TEST(Requests, TruncatedBodiesNeverVerify) {
  // The last few bytes may be padding.
  const Bytes good = encode(a_send());
  for (std::size_t size = 1; size + 8 <= good.size(); ++size) {
    EXPECT_FALSE(parse_send(BytesView(good).substr(0, size))) << size;
  }
}

TEST(Requests, RandomChangesGiveAResultOrAClearError) {
  const Bytes send = encode(a_send());
  const Bytes fetch = encode(Fetch{{{alice_and_bob(), Seq(1), Seq(9)}}});
  const Bytes history = encode(History{alice_and_bob(), Seq(50), Direction::Forward, 10});
  const Bytes login = encode(Login{user("alice"), device("phone"), "password"});
  for (std::uint64_t seed = 1; seed <= 5000; ++seed) {
    SeededRandom random(seed);
    const std::string details = detail_of(parse_send(samples::mutate(send, random))) +
                                detail_of(parse_fetch(samples::mutate(fetch, random))) +
                                detail_of(parse_history(samples::mutate(history, random))) +
                                detail_of(parse_login(samples::mutate(login, random)));
    EXPECT_TRUE(base::is_utf8(details)) << seed;
  }
}

}  // namespace
}  // namespace martlet::wire
