#include <gtest/gtest.h>

#include "rig.h"
#include "wire/content.h"

namespace martlet::dispatcher::testing {
namespace {

using Kind = wire::AnswerKind;

// A rig whose conversations alice-bob and alice-carol are in memory.
class Sequencing : public ::testing::Test {
 protected:
  Sequencing() {
    rig.send({.id = id_of(1)});
    rig.send({.to = "carol", .id = id_of(2)});
    rig.settle();
    rig.answers();
    rig.events();
  }
  Rig rig;
};

TEST_F(Sequencing, AcknowledgesOnlyWhatIsInTheLog) {
  rig.send({.id = id_of(10), .request_id = 7});
  ASSERT_TRUE(rig.append.has_value());
  EXPECT_TRUE(rig.answers().empty());
  EXPECT_TRUE(rig.events().empty());
  rig.finish_append();
  const OutgoingAnswer ack = rig.only_answer();
  EXPECT_EQ(ack.answer.kind, Kind::kAccepted);
  EXPECT_EQ(ack.answer.request_id, 7u);
  EXPECT_EQ(ack.answer.client_msg_id, id_of(10));
  EXPECT_EQ(ack.answer.seq, Seq(2));
  EXPECT_EQ(ack.answer.level, wire::AckLevel::Logged);
  EXPECT_EQ(ack.conversation, "u:alice:bob");
}

TEST_F(Sequencing, FansOutWhatWasLoggedWithItsPositionAndOrigin) {
  rig.send({.id = id_of(10), .content = "to all", .session = {5, 6}});
  rig.finish_append();
  const auto events = rig.events();
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].position.value(), rig.log.last().value());
  EXPECT_EQ(events[0].origin, (SessionId{5, 6}));
  EXPECT_EQ(events[0].entry.content, wire::encode_text("to all"));
  EXPECT_EQ(events[0].entry.seq, Seq(2));
}

TEST_F(Sequencing, NumbersEachConversationByItself) {
  rig.send({.id = id_of(10)});
  rig.send({.from = "bob", .to = "alice", .id = id_of(11)});
  rig.send({.to = "carol", .id = id_of(12)});
  rig.settle();
  const auto answers = rig.answers();
  ASSERT_EQ(answers.size(), 3u);
  EXPECT_EQ(answers[0].answer.seq, Seq(2));
  EXPECT_EQ(answers[1].answer.seq, Seq(3));
  EXPECT_EQ(answers[2].answer.seq, Seq(2));
}

TEST_F(Sequencing, GathersFramesWhileAnAppendIsUnderWay) {
  rig.send({.id = id_of(10)});
  for (std::uint64_t i = 11; i < 31; ++i) rig.send({.id = id_of(i)});
  rig.finish_append();
  ASSERT_TRUE(rig.append.has_value());
  const auto batch = wire::parse_batch(rig.append->batch);
  EXPECT_EQ(batch->entries.size(), 20u);
  EXPECT_EQ(rig.append->expected_last, rig.log.last());
}

TEST_F(Sequencing, KeepsAnAppendBelowItsLimit) {
  const std::string large(kMaxBodyBytes - 1024, 'x');
  rig.send({.id = id_of(10)});
  for (std::uint64_t i = 11; i < 21; ++i) rig.send({.id = id_of(i), .content = large});
  std::size_t appends = 0;
  while (rig.append) {
    EXPECT_LE(rig.append->batch.size(), kMaxAppendBytes);
    rig.finish_append();
    ++appends;
  }
  EXPECT_EQ(appends, 1u + 3u);
  EXPECT_EQ(rig.answers().size(), 11u);
}

TEST_F(Sequencing, GivesGrowingMessageIdsEvenWhenTheClockGoesBack) {
  rig.send({.id = id_of(10)});
  rig.moment.wall_ms -= 5000;
  rig.send({.id = id_of(11)});
  rig.settle();
  const auto answers = rig.answers();
  ASSERT_EQ(answers.size(), 2u);
  EXPECT_LT(answers[0].answer.message_id, answers[1].answer.message_id);
}

TEST_F(Sequencing, AcceptsNotesToOneself) {
  rig.send({.to = "alice", .id = id_of(10)});
  rig.settle();
  EXPECT_EQ(rig.only_answer().conversation, "u:alice:alice");
}

TEST_F(Sequencing, RefusesBytesThatAreNoSend) {
  wire::ClientFrame frame{
      "edge1", {1, 1}, 1, "alice", "phone", kStartMs, kStartMs, wire::Command::Send, "garbage"};
  rig.core().frame(frame, rig.moment);
  rig.take();
  EXPECT_EQ(rig.only_answer().answer.error, ErrorCode::kBadBody);
}

