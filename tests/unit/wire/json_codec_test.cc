#include "wire/json_codec.h"

#include <gtest/gtest.h>

#include <string>

#include "full_texts.h"
#include "samples.h"
#include "wire/bodies.h"
#include "wire/content.h"
#include "wire/fields.h"
#include "wire/limits.h"

namespace martlet::wire {
namespace {

using samples::code_of;
using samples::detail_of;
using samples::full_text;
using samples::kChange;
using samples::kMembersMessage;
using samples::kSend;

Result<Bytes> to_body(Command command, std::string_view json) {
  return json_to_body(command, json, kMaxBodyBytes);
}

// What comes back from JSON that went through a body.
std::string round_trip(Command command, std::string_view json) {
  const auto body = to_body(command, json);
  if (!body) return "refused: " + body.error().detail;
  const auto text = body_to_json(command, *body);
  return text ? *text : "not written: " + text.error().detail;
}

std::string complaint(Command command, std::string_view json) {
  const auto body = to_body(command, json);
  EXPECT_FALSE(body);
  if (body) return "accepted";
  EXPECT_EQ(body.error().code, ErrorCode::kBadBody);
  return body.error().detail;
}

TEST(JsonCodec, ChangeOfMembersIsAnObject) {
  EXPECT_EQ(round_trip(Command::MessageEvent, kMembersMessage), kMembersMessage);
}

TEST(JsonCodec, ListsOfTexts) {
  const auto users = [](std::string_view text) {
    return std::string(kChange) + R"(,"users":)" + std::string(text) + "}";
  };
  EXPECT_EQ(round_trip(Command::GroupInvite, users("[]")), users("[]"));
  EXPECT_EQ(complaint(Command::GroupInvite, users("\"bob\"")), "users is not a list");
  EXPECT_EQ(complaint(Command::GroupInvite, users("{}")), "users is not a list");
  EXPECT_EQ(complaint(Command::GroupInvite, users(R"(["bob",1])")), "users[1] is not a string");
  EXPECT_EQ(complaint(Command::GroupInvite, users("null")), "users is missing");
}

TEST(JsonCodec, EveryCommandComesBackByteForByte) {
  for (const CommandInfo& info : all_commands()) {
    const std::string text = full_text(info.command);
    EXPECT_EQ(round_trip(info.command, text), text) << info.name;
  }
}

TEST(JsonCodec, BodyIsWhatTheFlatBuffersReaderExpects) {
  const auto body = to_body(Command::Send, kSend);
  ASSERT_TRUE(body) << detail_of(body);
  const auto send = parse_send(*body);
  ASSERT_TRUE(send) << detail_of(send);
  EXPECT_EQ(send->to_user.str(), "bob");
  EXPECT_EQ(to_string(send->client_msg_id), "0190d0c0ffee70008000000000000001");
  EXPECT_EQ(parse_content(send->content)->text, "hi");
  EXPECT_EQ(send->age, Duration(0));
  EXPECT_EQ(send->want, AckLevel::Stored);
  EXPECT_EQ(to_string(*send->follows), "0190d0c0ffee70008000000000000000");
}

TEST(JsonCodec, TextOfABodyFromTheFlatBuffersBuilder) {
  const Bytes content = encode_text("hi");
  const Bytes body = encode(Message{.conversation = "u:alice:bob",
                                    .seq = Seq(1),
                                    .message_id = MessageId(2),
                                    .sender = "alice",
                                    .client_msg_id = samples::msg_id(1),
                                    .time_ms = 3,
                                    .content = content});
  EXPECT_EQ(body_to_json(Command::MessageEvent, body).value(),
            R"({"conversation":"u:alice:bob","seq":"1","message_id":"2","sender":"alice",)"
            R"("client_msg_id":"0102030405060708090a0b0c0d0e0f10","time_ms":"3",)"
            R"("content":{"kind":"Text","text":"hi"},"generation":0,"members_at":"0",)"
            R"("removed":false})");
}

TEST(JsonCodec, AbsentFieldsHaveTheirDefaults) {
  const auto body = to_body(
      Command::Send,
      R"({"to_user":"bob","client_msg_id":"0190d0c0ffee70008000000000000001","content":{}})");
  ASSERT_TRUE(body) << detail_of(body);
  EXPECT_FALSE(parse_checked_send(*body)->age.has_value());
}

TEST(JsonCodec, NullIsAbsent) {
  EXPECT_EQ(round_trip(Command::Auth, R"({"access_token":"t","client":null})"),
            R"({"access_token":"t"})");
}

TEST(JsonCodec, NoBytesAreAnObjectWithoutFields) {
  EXPECT_EQ(round_trip(Command::Ping, ""), "{}");
  EXPECT_EQ(body_to_json(Command::Ping, "").value(), "{}");
}

TEST(JsonCodec, BigNumbersMayBeNumbersWhenExact) {
  EXPECT_EQ(round_trip(Command::Pong, R"({"time_ms":18446744073709551615})"),
            R"({"time_ms":"18446744073709551615"})");
  EXPECT_EQ(complaint(Command::Pong, R"({"time_ms":18446744073709551616})"),
            "time_ms is not a number of its range");
  EXPECT_EQ(complaint(Command::Pong, R"({"time_ms":1.5})"), "time_ms is not a number of its range");
  EXPECT_EQ(complaint(Command::Pong, R"({"time_ms":-1})"), "time_ms is not a number of its range");
  for (const char* text : {"", "-1", "+1", " 1", "1 ", "0x1", "1e3", "18446744073709551616"}) {
    EXPECT_EQ(complaint(Command::Pong, R"({"time_ms":")" + std::string(text) + "\"}"),
              "time_ms is not a number of its range");
  }
}

TEST(JsonCodec, SmallNumbersMustFitAndAreNoStrings) {
  EXPECT_EQ(complaint(Command::ResyncEvent, R"({"within_ms":4294967296})"),
            "within_ms is not a number of its range");
  EXPECT_EQ(complaint(Command::ResyncEvent, R"({"within_ms":"1"})"),
            "within_ms is not a number of its range");
}

TEST(JsonCodec, EnumsMayBeNumbers) {
  EXPECT_EQ(round_trip(Command::KickedEvent, R"({"reason":4})"),
            R"({"reason":"SlowConsumer","may_reconnect":false})");
}

TEST(JsonCodec, UnknownValueOfAnEnumStaysANumber) {
  EXPECT_EQ(round_trip(Command::KickedEvent, R"({"reason":200})"),
            R"({"reason":200,"may_reconnect":false})");
}

TEST(JsonCodec, UnknownNameOfAnEnumIsRefused) {
  EXPECT_EQ(complaint(Command::KickedEvent, R"({"reason":"Bored"})"),
            "reason is no name of its enum");
}

TEST(JsonCodec, ErrorsNameTheField) {
  EXPECT_EQ(complaint(Command::Ping, R"({"x":1})"), "x is unknown");
  EXPECT_EQ(complaint(Command::Ping, R"({"a b":1})"), "a field is unknown");
  EXPECT_EQ(complaint(Command::Ping, "[]"), "the body is not an object");
  EXPECT_EQ(complaint(Command::Login, R"({"user":"alice","device":"d"})"), "password is missing");
  EXPECT_EQ(complaint(Command::Login, R"({"user":1,"device":"d","password":"p"})"),
            "user is not a string");
  EXPECT_EQ(complaint(Command::Fetch, R"({"ranges":{}})"), "ranges is not a list");
  EXPECT_EQ(complaint(Command::Fetch, R"({"ranges":[{"conversation":"g:x"},{"from":1}]})"),
            "ranges[1].conversation is missing");
  EXPECT_EQ(complaint(Command::Fetch, R"({"ranges":[1]})"), "ranges[0] is not an object");
  EXPECT_EQ(complaint(Command::Sync, R"({"token":"*"})"), "token is not base64");
  EXPECT_EQ(complaint(Command::KickedEvent, R"({"may_reconnect":1})"),
            "may_reconnect is neither true nor false");
  const std::string send = R"({"to_user":"bob","client_msg_id":"00","content":{"kind":1}})";
  EXPECT_EQ(complaint(Command::Send, send), "client_msg_id has the wrong length");
}

TEST(JsonCodec, FieldsOfNestedObjectsAreChecked) {
  EXPECT_EQ(complaint(Command::Send,
                      R"({"to_user":"bob","client_msg_id":"0190d0c0ffee70008000000000000001",)"
                      R"("content":{"kind":"File","file":{"size":"1"}}})"),
            "content.file.url is missing");
}

TEST(JsonCodec, TextKeepsEveryCharacter) {
  std::string text;
  for (char c = 1; c < 0x7F; ++c) text += c;
  text += "\xC3\xA9\xE4\xBD\xA0\xF0\x9F\x98\x80";
  const Bytes body = encode(Refresh{text});
  const auto json = body_to_json(Command::Refresh, body);
  ASSERT_TRUE(json) << detail_of(json);
  EXPECT_EQ(to_body(Command::Refresh, *json).value(), body);
}

TEST(JsonCodec, TextThatIsNoUtf8IsNeitherReadNorWritten) {
  EXPECT_EQ(complaint(Command::Refresh, "{\"refresh_token\":\"\xC3(\"}"),
            "the body is not well-formed JSON");
  EXPECT_EQ(code_of(body_to_json(Command::Refresh, encode(Refresh{"\xC3("}))), ErrorCode::kBadBody);
}

TEST(JsonCodec, NestingHasALimit) {
  for (const std::size_t depth : {33UL, 1000UL, 30000UL}) {
    const std::string lists(depth, '[');
    EXPECT_EQ(complaint(Command::Ping, lists), "the JSON is nested too deeply");
    std::string objects;
    for (std::size_t i = 0; i < depth; ++i) objects += "{\"a\":";
    EXPECT_EQ(complaint(Command::Ping, objects), "the JSON is nested too deeply");
  }
}

TEST(JsonCodec, BracketsInStringsAreNoNesting) {
  const std::string text = R"({"refresh_token":")" + std::string(100, '[') + R"(\"{{{\\"})";
  EXPECT_EQ(round_trip(Command::Refresh, text), text);
}

