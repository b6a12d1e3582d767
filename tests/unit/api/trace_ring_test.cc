#include "api/trace_ring.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "api/trace_page.h"
#include "api/traces.h"

namespace martlet::api {
namespace {

using wire::HopKind;

ClientMsgId msg_id(std::uint32_t n) {
  ClientMsgId id;
  id.bytes[0] = 1;
  id.bytes[12] = static_cast<std::uint8_t>(n >> 24);
  id.bytes[13] = static_cast<std::uint8_t>(n >> 16);
  id.bytes[14] = static_cast<std::uint8_t>(n >> 8);
  id.bytes[15] = static_cast<std::uint8_t>(n);
  return id;
}

wire::Hop hop(std::uint32_t message, HopKind kind, WallUs time_us, bool flagged = false) {
  return {.kind = kind,
          .sender = UserId::trusted("ann"),
          .client_msg_id = msg_id(message),
          .time_us = time_us,
          .flagged = flagged};
}

wire::HopReport report(std::vector<wire::Hop> hops, const std::string& instance = "e1") {
  return {"edge", "edge-1", instance, 0, std::move(hops)};
}

wire::TraceQuestion asked(std::uint32_t message) {
  wire::TraceQuestion question;
  question.client_msg_id = msg_id(message);
  return question;
}

TEST(TraceRing, HopsOfDifferentProcessesMeet) {
  TraceRing ring;
  ring.add(report({hop(1, HopKind::kEdgeIn, 10)}));
  wire::Hop appended = hop(1, HopKind::kAppended, 20);
  appended.conversation = ConversationId::trusted("u:ann:ben");
  appended.seq = Seq(7);
  appended.message_id = MessageId(99);
  ring.add(report({appended}, "d1"));
  const auto found = ring.find(asked(1));
  ASSERT_EQ(found.size(), 1u);
  ASSERT_EQ(found[0]->steps.size(), 2u);
  EXPECT_EQ(found[0]->steps[0].process->instance, "e1");
  EXPECT_EQ(found[0]->steps[1].process->instance, "d1");

  wire::TraceQuestion by_seq;
  by_seq.conversation = ConversationId::trusted("u:ann:ben");
  by_seq.seq = Seq(7);
  EXPECT_EQ(ring.find(by_seq), found);
  wire::TraceQuestion by_id;
  by_id.message_id = MessageId(99);
  EXPECT_EQ(ring.find(by_id), found);
  EXPECT_TRUE(ring.find(asked(2)).empty());
}

TEST(TraceRing, TheOldestGoesAndChanceDoesNotPushOutWhatWasAskedFor) {
  TraceRing ring({.sampled = 3, .flagged = 1, .hops = 100, .hops_each = 10});
  ring.add(report({hop(1, HopKind::kEdgeIn, 1, true)}));
  for (std::uint32_t i = 2; i <= 6; ++i) ring.add(report({hop(i, HopKind::kEdgeIn, i)}));
  EXPECT_EQ(ring.size(), 4u);
  EXPECT_EQ(ring.find(asked(1)).size(), 1u);
  EXPECT_TRUE(ring.find(asked(3)).empty());
  EXPECT_EQ(ring.find(asked(4)).size(), 1u);
  ring.add(report({hop(7, HopKind::kEdgeIn, 7, true)}));
  EXPECT_TRUE(ring.find(asked(1)).empty());
}

TEST(TraceRing, AllHopsTogetherAreBounded) {
  TraceRing ring({.sampled = 100, .flagged = 100, .hops = 10, .hops_each = 4});
  for (std::uint32_t i = 1; i <= 50; ++i) {
    for (WallUs t = 0; t < 6; ++t) {
      ring.add(report({hop(i, HopKind::kEdgeIn, t, i % 2 == 0)}));
      EXPECT_LE(ring.hops(), 10u);
    }
  }
  EXPECT_EQ(ring.find(asked(50)).at(0)->steps.size(), 4u);
  EXPECT_EQ(ring.find(asked(50)).at(0)->left_out, 2u);
  EXPECT_LE(ring.size(), 3u);
}

TEST(TraceRing, AnIdInAnotherConversationIsAnotherMessage) {
  TraceRing ring;
  wire::Hop appended = hop(1, HopKind::kAppended, 20);
  appended.conversation = ConversationId::trusted("u:ann:ben");
  ring.add(report({appended}));
  wire::TraceRow row;
  row.sender = UserId::trusted("ann");
  row.client_msg_id = msg_id(1);
  row.conversation = ConversationId::trusted("u:ann:ben");
  EXPECT_NE(ring.find(row), nullptr);
  row.conversation = ConversationId::trusted("u:ann:carol");
  EXPECT_EQ(ring.find(row), nullptr);
}

TEST(TraceRing, StepsAreInTheOrderOfTimeAndWhatCannotBeIsSaid) {
  TraceRing ring;
  ring.add(
      report({hop(1, HopKind::kDispatcherIn, 1'000), hop(1, HopKind::kAppendSent, 1'100)}, "d1"));
  ring.add(report({hop(1, HopKind::kEdgeIn, 1'250), hop(1, HopKind::kEdgePublished, 1'300)}));
  const auto steps = in_order(ring.find(asked(1)).at(0)->steps);
  ASSERT_EQ(steps.size(), 4u);
  EXPECT_EQ(steps[0].step->kind, HopKind::kDispatcherIn);
  EXPECT_EQ(steps[0].impossible_us, 300u);
  EXPECT_EQ(steps[1].impossible_us, 0u);  // the dispatcher's own order is right
  EXPECT_EQ(steps[2].step->kind, HopKind::kEdgeIn);
  EXPECT_EQ(steps[3].impossible_us, 0u);
}

TEST(TraceRing, ARepeatIsNotImpossible) {
  TraceRing ring;
  ring.add(report({hop(1, HopKind::kEdgeIn, 1), hop(1, HopKind::kEdgePublished, 2),
                   hop(1, HopKind::kDispatcherIn, 3), hop(1, HopKind::kEdgePublished, 1'002),
                   hop(1, HopKind::kDispatcherIn, 1'003)}));
  for (const TimedStep& one : in_order(ring.find(asked(1)).at(0)->steps)) {
    EXPECT_EQ(one.impossible_us, 0u);
  }
}

TEST(TracePage, SaysWhichOfTheTwoItShows) {
  TraceRing ring;
  ring.add(report({hop(1, HopKind::kEdgeIn, 1'000'000, true)}));
  wire::TraceAnswer durable;
  for (std::uint32_t i = 1; i <= 2; ++i) {
    wire::TraceRow row;
    row.conversation = ConversationId::trusted("u:ann:ben");
    row.seq = Seq(i);
    row.sender = UserId::trusted("ann");
    row.client_msg_id = msg_id(i);
    row.kind = proto::ContentKind::Text;
    row.position = LogPosition(5);
    row.first = LogPosition(i == 1 ? 5 : 0);
    row.members = {{UserId::trusted("ben"), true, true, Seq(1)}};
    durable.rows.push_back(row);
  }
  const auto page =
      nlohmann::json::parse(trace_page(durable, join(durable, ring.find(asked(1)), ring)));
  EXPECT_EQ(page["behind"], false);
  ASSERT_EQ(page["messages"].size(), 2u);
  const auto& followed = page["messages"][0];
  EXPECT_EQ(followed["shows"], "hops");
  EXPECT_EQ(followed["hops"][0]["hop"], "edge in");
  EXPECT_EQ(followed["hops"][0]["process"], "edge-1");
  EXPECT_EQ(followed["hops"][0]["time_us"], 1'000'000);
  EXPECT_EQ(followed["durable"]["in_log"], true);
  EXPECT_EQ(followed["durable"]["members"][0]["read"], true);
  const auto& plain = page["messages"][1];
  EXPECT_EQ(plain["shows"], "durable");
  EXPECT_FALSE(plain.contains("hops"));
  EXPECT_TRUE(plain["durable"]["in_log"].is_null());
  EXPECT_EQ(plain["durable"]["members"][0]["read"], false);
}

TEST(TracePage, WhatIsNotStoredHasItsHopsOnly) {
  TraceRing ring;
  ring.add(report({hop(1, HopKind::kEdgeIn, 1)}));
  wire::TraceAnswer durable;
  durable.behind = true;
  durable.error = {ErrorCode::kUnavailable, "the database does not answer"};
  const auto page =
      nlohmann::json::parse(trace_page(durable, join(durable, ring.find(asked(1)), ring)));
  EXPECT_EQ(page["behind"], true);
  EXPECT_EQ(page["error"], "UNAVAILABLE");
  EXPECT_TRUE(page["messages"][0]["durable"].is_null());
  EXPECT_EQ(page["messages"][0]["hops"].size(), 1u);
}

using Query = std::map<std::string, std::string>;

Result<wire::TraceQuestion> question_of(const Query& query) {
  service::HttpRequest request;
  request.query = query;
  return trace_question(request);
}

TEST(TraceQuestion, ThreeWaysToNameAMessage) {
  const auto by_id = question_of({{"message", "99"}});
  ASSERT_TRUE(by_id);
  EXPECT_EQ(by_id->message_id, MessageId(99));
  const auto by_seq = question_of({{"conversation", "g:team"}, {"seq", "7"}});
  ASSERT_TRUE(by_seq);
  EXPECT_EQ(by_seq->seq, Seq(7));
  const auto dashed = question_of({{"client_msg_id", "01000000-0000-0000-0000-000000000002"}});
  ASSERT_TRUE(dashed);
  EXPECT_EQ(dashed->client_msg_id, msg_id(2));
}

TEST(TraceQuestion, AnythingElseIsRefused) {
  const Query bad[] = {
      {},
      {{"message", "0"}},
      {{"message", "7x"}},
      {{"message", "9223372036854775808"}},
      {{"message", "1"}, {"client_msg_id", "01000000000000000000000000000002"}},
      {{"conversation", "g:team"}},
      {{"seq", "7"}},
      {{"conversation", "team"}, {"seq", "7"}},
      {{"conversation", "g:team"}, {"seq", "0"}},
      {{"conversation", "g:team"}, {"seq", "9007199254740992"}},
      {{"client_msg_id", "00000000000000000000000000000000"}},
      {{"client_msg_id", "0100"}},
  };
  for (const Query& query : bad) EXPECT_FALSE(question_of(query));
}

}  // namespace
}  // namespace martlet::api