TEST_F(Sequencing, IgnoresFramesOfAnotherShard) {
  ShardStart start;
  start.shard = ShardId(1);
  start.generation = Generation(1);
  ShardCore other(std::move(start), 2, {}, rig.metrics);
  std::size_t questions = 0;
  for (int i = 0; i < 20; ++i) {
    const std::string peer = "peer" + std::to_string(i);
    const Bytes text = wire::encode_text("x");
    wire::Send body;
    body.to_user = user(peer);
    body.client_msg_id = id_of(100);
    body.content = text;
    const Bytes bytes = wire::encode(body);
    other.frame(
        {"edge1", {1, 1}, 1, "alice", "phone", kStartMs, kStartMs, wire::Command::Send, bytes},
        rig.moment);
    const bool is_ours = shard_of(between("alice", peer), 2) == ShardId(1);
    questions += is_ours;
  }
  EXPECT_EQ(other.parked(), questions);
  EXPECT_LT(questions, 20u);
}

TEST_F(Sequencing, LogsReadCursors) {
  rig.read("bob", between("alice", "bob"), 1, 9);
  rig.finish_append();
  const OutgoingAnswer ok = rig.only_answer();
  EXPECT_EQ(ok.answer.kind, Kind::kAccepted);
  EXPECT_EQ(ok.answer.command, wire::Command::Read);
  EXPECT_EQ(ok.answer.seq, Seq(1));
  EXPECT_EQ(ok.conversation, "u:alice:bob");
  const auto events = rig.events();
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].entry.kind, wire::EntryKind::kRead);
  EXPECT_EQ(events[0].entry.sender, user("bob"));
}

TEST_F(Sequencing, RefusesTheReadCursorOfAStranger) {
  rig.read("dave", between("alice", "bob"), 1);
  EXPECT_EQ(rig.only_answer().answer.error, ErrorCode::kNotMember);
}

TEST_F(Sequencing, ReadCursorsDoNotTakeNumbers) {
  rig.read("bob", between("alice", "bob"), 1);
  rig.send({.id = id_of(10)});
  rig.settle();
  EXPECT_EQ(rig.answers().back().answer.seq, Seq(2));
}

// ---- follows
// --------------------------------------------------------------------------------------

TEST_F(Sequencing, RefusesAMessageWhosePredecessorIsMissing) {
  rig.send({.id = id_of(11), .follows = id_of(10)});
  const OutgoingAnswer refusal = rig.only_answer();
  EXPECT_EQ(refusal.answer.error, ErrorCode::kOutOfOrder);
  EXPECT_GT(refusal.answer.retry_after_ms, 0u);
  EXPECT_FALSE(rig.append.has_value());
}

TEST_F(Sequencing, AcceptsAMessageBehindItsPredecessorInTheSameBatch) {
  rig.send({.id = id_of(9)});
  rig.send({.id = id_of(10)});
  rig.send({.id = id_of(11), .follows = id_of(10)});
  rig.settle();
  const auto answers = rig.answers();
  ASSERT_EQ(answers.size(), 3u);
  EXPECT_EQ(answers[2].answer.seq, Seq(4));
}

TEST_F(Sequencing, AcceptsAMessageAfterItsPredecessorWasLogged) {
  rig.send({.id = id_of(10)});
  rig.settle();
  rig.send({.id = id_of(11), .follows = id_of(10)});
  rig.settle();
  EXPECT_EQ(rig.answers().back().answer.seq, Seq(3));
}

TEST_F(Sequencing, APredecessorOfAnotherSenderDoesNotCount) {
  rig.send({.id = id_of(10)});
  rig.settle();
  rig.answers();
  rig.send({.from = "bob", .to = "alice", .id = id_of(11), .follows = id_of(10)});
  EXPECT_EQ(rig.only_answer().answer.error, ErrorCode::kOutOfOrder);
}

// ---- the end of an ownership
// ------------------------------------------------------------------------

class FailedAppend : public Sequencing, public ::testing::WithParamInterface<bus::AppendFailure> {};

TEST_P(FailedAppend, IsNeverAnsweredAndEndsTheOwnership) {
  rig.send({.id = id_of(10)});
  rig.fail_append(GetParam());
  EXPECT_TRUE(rig.is_doubting);
  EXPECT_TRUE(rig.answers().empty());
  EXPECT_TRUE(rig.events().empty());
}

TEST_P(FailedAppend, NothingIsAnsweredAfterIt) {
  rig.send({.id = id_of(10)});
  rig.fail_append(GetParam());
  rig.send({.id = id_of(1)});
  rig.send({.id = id_of(11), .follows = id_of(99)});
  rig.send({.from = "carol", .to = "dave", .id = id_of(12)});
  rig.pass(kParkingTime);
  EXPECT_TRUE(rig.answers().empty());
  EXPECT_FALSE(rig.append.has_value());
  EXPECT_FALSE(rig.question.has_value());
}

INSTANTIATE_TEST_SUITE_P(All, FailedAppend,
                         ::testing::Values(bus::AppendFailure::kWrongSequence,
                                           bus::AppendFailure::kRefused,
                                           bus::AppendFailure::kUnknown));