TEST(JsonCodec, MalformedJsonIsRefused) {
  for (const char* text :
       {"{", "}", "{]", "nul", "{\"user\":}", "{}{}", "{} x", "\"", "'", "{,}"}) {
    EXPECT_EQ(complaint(Command::Registered, text), "the body is not well-formed JSON") << text;
  }
}

TEST(JsonCodec, ResultHasALimit) {
  const std::string text = R"({"refresh_token":")" + std::string(2000, 'x') + "\"}";
  EXPECT_EQ(code_of(json_to_body(Command::Refresh, text, 2100)), ErrorCode::kNone);
  EXPECT_EQ(code_of(json_to_body(Command::Refresh, text, 2000)), ErrorCode::kBodyTooLarge);
}

// One string in the bytes may be four in JSON, and of control characters.
Bytes file_whose_texts_are_one(std::size_t size) {
  Builder builder(8192);
  const auto text = builder.CreateString(std::string(size, '\1'));
  const bool is_label = size <= kMaxLabelBytes;
  const auto label = is_label ? text : flatbuffers::Offset<flatbuffers::String>();
  const auto file = proto::CreateFileRef(builder, text, 0, 0, label, label);
  return finish(builder, proto::CreateContent(builder, ContentKind::File, text, 0, 0, file));
}

