#include "wire/trace.h"

#include <gtest/gtest.h>

#include "base/random.h"
#include "samples.h"
#include "wire/limits.h"

namespace martlet::wire {
namespace {

using samples::detail_of;
using samples::msg_id;

Hop a_hop() {
  return {.kind = HopKind::kAppended,
          .sender = UserId::trusted("ann"),
          .client_msg_id = msg_id(1),
          .time_us = 1'700'000'000'000'123,
          .conversation = ConversationId::trusted("u:ann:ben"),
          .seq = Seq(7),
          .message_id = MessageId(99),
          .shard = ShardId(3),
          .number = 812,
          .error = ErrorCode::kBusy,
          .flagged = true,
          .user = UserId::trusted("ben")};
}

HopReport a_report(std::size_t hops) {
  return {"edge", "edge-1", "0123abcd", 5, std::vector<Hop>(hops, a_hop())};
}

TEST(Trace, AReportComesBack) {
  const auto got = parse_hop_report(encode(a_report(2)));
  ASSERT_TRUE(got) << detail_of(got);
  EXPECT_EQ(got->service, "edge");
  EXPECT_EQ(got->name, "edge-1");
  EXPECT_EQ(got->instance, "0123abcd");
  EXPECT_EQ(got->dropped, 5u);
  ASSERT_EQ(got->hops.size(), 2u);
  const Hop& hop = got->hops[1];
  EXPECT_EQ(hop.kind, HopKind::kAppended);
  EXPECT_EQ(hop.sender.str(), "ann");
  EXPECT_EQ(hop.client_msg_id, msg_id(1));
  EXPECT_EQ(hop.time_us, 1'700'000'000'000'123u);
  EXPECT_EQ(hop.conversation.str(), "u:ann:ben");
  EXPECT_EQ(hop.seq, Seq(7));
  EXPECT_EQ(hop.message_id, MessageId(99));
  EXPECT_EQ(hop.shard, ShardId(3));
  EXPECT_EQ(hop.number, 812u);
  EXPECT_EQ(hop.error, ErrorCode::kBusy);
  EXPECT_TRUE(hop.flagged);
  EXPECT_EQ(hop.user.str(), "ben");
}

TEST(Trace, WhatAHopDoesNotKnowStaysEmpty) {
  HopReport report = a_report(1);
  report.hops[0] = {.sender = UserId::trusted("ann"), .client_msg_id = msg_id(1)};
  const auto got = parse_hop_report(encode(report));
  ASSERT_TRUE(got) << detail_of(got);
  EXPECT_TRUE(got->hops[0].conversation.empty());
  EXPECT_TRUE(got->hops[0].user.empty());
  EXPECT_FALSE(got->hops[0].flagged);
}

TEST(Trace, AFullReportIsWithinTheLimitOfMessages) {
  HopReport report = a_report(kMaxHopsPerReport);
  std::size_t n = 0;
  for (Hop& hop : report.hops) {
    std::string name = std::to_string(n++);
    name.append(kMaxIdBytes - name.size(), 'x');
    hop.sender = UserId::trusted(name);
    hop.user = hop.sender;
    hop.conversation = ConversationId::between(hop.sender, UserId::trusted("y" + name.substr(1)));
  }
  const Bytes bytes = encode(report);
  EXPECT_LE(bytes.size(), kMaxHopsPerReport * kHopBytes + kMaxEnvelopeBytes);
  EXPECT_TRUE(parse_hop_report(bytes));
}

TEST(Trace, SamplingTakesItsShareAndAlwaysTheSame) {
  SeededRandom random(1);
  int taken = 0;
  for (int i = 0; i < 100'000; ++i) {
    const Bytes bytes = random.bytes(16);
    ClientMsgId id;
    std::copy(bytes.begin(), bytes.end(), id.bytes.begin());
    const bool is_taken = is_sampled(id, 10);
    EXPECT_EQ(is_taken, is_sampled(id, 10));
    EXPECT_FALSE(is_sampled(id, 0));
    EXPECT_TRUE(is_sampled(id, 1000));
    taken += is_taken ? 1 : 0;
  }
  EXPECT_NEAR(taken, 1'000, 150);
}

// Ids of one client that differ in a few bits only.
TEST(Trace, SamplingTakesItsShareOfIdsMadeInARow) {
  int taken = 0;
  for (int i = 0; i < 100'000; ++i) {
    ClientMsgId id;
    id.bytes = {0x01, 0x90, 0xd0, 0xc0, 0xff, 0xee, 0x70, 0x00, 0x80};
    id.bytes[13] = static_cast<std::uint8_t>(i >> 16);
    id.bytes[14] = static_cast<std::uint8_t>(i >> 8);
    id.bytes[15] = static_cast<std::uint8_t>(i);
    taken += is_sampled(id, 10) ? 1 : 0;
  }
  EXPECT_NEAR(taken, 1'000, 150);
}

TEST(Trace, EveryHopHasItsName) {
  for (const HopName& one : kHops) {
    EXPECT_EQ(&hop_name(one.kind), &one);
    EXPECT_LE(one.after, one.kind);
  }
}

TEST(Trace, AQuestionNamesAMessageInOneWay) {
  TraceQuestion by_id;
  by_id.message_id = MessageId(7);
  EXPECT_TRUE(parse_trace_question(encode(by_id)));
  TraceQuestion by_seq;
  by_seq.conversation = ConversationId::trusted("g:team");
  by_seq.seq = Seq(3);
  const auto got = parse_trace_question(encode(by_seq));
  ASSERT_TRUE(got) << detail_of(got);
  EXPECT_EQ(got->conversation.str(), "g:team");
  EXPECT_EQ(got->seq, Seq(3));
  TraceQuestion by_client;
  by_client.client_msg_id = msg_id(4);
  EXPECT_EQ(parse_trace_question(encode(by_client))->client_msg_id, msg_id(4));

  EXPECT_FALSE(parse_trace_question(encode(TraceQuestion())));
  by_seq.message_id = MessageId(7);
  EXPECT_FALSE(parse_trace_question(encode(by_seq)));
  by_id.seq = Seq(3);
  EXPECT_FALSE(parse_trace_question(encode(by_id)));
}

TEST(Trace, AnAnswerComesBack) {
  TraceRow row;
  row.conversation = ConversationId::trusted("g:team");
  row.seq = Seq(7);
  row.message_id = MessageId(99);
  row.sender = UserId::trusted("ann");
  row.client_msg_id = msg_id(1);
  row.time_ms = 1'700'000'000'000;
  row.kind = proto::ContentKind::Text;
  row.bytes = 40;
  row.shard = ShardId(3);
  row.generation = Generation(2);
  row.position = LogPosition(812);
  row.first = LogPosition(1);
  row.watermark = LogPosition(900);
  row.members.assign(kMaxTraceMembers, {UserId::trusted("ben"), true, false, Seq(6)});
  row.members_count = 4'000;
  TraceAnswer answer;
  answer.behind = true;
  answer.rows.assign(kMaxTraceRows, row);
  const auto got = parse_trace_answer(encode(answer));
  ASSERT_TRUE(got) << detail_of(got);
  EXPECT_TRUE(got->behind);
  ASSERT_EQ(got->rows.size(), kMaxTraceRows);
  const TraceRow& last = got->rows.back();
  EXPECT_EQ(last.conversation, row.conversation);
  EXPECT_EQ(last.seq, row.seq);
  EXPECT_EQ(last.kind, row.kind);
  EXPECT_EQ(last.bytes, 40u);
  EXPECT_EQ(last.generation, row.generation);
  EXPECT_EQ(last.position, row.position);
  EXPECT_EQ(last.first, row.first);
  EXPECT_EQ(last.watermark, row.watermark);
  ASSERT_EQ(last.members.size(), kMaxTraceMembers);
  EXPECT_TRUE(last.members[0].sees);
  EXPECT_FALSE(last.members[0].member);
  EXPECT_EQ(last.members[0].read_seq, Seq(6));
  EXPECT_EQ(last.members_count, 4'000u);
}

}  // namespace
}  // namespace martlet::wire
