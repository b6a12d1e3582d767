#include "wire/envelopes.h"

#include <gtest/gtest.h>

#include <string>

#include "samples.h"
#include "wire/limits.h"

namespace martlet::wire {
namespace {

using samples::detail_of;
using samples::msg_id;

constexpr SessionId kSession{1'700'000'000'000, 0xABCDEF};

ClientFrame a_frame() {
  return {.edge = "edge",
          .session = kSession,
          .request_id = 9,
          .user = "alice",
          .device = "phone",
          .received_ms = 1000,
          .first_sent_ms = 900,
          .command = Command::Send,
          .body = "body"};
}

Answer an_ack() {
  return {.kind = AnswerKind::kAccepted,
          .session = kSession,
          .request_id = 9,
          .command = Command::Send,
          .client_msg_id = msg_id(1),
          .conversation = "u:alice:bob",
          .seq = Seq(4),
          .message_id = MessageId(44),
          .time_ms = 1234,
          .level = proto::AckLevel::Stored};
}

Event an_event() {
  return {.shard = ShardId(3),
          .generation = Generation(1),
          .epoch = Epoch(7),
          .position = LogPosition(99),
          .command = Command::MessageEvent,
          .conversation = "u:alice:bob",
          .seq = Seq(4),
          .members_at = Seq(2),
          .origin = kSession,
          .body = "message"};
}

TEST(Envelopes, ClientFrameComesBack) {
  const Bytes bytes = encode(a_frame());
  const auto got = parse_client_frame(bytes);
  ASSERT_TRUE(got) << detail_of(got);
  EXPECT_EQ(got->edge, "edge");
  EXPECT_EQ(got->session, kSession);
  EXPECT_EQ(got->request_id, 9U);
  EXPECT_EQ(got->user, "alice");
  EXPECT_EQ(got->device, "phone");
  EXPECT_EQ(got->received_ms, 1000U);
  EXPECT_EQ(got->first_sent_ms, 900U);
  EXPECT_EQ(got->command, Command::Send);
  EXPECT_EQ(got->body, "body");
}

TEST(Envelopes, MessagesMayLieAnywhereInMemory) {
  const Bytes bytes = encode(a_frame());
  for (std::size_t shift = 0; shift < 8; ++shift) {
    const Bytes moved = Bytes(shift, 'x') + bytes;
    EXPECT_EQ(parse_client_frame(BytesView(moved).substr(shift))->session, kSession);
  }
}

TEST(Envelopes, AnswersComeBack) {
  Answer refused{.kind = AnswerKind::kRefused,
                 .session = {1, 2},
                 .request_id = 10,
                 .command = Command::Read,
                 .error = ErrorCode::kNotMember,
                 .retry_after_ms = 5,
                 .detail = "no"};
  const Bytes bytes = encode(AnswerBatch{ShardId(3), Generation(1), Epoch(7), {an_ack(), refused}});
  const auto got = parse_to_edge(bytes);
  ASSERT_TRUE(got) << detail_of(got);
  const auto& batch = std::get<AnswerBatch>(*got);
  EXPECT_EQ(batch.shard, ShardId(3));
  EXPECT_EQ(batch.generation, Generation(1));
  EXPECT_EQ(batch.epoch, Epoch(7));
  ASSERT_EQ(batch.answers.size(), 2U);
  const Answer& ack = batch.answers[0];
  EXPECT_EQ(ack.kind, AnswerKind::kAccepted);
  EXPECT_EQ(ack.session, kSession);
  EXPECT_EQ(ack.request_id, 9U);
  EXPECT_EQ(ack.command, Command::Send);
  EXPECT_EQ(ack.client_msg_id, msg_id(1));
  EXPECT_EQ(ack.conversation, "u:alice:bob");
  EXPECT_EQ(ack.seq, Seq(4));
  EXPECT_EQ(ack.message_id, MessageId(44));
  EXPECT_EQ(ack.time_ms, 1234U);
  EXPECT_EQ(ack.level, proto::AckLevel::Stored);
  const Answer& refusal = batch.answers[1];
  EXPECT_EQ(refusal.kind, AnswerKind::kRefused);
  EXPECT_EQ(refusal.error, ErrorCode::kNotMember);
  EXPECT_EQ(refusal.retry_after_ms, 5U);
  EXPECT_EQ(refusal.detail, "no");
  EXPECT_TRUE(refusal.client_msg_id.is_zero());
  EXPECT_TRUE(refusal.conversation.empty());
}

TEST(Envelopes, DrainEdgeComesBack) {
  const Bytes bytes = encode(DrainEdge{"ann"});
  const auto got = parse_to_edge(bytes);
  ASSERT_TRUE(got);
  EXPECT_EQ(std::get<DrainEdge>(*got).who, "ann");
}

TEST(Envelopes, AKickWithoutADeviceIsOfAll) {
  const auto got = parse_to_user(encode(KickDevice{{}, proto::KickReason::ByAdmin}));
  ASSERT_TRUE(got);
  EXPECT_TRUE(std::get<KickDevice>(*got).device.empty());
}

TEST(Envelopes, KickSessionComesBack) {
  const auto got = parse_to_edge(encode(KickSession{kSession, proto::KickReason::ByAdmin}));
  ASSERT_TRUE(got) << detail_of(got);
  EXPECT_EQ(std::get<KickSession>(*got).session, kSession);
  EXPECT_EQ(std::get<KickSession>(*got).reason, proto::KickReason::ByAdmin);
}

TEST(Envelopes, EventComesBack) {
  const Bytes bytes = encode(an_event());
  const auto got = parse_to_user(bytes);
  ASSERT_TRUE(got) << detail_of(got);
  const auto& event = std::get<Event>(*got);
  EXPECT_EQ(event.shard, ShardId(3));
  EXPECT_EQ(event.generation, Generation(1));
  EXPECT_EQ(event.epoch, Epoch(7));
  EXPECT_EQ(event.position, LogPosition(99));
  EXPECT_EQ(event.command, Command::MessageEvent);
  EXPECT_EQ(event.conversation, "u:alice:bob");
  EXPECT_EQ(event.seq, Seq(4));
  EXPECT_EQ(event.members_at, Seq(2));
  EXPECT_EQ(event.origin, kSession);
  EXPECT_EQ(event.body, "message");
}

TEST(Envelopes, EventWithoutOriginHasNone) {
  Event event = an_event();
  event.origin = {};
  const Bytes bytes = encode(event);
  EXPECT_EQ(std::get<Event>(*parse_to_user(bytes)).origin, SessionId());
}

TEST(Envelopes, EventTellsWhetherItChangesMembers) {
  Event event = an_event();
  const Bytes plain = encode(event);
  EXPECT_FALSE(std::get<Event>(*parse_to_user(plain)).members_change);
  event.members_change = true;
  const Bytes change = encode(event);
  EXPECT_TRUE(std::get<Event>(*parse_to_user(change)).members_change);
}

TEST(Envelopes, SessionsAndKicksOfDevicesComeBack) {
  const auto started = parse_to_user(encode(SessionStarted{samples::device("phone"), kSession}));
  EXPECT_EQ(std::get<SessionStarted>(*started).device, samples::device("phone"));
  EXPECT_EQ(std::get<SessionStarted>(*started).session, kSession);
  EXPECT_EQ(std::get<SessionStarted>(*started).answers, SessionId());
  EXPECT_EQ(std::get<SessionStarted>(*started).after, SessionId());
  const auto again =
      parse_to_user(encode(SessionStarted{samples::device("phone"), kSession, {5, 6}, {7, 8}}));
  EXPECT_EQ(std::get<SessionStarted>(*again).answers, (SessionId{5, 6}));
  EXPECT_EQ(std::get<SessionStarted>(*again).after, (SessionId{7, 8}));
  const auto kick =
      parse_to_user(encode(KickDevice{samples::device("phone"), proto::KickReason::Revoked}));
  EXPECT_EQ(std::get<KickDevice>(*kick).device, samples::device("phone"));
  EXPECT_EQ(std::get<KickDevice>(*kick).reason, proto::KickReason::Revoked);
}

TEST(Envelopes, AnnouncementsComeBack) {
  const Bytes owner = encode(OwnerAnnounced{ShardId(2), Generation(3), Epoch(4), "d1"});
  EXPECT_EQ(parse_owner_announced(owner)->shard, ShardId(2));
  EXPECT_EQ(parse_owner_announced(owner)->generation, Generation(3));
  EXPECT_EQ(parse_owner_announced(owner)->epoch, Epoch(4));
  EXPECT_EQ(parse_owner_announced(owner)->owner, "d1");
  EXPECT_FALSE(parse_owner_announced(owner)->lost_events);
  const Bytes lost = encode(OwnerAnnounced{ShardId(2), Generation(3), Epoch(4), "d1", true});
  EXPECT_TRUE(parse_owner_announced(lost)->lost_events);
  const Bytes watermark = encode(Watermark{ShardId(2), Generation(3), 100, LogPosition(107)});
  EXPECT_EQ(parse_watermark(watermark)->shard, ShardId(2));
  EXPECT_EQ(parse_watermark(watermark)->generation, Generation(3));
  EXPECT_EQ(parse_watermark(watermark)->base, 100U);
  EXPECT_EQ(parse_watermark(watermark)->position, LogPosition(107));
}

TEST(Envelopes, EdgeBeatComesBack) {
  const Bytes bytes =
      encode(EdgeBeat{EdgeId::trusted("0123"), "edge1", "127.0.0.1:7000", "127.0.0.1:8000", 55, 7,
                      6, true, 250, 300, 4'000, 5'000'000'000});
  const auto got = parse_edge_beat(bytes);
  ASSERT_TRUE(got) << detail_of(got);
  EXPECT_EQ(got->edge.str(), "0123");
  EXPECT_EQ(got->name, "edge1");
  EXPECT_EQ(got->address, "127.0.0.1:7000");
  EXPECT_EQ(got->http, "127.0.0.1:8000");
  EXPECT_EQ(got->started_ms, 55U);
  EXPECT_EQ(got->connections, 7U);
  EXPECT_EQ(got->sessions, 6U);
  EXPECT_TRUE(got->draining);
  EXPECT_EQ(got->weight, 250U);
  EXPECT_EQ(got->cpu_permille, 300U);
  EXPECT_EQ(got->loop_lag_us, 4'000U);
  EXPECT_EQ(got->output_bytes_per_s, 5'000'000'000U);
}

TEST(Envelopes, AnEdgeMayHaveNoAddressOfItsOwnAndAWeightWithinBounds) {
  EdgeBeat beat{.edge = EdgeId::trusted("e"), .weight = kMaxEdgeWeight};
  EXPECT_EQ(parse_edge_beat(encode(beat)).value().address, "");
  beat.weight = kMaxEdgeWeight + 1;
  EXPECT_FALSE(parse_edge_beat(encode(beat)));
}

TEST(Envelopes, GarbageIsAnError) {
  const std::string garbage(100, '\x11');
  EXPECT_FALSE(parse_client_frame(garbage));
  EXPECT_FALSE(parse_to_edge(garbage));
  EXPECT_FALSE(parse_to_user(garbage));
  EXPECT_FALSE(parse_owner_announced(garbage));
  EXPECT_FALSE(parse_watermark(garbage));
  EXPECT_FALSE(parse_edge_beat(garbage));
  EXPECT_FALSE(parse_client_frame(""));
}

TEST(Envelopes, RandomChangesGiveAResultOrAClearError) {
  const Bytes frame = encode(a_frame());
  const Bytes to_edge = encode(AnswerBatch{ShardId(3), Generation(1), Epoch(7), {an_ack()}});
  const Bytes to_user = encode(an_event());
  for (std::uint64_t seed = 1; seed <= 5000; ++seed) {
    SeededRandom random(seed);
    const std::string details = detail_of(parse_client_frame(samples::mutate(frame, random))) +
                                detail_of(parse_to_edge(samples::mutate(to_edge, random))) +
                                detail_of(parse_to_user(samples::mutate(to_user, random)));
    EXPECT_TRUE(base::is_utf8(details)) << seed;
  }
}

}  // namespace
}  // namespace martlet::wire