TEST_F(Sequencing, AnAppendThatLandedElsewhereIsDoubt) {
  rig.send({.id = id_of(10)});
  rig.core().append_result(rig.append->expected_last.next().next(), rig.moment);
  rig.take();
  EXPECT_TRUE(rig.is_doubting);
  EXPECT_TRUE(rig.answers().empty());
}

TEST_F(Sequencing, AnOldLeaseKeepsRefusalsAndRepeatsSilent) {
  rig.send({.id = id_of(10)});
  rig.settle();
  rig.answers();
  rig.moment.renewal_age = std::chrono::milliseconds(1500);
  rig.send({.id = id_of(10)});
  rig.send({.id = id_of(10), .content = "another"});
  rig.send({.id = id_of(11), .follows = id_of(99)});
  EXPECT_TRUE(rig.answers().empty());
}

TEST_F(Sequencing, AnOldLeaseDoesNotSilenceTheAcknowledgementOfAnAppend) {
  rig.moment.renewal_age = std::chrono::minutes(1);
  rig.send({.id = id_of(10)});
  rig.finish_append();
  EXPECT_EQ(rig.only_answer().answer.kind, Kind::kAccepted);
}

TEST_F(Sequencing, LettingGoFinishesTheAppendUnderWayOnly) {
  rig.send({.id = id_of(10)});
  rig.send({.id = id_of(11)});
  rig.core().let_go();
  rig.send({.id = id_of(12)});
  rig.finish_append();
  EXPECT_EQ(rig.only_answer().answer.client_msg_id, id_of(10));
  EXPECT_FALSE(rig.append.has_value());
  EXPECT_FALSE(rig.core().is_appending());
}

// ---- limits
// -----------------------------------------------------------------------------------------

TEST(SequencingLimits, AFullQueueRefusesAsBusy) {
  Rig rig({.queued_entries = 3});
  rig.send({.id = id_of(1)});
  rig.settle();
  rig.send({.id = id_of(2)});
  rig.answers();
  for (std::uint64_t i = 3; i < 7; ++i) rig.send({.id = id_of(i)});
  EXPECT_EQ(rig.only_answer().answer.error, ErrorCode::kBusy);
  rig.settle();
  EXPECT_EQ(rig.answers().size(), 4u);
}

TEST(SequencingLimits, AFullLogRefusesWithATimeToRetryAndIsNoDoubt) {
  Rig rig({.log_bytes = 200'000});
  const std::string content(10'000, 'x');
  std::size_t accepted = 0;
  for (std::uint64_t i = 1; i < 40; ++i) {
    rig.send({.id = id_of(i), .content = content});
    rig.settle();
    const OutgoingAnswer answer = rig.only_answer();
    if (answer.answer.kind == Kind::kAccepted) {
      ++accepted;
      continue;
    }
    EXPECT_EQ(answer.answer.error, ErrorCode::kLogFull);
    EXPECT_GT(answer.answer.retry_after_ms, 0u);
  }
  EXPECT_GT(accepted, 10u);
  EXPECT_LT(accepted, 20u);
  EXPECT_LE(rig.log.info().bytes, 200'000u);
  EXPECT_FALSE(rig.is_doubting);

  // Persist stored and purged; the broker tells a smaller log.
  rig.core().info_asked();
  rig.core().info(50'000);
  rig.send({.id = id_of(100), .content = content});
  rig.settle();
  EXPECT_EQ(rig.only_answer().answer.seq, Seq(accepted + 1));
}

// Names are most of a short message.
TEST(SequencingLimits, LongNamesDoNotFillTheLogBeyondItsLimit) {
  Rig rig({.log_bytes = 100'000});
  const std::string from(kMaxIdBytes, 'a');
  const std::string to(kMaxIdBytes, 'b');
  rig.database.users.insert({from, to});
  rig.send({.from = from, .to = to, .id = id_of(1)});
  rig.settle();
  for (std::uint64_t i = 2; i < 1'000; ++i) {
    rig.send({.from = from, .to = to, .id = id_of(i), .content = "x"});
  }
  rig.settle();
  EXPECT_TRUE(rig.core().is_full());
  EXPECT_GT(rig.log.info().bytes, 50'000u);
  EXPECT_LE(rig.log.info().bytes, 100'000u);
}

TEST(SequencingLimits, TheLogsSizeCountsWhatWasAppendedSinceItWasAsked) {
  Rig rig({.log_bytes = 100'000});
  const std::string content(20'000, 'x');
  rig.core().info_asked();
  for (std::uint64_t i = 1; i < 5; ++i) {
    rig.send({.id = id_of(i), .content = content});
    rig.settle();
  }
  rig.core().info(0);
  rig.answers();
  rig.send({.id = id_of(10), .content = content});
  EXPECT_EQ(rig.only_answer().answer.error, ErrorCode::kLogFull);
}

}  // namespace
}  // namespace martlet::dispatcher::testing