TEST(JsonCodec, AFullPageFitsWhateverItsTextsShare) {
  for (const std::size_t size : {1U, 100U, 256U, 1000U, 4096U}) {
    const Bytes content = file_whose_texts_are_one(size);
    ASSERT_TRUE(parse_content(content));
    const Message message{.conversation = "u:alice:bob",
                          .seq = Seq(1),
                          .message_id = MessageId(1),
                          .sender = "alice",
                          .client_msg_id = samples::msg_id(1),
                          .content = content};
    FetchPage page;
    page.messages.resize((kMaxAnswerBytes - kMaxEnvelopeBytes) / size_in_page(message), message);
    const auto json = body_to_json(Command::FetchPage, encode(page));
    EXPECT_TRUE(json) << size << ": " << json.error().detail;
  }
}

TEST(JsonCodec, BodyThatDoesNotVerifyIsNotWritten) {
  EXPECT_EQ(code_of(body_to_json(Command::Ack, "garbage garbage")), ErrorCode::kBadBody);
}

TEST(JsonCodec, RandomChangesGiveABodyOrAClearError) {
  for (std::uint64_t seed = 1; seed <= 3000; ++seed) {
    SeededRandom random(seed);
    const auto body = to_body(Command::Send, samples::mutate(Bytes(kSend), random));
    if (body) continue;
    EXPECT_EQ(body.error().code, ErrorCode::kBadBody) << seed;
    EXPECT_FALSE(body.error().detail.empty()) << seed;
  }
}

}  // namespace
}  // namespace martlet::wire
