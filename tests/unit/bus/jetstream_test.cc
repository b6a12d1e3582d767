#include "bus/jetstream.h"

#include <gtest/gtest.h>

namespace martlet::bus::jetstream {
namespace {

TEST(JetStreamDelivery, ReadsTheShortReplySubject) {
  const auto d = parse_delivery("$JS.ACK.IM_LOG_3.aBc.1.42.7.1690000000000000000.5");
  ASSERT_TRUE(d);
  EXPECT_EQ(d->stream_sequence, 42U);
  EXPECT_EQ(d->pending, 5U);
}

TEST(JetStreamDelivery, ReadsTheLongReplySubject) {
  for (const char* tail : {"", ".r4nd"}) {
    const auto d = parse_delivery(
        std::string("$JS.ACK.hub.ACC.IM_LOG_3.aBc.1.42.7.1690000000000000000.5") + tail);
    ASSERT_TRUE(d) << tail;
    EXPECT_EQ(d->stream_sequence, 42U);
    EXPECT_EQ(d->pending, 5U);
  }
}

TEST(JetStreamDelivery, RefusesOtherSubjects) {
  for (const char* text :
       {"", "$JS.ACK", "$JS.ACK.s.c.1.x.7.1.5", "$JS.ACK.s.c.1.2.7.1.", "$JS.NAK.s.c.1.42.7.1.5",
        "$JS.ACK.s.c.1.-2.7.1.5", "$JS.ACK.d.s.c.1.42.7.1.5"}) {
    EXPECT_FALSE(parse_delivery(text)) << text;
  }
}

TEST(JetStreamAnswers, AnAckTellsTheSequence) {
  EXPECT_EQ(parse_ack(R"({"stream":"IM_LOG_0","seq":12})").value(), 12U);
}

TEST(JetStreamAnswers, ARefusedAppendTellsWhy) {
  const auto ack = parse_ack(
      R"({"error":{"code":400,"err_code":10071,"description":"wrong last sequence: 4"},"stream":"IM_LOG_0","seq":0})");
  ASSERT_FALSE(ack);
  EXPECT_EQ(ack.error().err_code, kWrongLastSequence);
  EXPECT_EQ(to_error(ack.error()).code, ErrorCode::kConflict);
}

TEST(JetStreamAnswers, WhatCannotBeReadIsNoAck) {
  for (const char* text : {"", "x", "[]", "{}", R"({"seq":0})", R"({"seq":"1"})", R"({"error":1})",
                           R"({"error":{"code":"x"}})", R"({"seq":-1})"}) {
    EXPECT_FALSE(parse_ack(text)) << text;
  }
}

TEST(JetStreamAnswers, AnEmptyStreamStartsBehindItsLastEntry) {
  const auto fresh = parse_stream(
      R"({"config":{"name":"A"},"state":{"messages":0,"bytes":0,"first_seq":0,"last_seq":0}})");
  EXPECT_EQ(fresh.value().first, 1U);
  const auto emptied = parse_stream(
      R"({"config":{"name":"A"},"state":{"messages":0,"bytes":0,"first_seq":8,"last_seq":7}})");
  EXPECT_EQ(emptied.value().first, 8U);
  EXPECT_EQ(emptied.value().last, 7U);
}

TEST(JetStreamAnswers, TellsALimitThatDiffersFromOtherSettings) {
  StreamConfig config{.name = "A", .subject = "a", .max_bytes = 100, .max_message_bytes = 10};
  const auto info = [](const std::string& settings) { return R"({"config":)" + settings + "}"; };
  const std::string same = info(stream_config(config));
  EXPECT_EQ(compare_stream(same, config).value(), Difference::kNone);
  config.max_bytes = 200;
  EXPECT_EQ(compare_stream(same, config).value(), Difference::kMaxBytes);
  config.replicas = 3;
  EXPECT_EQ(compare_stream(same, config).value(), Difference::kOther);
  EXPECT_EQ(compare_stream(info("{}"), config).value(), Difference::kOther);
  EXPECT_FALSE(compare_stream("{}", config));
}

TEST(JetStreamAnswers, SaysInWordsWhatDiffers) {
  StreamConfig config{.name = "A", .subject = "a", .max_bytes = 100, .max_message_bytes = 10};
  std::string told = R"({"config":)" + stream_config(config) + "}";
  EXPECT_TRUE(stream_differences(told, config).value().empty());
  told.replace(told.find(R"("new")"), 5, R"("old")");
  config.max_bytes = 200;
  EXPECT_EQ(
      stream_differences(told, config).value(),
      (std::vector<std::string>{R"(discard is "old", not "new")", "max_bytes is 100, not 200"}));
  EXPECT_FALSE(stream_differences("{}", config));
}

TEST(JetStreamAnswers, StreamsWithoutStateAreUnreadable) {
  for (const char* text : {"{}", R"({"config":1,"state":2})", R"({"config":{"name":"A"}})"}) {
    EXPECT_FALSE(parse_stream(text)) << text;
  }
  EXPECT_FALSE(parse_stream_page(R"({"streams":[1]})"));
  EXPECT_TRUE(parse_stream_page(R"({"total":0,"streams":null})").value().streams.empty());
}

TEST(JetStreamAnswers, APageNamesTheStreamsThatNobodyAnswersFor) {
  const auto page = parse_stream_page(R"({"total":2,"streams":[],"missing":["IM_LOG_3",7]})");
  EXPECT_EQ(page.value().missing, std::vector<std::string>{"IM_LOG_3"});
}

TEST(JetStreamAnswers, AStoredMessageIsDecoded) {
  const auto message =
      parse_message(R"({"message":{"subject":"$KV.b.k","seq":9,"data":"AP8=","time":"x"}})");
  EXPECT_EQ(message.value().payload, std::string("\0\xff", 2));
  EXPECT_EQ(message.value().sequence, 9U);
  EXPECT_FALSE(parse_message(R"({"message":{"seq":9,"data":"?"}})"));
}

}  // namespace
}  // namespace martlet::bus::jetstream
