#include <gtest/gtest.h>

#include "dispatcher/stored_waits.h"
#include "rig.h"

namespace martlet::dispatcher::testing {
namespace {

using Kind = wire::AnswerKind;

class Stored : public ::testing::Test {
 protected:
  Stored() {
    rig.send({.id = id_of(1)});
    rig.settle();
    rig.answers();
  }
  Rig rig;
};

TEST_F(Stored, IsToldWhenTheDatabaseHasTheMessage) {
  rig.send({.id = id_of(10), .wants_stored = true, .request_id = 5});
  rig.settle();
  EXPECT_EQ(rig.only_answer().answer.level, wire::AckLevel::Logged);
  rig.store_all();
  const OutgoingAnswer stored = rig.only_answer();
  EXPECT_EQ(stored.answer.kind, Kind::kStored);
  EXPECT_EQ(stored.answer.client_msg_id, id_of(10));
  EXPECT_EQ(stored.answer.seq, Seq(2));
  EXPECT_EQ(stored.conversation, "u:alice:bob");
  rig.store_all();
  EXPECT_TRUE(rig.answers().empty());
}

TEST_F(Stored, IsNotToldToWhoDidNotAsk) {
  rig.send({.id = id_of(10)});
  rig.settle();
  rig.answers();
  rig.store_all();
  EXPECT_TRUE(rig.answers().empty());
}

TEST_F(Stored, ARepeatOfAStoredMessageIsAcknowledgedAsStored) {
  rig.store_all();
  rig.send({.id = id_of(1), .wants_stored = true});
  EXPECT_EQ(rig.only_answer().answer.level, wire::AckLevel::Stored);
}

TEST_F(Stored, ARepeatOfALoggedMessageWaitsAnew) {
  rig.send({.id = id_of(1), .wants_stored = true, .session = {9, 9}});
  EXPECT_EQ(rig.only_answer().answer.level, wire::AckLevel::Logged);
  rig.store_all();
  const OutgoingAnswer stored = rig.only_answer();
  EXPECT_EQ(stored.answer.kind, Kind::kStored);
  EXPECT_EQ(stored.answer.session, (SessionId{9, 9}));
}

TEST_F(Stored, AWatermarkThatOvertookTheAcknowledgementSaysStoredAtOnce) {
  rig.send({.id = id_of(10), .wants_stored = true});
  const AppendRequest request = *rig.append;
  const auto landed = rig.log.append(request.expected_last, request.batch);
  rig.append.reset();
  rig.store_all();
  EXPECT_FALSE(rig.is_doubting);
  rig.core().append_result(landed, rig.moment);
  rig.take();
  EXPECT_EQ(rig.only_answer().answer.level, wire::AckLevel::Stored);
}

TEST_F(Stored, AWatermarkBeyondTheLogIsDoubt) {
  wire::Watermark told = rig.database.told(kShard);
  told.position = LogPosition(rig.log.last().value() + 1);
  rig.core().watermark(told);
  rig.take();
  EXPECT_TRUE(rig.is_doubting);
}

TEST_F(Stored, AWatermarkOfAHigherGenerationIsDoubt) {
  wire::Watermark told = rig.database.told(kShard);
  told.generation = told.generation.next();
  rig.core().watermark(told);
  rig.take();
  EXPECT_TRUE(rig.is_doubting);
}

TEST_F(Stored, AnOlderWatermarkChangesNothing) {
  const wire::Watermark old = rig.database.told(kShard);
  rig.store_all();
  rig.core().watermark(old);
  rig.send({.id = id_of(1)});
  EXPECT_EQ(rig.only_answer().answer.level, wire::AckLevel::Stored);
}

TEST(StoredBounds, WaitsBeyondTheLimitAreDropped) {
  Rig rig({.stored_waits = 2});
  for (std::uint64_t i = 1; i <= 5; ++i) rig.send({.id = id_of(i), .wants_stored = true});
  rig.settle();
  EXPECT_EQ(rig.answers().size(), 5u);
  rig.store_all();
  EXPECT_EQ(rig.answers().size(), 2u);
}

TEST(StoredBounds, RepeatsOfOneSessionWaitOnce) {
  Rig rig({.stored_waits = 2});
  for (std::uint32_t i = 1; i <= 5; ++i) {
    rig.send({.id = id_of(1), .wants_stored = true, .request_id = i});
  }
  rig.settle();
  rig.send({.id = id_of(1), .wants_stored = true, .request_id = 6});
  rig.send({.id = id_of(2), .wants_stored = true, .request_id = 7});
  rig.settle();
  rig.answers();
  rig.store_all();
  const auto told = rig.answers();
  ASSERT_EQ(told.size(), 2u) << "one client's repeats took the other message's place";
  EXPECT_EQ(told[0].answer.client_msg_id, id_of(1));
  EXPECT_EQ(told[1].answer.client_msg_id, id_of(2));
}

TEST(StoredWaits, AnotherSessionOfTheSameMessageWaitsToo) {
  StoredWaits waits(10);
  StoredWait wait;
  for (std::uint64_t session : {1, 2, 1}) {
    wait.asker.session = {session, 0};
    EXPECT_TRUE(waits.add(wait));
  }
  EXPECT_EQ(waits.size(), 2u);
  waits.release(LogPosition(1), [](const StoredWait&) {});
  EXPECT_TRUE(waits.add(wait));
  EXPECT_EQ(waits.size(), 1u) << "released, so it may be asked for again";
}

TEST(StoredWaits, ReleaseInTheOrderOfPositions) {
  StoredWaits waits(10);
  for (std::uint64_t position : {3, 5, 4}) {
    StoredWait wait;
    wait.position = LogPosition(position);
    wait.message_id = MessageId(position);
    EXPECT_TRUE(waits.add(wait));
  }
  std::vector<std::uint64_t> released;
  const auto note = [&](const StoredWait& wait) { released.push_back(wait.position.value()); };
  waits.release(LogPosition(4), note);
  EXPECT_EQ(released, (std::vector<std::uint64_t>{3, 4}));
  EXPECT_EQ(waits.size(), 1u);
}

}  // namespace
}  // namespace martlet::dispatcher::testing
