#include <gtest/gtest.h>

#include <string>

#include "lib/nats/native/protocol.h"

namespace martlet::nats::native {
namespace {

using Kind = Operation::Kind;

Operation one(BytesView bytes) {
  const auto operation = take_operation(bytes);
  EXPECT_TRUE(operation && operation->has_value());
  EXPECT_TRUE(bytes.empty());
  return operation && operation->has_value() ? **operation : Operation{};
}

TEST(NatsProtocolTest, AMessageWithAndWithoutReplyAndHeaders) {
  const Operation plain = one("MSG im.u.a 7 5\r\nhello\r\n");
  EXPECT_EQ(plain.kind, Kind::kMessage);
  EXPECT_EQ(plain.subscription, 7U);
  EXPECT_EQ(plain.message.subject, "im.u.a");
  EXPECT_EQ(plain.message.reply, "");
  EXPECT_EQ(plain.message.payload, "hello");

  const Operation asked = one("MSG im.rpc 18446744073709551615 _INBOX.x 0\r\n\r\n");
  EXPECT_EQ(asked.subscription, 18446744073709551615U);
  EXPECT_EQ(asked.message.reply, "_INBOX.x");
  EXPECT_EQ(asked.message.payload, "");

  const Operation headed = one("HMSG s 1 r 31 34\r\nNATS/1.0\r\nKey: 123456789012\r\n\r\nabc\r\n");
  EXPECT_EQ(headed.message.reply, "r");
  EXPECT_EQ(headed.message.headers, "NATS/1.0\r\nKey: 123456789012\r\n\r\n");
  EXPECT_EQ(headed.message.payload, "abc");
}

TEST(NatsProtocolTest, AStatusIsReadFromTheHeaders) {
  const Operation nobody = one("HMSG _INBOX.a.1 1 16 16\r\nNATS/1.0 503\r\n\r\n\r\n");
  EXPECT_EQ(Message(nobody.message).status(), kNoResponders);
  const Operation end = one("HMSG a 1 28 28\r\nNATS/1.0 404 No Messages\r\n\r\n\r\n");
  EXPECT_EQ(Message(end.message).status(), 404);
  EXPECT_EQ(Message(end.message).status_text(), "No Messages");
  const Operation plain = one("MSG a 1 0\r\n\r\n");
  EXPECT_EQ(Message(plain.message).status(), 0);
}

TEST(NatsProtocolTest, ACopyOutlivesTheBytes) {
  Message copy;
  {
    const std::string bytes = "HMSG sub 1 rep 12 15\r\nNATS/1.0\r\n\r\nabc\r\n";
    copy = Message::copy_of(one(bytes).message);
  }
  const Message moved = std::move(copy);
  EXPECT_EQ(moved.subject(), "sub");
  EXPECT_EQ(moved.reply(), "rep");
  EXPECT_EQ(moved.payload(), "abc");
}

TEST(NatsProtocolTest, HoweverItIsCutTheSameComesOut) {
  const std::string stream =
      "INFO {\"max_payload\":10}\r\nPING\r\n+OK\r\nMSG a 1 4\r\n\r\n\r\n\r\nPONG\r\n-ERR 'no'\r\n";
  for (std::size_t step = 1; step <= stream.size(); ++step) {
    std::string received;
    std::vector<Kind> kinds;
    for (std::size_t at = 0; at < stream.size(); at += step) {
      received += stream.substr(at, step);
      BytesView rest = received;
      while (!rest.empty()) {
        const auto operation = take_operation(rest);
        ASSERT_TRUE(operation);
        if (!operation->has_value()) break;
        kinds.push_back((*operation)->kind);
        const bool is_error = kinds.back() == Kind::kError;
        EXPECT_EQ((*operation)->text, is_error ? "no" : (*operation)->text);
        const bool is_message = kinds.back() == Kind::kMessage;
        EXPECT_EQ((*operation)->message.payload, is_message ? "\r\n\r\n" : "");
      }
      received.erase(0, received.size() - rest.size());
    }
    EXPECT_EQ(kinds, (std::vector{Kind::kInfo, Kind::kPing, Kind::kOk, Kind::kMessage, Kind::kPong,
                                  Kind::kError}));
  }
}

TEST(NatsProtocolTest, WhatIsNotNatsIsAnError) {
  for (const std::string bytes : {"HTTP/1.1 200 OK\r\n", "MSG a 1\r\n", "MSG a x 1\r\n",
                                  "MSG a 1 r 1 2\r\n", "MSG a 1 -1\r\n", "MSG a 1 1\r\nxyz",
                                  "HMSG a 1 5 4\r\n", "HMSG a 1 4\r\n", "MSG a 1 67108865\r\n"}) {
    BytesView rest = bytes;
    EXPECT_FALSE(take_operation(rest)) << bytes;
  }
}

TEST(NatsProtocolTest, ALineHasALimit) {
  const std::string full = "INFO " + std::string(kMaxLineBytes - 6, 'x');
  BytesView shorter = full;
  EXPECT_TRUE(take_operation(shorter));
  const std::string longer = full + "x";
  BytesView rest = longer;
  EXPECT_FALSE(take_operation(rest));
}

TEST(NatsProtocolTest, WhatIsSaid) {
  Bytes out;
  append_subscribe(out, 3, "im.u.a", {});
  append_subscribe(out, 4, "im.rpc.x", "workers");
  append_unsubscribe(out, 3);
  EXPECT_EQ(out, "SUB im.u.a 3\r\nSUB im.rpc.x workers 4\r\nUNSUB 3\r\n");
  out.clear();
  append_publish(out, {"a", {}, {}, "hi"});
  append_publish(out, {"a", "r", {}, ""});
  EXPECT_EQ(out, "PUB a 2\r\nhi\r\nPUB a r 0\r\n\r\n");
  out.clear();
  const Header header{"Key", "value"};
  append_publish(out, {"a", "r", {&header, 1}, "hi"});
  EXPECT_EQ(out, "HPUB a r 24 26\r\nNATS/1.0\r\nKey: value\r\n\r\nhi\r\n");
}

TEST(NatsProtocolTest, ConnectNamesWhoAsksAndEscapesIt) {
  Bytes out;
  append_connect(out, {"im", "pa\"ss", {}}, "edge \"1\"");
  EXPECT_TRUE(out.starts_with("CONNECT {") && out.ends_with("}\r\n"));
  for (const char* part :
       {"\"user\":\"im\"", "\"pass\":\"pa\\\"ss\"", "\"name\":\"edge \\\"1\\\"\"",
        "\"no_responders\":true", "\"headers\":true", "\"verbose\":false"})
    EXPECT_NE(out.find(part), Bytes::npos) << part;
  EXPECT_EQ(out.find("auth_token"), Bytes::npos);
}

TEST(NatsProtocolTest, InfoTellsLimitsAndOtherServers) {
  const auto info = parse_info(
      R"({"max_payload":1048576,"headers":true,"connect_urls":["10.0.0.1:4222",7],"x":[]})");
  ASSERT_TRUE(info);
  EXPECT_EQ(info->max_payload, 1048576);
  EXPECT_TRUE(info->headers);
  EXPECT_FALSE(info->needs_tls);
  EXPECT_EQ(info->connect_urls, (std::vector<std::string>{"10.0.0.1:4222"}));
  for (const char* bad : {"", "{", "[]", "{}", R"({"max_payload":"1"})"})
    EXPECT_FALSE(parse_info(bad)) << bad;
}

}  // namespace
}  // namespace martlet::nats::native
