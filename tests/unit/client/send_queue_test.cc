#include "client/send_queue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "client_test_support.h"

namespace martlet::client {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using Send = SendQueue::Send;

OutgoingMessage outgoing(std::uint64_t number, std::string_view peer = "bob",
                         Strength want = Strength::kLogged) {
  OutgoingMessage m;
  m.to = user(peer);
  m.conversation = ConversationId::between(user("alice"), m.to);
  m.id = msg_id(number);
  m.content = "text";
  m.want = want;
  return m;
}

Acknowledged ack(std::uint64_t number, std::uint64_t seq, Strength level = Strength::kLogged,
                 std::string_view peer = "bob") {
  Acknowledged a;
  a.id = msg_id(number);
  a.conversation = ConversationId::between(user("alice"), user(peer));
  a.seq = Seq(seq);
  a.level = level;
  return a;
}

std::vector<ClientMsgId> sent_ids(const std::vector<SendQueue::Action>& actions) {
  std::vector<ClientMsgId> ids;
  for (const Send& send : only<Send>(actions)) ids.push_back(send.message.id);
  return ids;
}

class SendQueueTest : public testing::Test {
 protected:
  std::vector<Send> sends() { return only<Send>(queue_.take_actions()); }
  void add(OutgoingMessage m, std::int64_t ms = 0) {
    EXPECT_TRUE(queue_.add(std::move(m), at_ms(ms)));
  }
  void refuse(std::uint64_t number, ErrorCode code, std::int64_t ms, std::uint32_t after = 0) {
    queue_.on_refused(msg_id(number), Error{code, "", after}, is_retryable(code), at_ms(ms));
  }

  SeededRandom random_{3};
  SendQueue queue_{random_};
};

TEST_F(SendQueueTest, SendsWhenConnected) {
  add(outgoing(1));
  EXPECT_THAT(sends(), IsEmpty());
  queue_.on_connected(10, at_ms(0));
  EXPECT_THAT(sent_ids(queue_.take_actions()), ElementsAre(msg_id(1)));
}

TEST_F(SendQueueTest, NamesTheUnacknowledgedMessageBefore) {
  queue_.on_connected(10, at_ms(0));
  add(outgoing(1));
  add(outgoing(2));
  add(outgoing(3, "carol"));
  const std::vector<Send> out = sends();
  ASSERT_EQ(out.size(), 3U);
  EXPECT_EQ(out[0].follows, std::nullopt);
  EXPECT_EQ(out[1].follows, msg_id(1));
  EXPECT_EQ(out[2].follows, std::nullopt);
}

TEST_F(SendQueueTest, AcknowledgedMessageIsNotFollowed) {
  queue_.on_connected(10, at_ms(0));
  add(outgoing(1));
  queue_.on_ack(ack(1, 1), at_ms(1));
  queue_.take_actions();
  add(outgoing(2));
  EXPECT_EQ(sends().at(0).follows, std::nullopt);
}

TEST_F(SendQueueTest, KeepsToTheWindow) {
  queue_.on_connected(2, at_ms(0));
  for (std::uint64_t i = 1; i <= 4; ++i) add(outgoing(i));
  EXPECT_EQ(sends().size(), 2U);
  queue_.on_ack(ack(1, 1), at_ms(1));
  EXPECT_THAT(sent_ids(queue_.take_actions()), ElementsAre(msg_id(3)));
}

TEST_F(SendQueueTest, ReconnectRepeatsInTheOriginalOrder) {
  queue_.on_connected(10, at_ms(0));
  for (std::uint64_t i = 1; i <= 4; ++i) add(outgoing(i, i == 3 ? "carol" : "bob"));
  queue_.on_ack(ack(1, 1), at_ms(1));
  queue_.take_actions();
  queue_.on_disconnected();
  queue_.on_connected(10, at_ms(5'000));
  const std::vector<Send> again = sends();
  ASSERT_EQ(again.size(), 3U);
  EXPECT_EQ(again[0].message.id, msg_id(2));
  EXPECT_EQ(again[1].message.id, msg_id(3));
  EXPECT_EQ(again[2].message.id, msg_id(4));
  EXPECT_EQ(again[0].age, std::chrono::milliseconds(5'000));
  EXPECT_EQ(queue_.counters().repeats, 3U);
}

TEST_F(SendQueueTest, AgeIsUnknownAfterARestart) {
  queue_.restore({outgoing(1)});
  queue_.on_connected(10, at_ms(0));
  EXPECT_EQ(sends().at(0).age, std::nullopt);
  queue_.on_connected(10, at_ms(100));
  EXPECT_EQ(sends().at(0).age, std::nullopt);
}

TEST_F(SendQueueTest, RetryableRefusalWaitsForAllThatAreOut) {
  queue_.on_connected(10, at_ms(0));
  add(outgoing(1));
  add(outgoing(2));
  queue_.take_actions();
  refuse(1, ErrorCode::kBusy, 10);
  add(outgoing(3), 11);
  queue_.tick(at_ms(9'000));
  EXPECT_THAT(sends(), IsEmpty());
  refuse(2, ErrorCode::kOutOfOrder, 9'001);
  queue_.tick(at_ms(9'001));
  EXPECT_THAT(sends(), IsEmpty());
  queue_.tick(*queue_.next_deadline());
  const std::vector<Send> again = sends();
  ASSERT_EQ(again.size(), 3U);
  EXPECT_EQ(again[0].message.id, msg_id(1));
  EXPECT_EQ(again[1].follows, msg_id(1));
  EXPECT_EQ(again[2].follows, msg_id(2));
}

TEST_F(SendQueueTest, RetryWaitsAsLongAsTheServerAsks) {
  queue_.on_connected(10, at_ms(0));
  add(outgoing(1));
  refuse(1, ErrorCode::kLogFull, 10, 8'000);
  EXPECT_GE(*queue_.next_deadline(), at_ms(8'000));
}

TEST_F(SendQueueTest, RefusalStopsOnlyItsConversation) {
  queue_.on_connected(10, at_ms(0));
  add(outgoing(1));
  refuse(1, ErrorCode::kBusy, 10);
  queue_.take_actions();
  add(outgoing(2, "carol"), 11);
  EXPECT_EQ(sends().size(), 1U);
}

TEST_F(SendQueueTest, FinalRefusalIsReportedAndForgotten) {
  queue_.on_connected(10, at_ms(0));
  add(outgoing(1));
  queue_.take_actions();
  refuse(1, ErrorCode::kNoSuchUser, 10);
  const std::vector<SendQueue::Action> actions = queue_.take_actions();
  ASSERT_EQ(only<SendQueue::Refused>(actions).size(), 1U);
  EXPECT_EQ(only<SendQueue::Refused>(actions)[0].error.code, ErrorCode::kNoSuchUser);
  EXPECT_EQ(only<SendQueue::Forget>(actions).size(), 1U);
  EXPECT_TRUE(queue_.empty());
}

TEST_F(SendQueueTest, SuccessorOfAFinallyRefusedMessageGoesWithoutIt) {
  queue_.on_connected(10, at_ms(0));
  add(outgoing(1));
  add(outgoing(2));
  queue_.take_actions();
  refuse(1, ErrorCode::kConflict, 10);
  refuse(2, ErrorCode::kOutOfOrder, 11);
  queue_.take_actions();
  queue_.tick(*queue_.next_deadline());
  const std::vector<Send> again = sends();
  ASSERT_EQ(again.size(), 1U);
  EXPECT_EQ(again[0].follows, std::nullopt);
}

// Messages to a group that lets nobody in: each waits for the one before, not longer and longer.
TEST_F(SendQueueTest, AChainOfFinalRefusalsGoesOnWithoutGrowingWaits) {
  constexpr std::uint64_t kMessages = 10;
  for (std::uint64_t i = 1; i <= kMessages; ++i) add(outgoing(i));
  queue_.on_connected(kMessages, at_ms(0));
  MonotonicTime now = at_ms(0);
  for (std::uint64_t first = 1; first <= kMessages; ++first) {
    ASSERT_EQ(sends().size(), kMessages - first + 1);
    const std::int64_t ms = to_ms(now - at_ms(0));
    refuse(first, ErrorCode::kNotMember, ms);
    for (std::uint64_t i = first + 1; i <= kMessages; ++i) refuse(i, ErrorCode::kOutOfOrder, ms);
    queue_.take_actions();
    if (first == kMessages) break;
    ASSERT_TRUE(queue_.next_deadline().has_value());
    EXPECT_LE(*queue_.next_deadline() - now, 2 * kSendRetryMin);
    now = *queue_.next_deadline();
    queue_.tick(now);
  }
  EXPECT_TRUE(queue_.empty());
}

TEST_F(SendQueueTest, StoredComesAfterTheAcknowledgement) {
  queue_.on_connected(10, at_ms(0));
  add(outgoing(1, "bob", Strength::kStored));
  queue_.on_ack(ack(1, 7), at_ms(5));
  const std::vector<SendQueue::Action> first = queue_.take_actions();
  EXPECT_EQ(only<SendQueue::Acked>(first).size(), 1U);
  EXPECT_THAT(only<SendQueue::Forget>(first), IsEmpty());
  EXPECT_EQ(queue_.unacknowledged(), 0U);
  EXPECT_EQ(queue_.unstored(), 1U);
  queue_.on_stored(msg_id(1), Seq(7), at_ms(50));
  const std::vector<SendQueue::Action> second = queue_.take_actions();
  EXPECT_EQ(only<SendQueue::Stored>(second).size(), 1U);
  EXPECT_EQ(only<SendQueue::Forget>(second).size(), 1U);
}

TEST_F(SendQueueTest, LostStoredIsAskedForByARepeat) {
  queue_.on_connected(10, at_ms(0));
  add(outgoing(1, "bob", Strength::kStored));
  queue_.on_ack(ack(1, 7), at_ms(5));
  queue_.take_actions();
  queue_.tick(*queue_.next_deadline());
  ASSERT_EQ(sends().size(), 1U);
  queue_.on_ack(ack(1, 7, Strength::kStored), at_ms(20'000));
  const std::vector<SendQueue::Action> actions = queue_.take_actions();
  EXPECT_EQ(only<SendQueue::Stored>(actions).size(), 1U);
  EXPECT_THAT(only<SendQueue::Acked>(actions), IsEmpty());
  EXPECT_TRUE(queue_.empty());
}

TEST_F(SendQueueTest, WaitingForStoredDoesNotHoldUpLaterMessages) {
  queue_.on_connected(1, at_ms(0));
  add(outgoing(1, "bob", Strength::kStored));
  queue_.on_ack(ack(1, 1), at_ms(5));
  queue_.take_actions();
  add(outgoing(2), 6);
  EXPECT_EQ(sends().size(), 1U);
}

TEST_F(SendQueueTest, OverdueAnswerAsksForANewConnectionOnce) {
  queue_.on_connected(10, at_ms(0));
  add(outgoing(1));
  queue_.take_actions();
  EXPECT_EQ(queue_.next_deadline(), at_ms(15'000));
  queue_.tick(at_ms(15'000));
  EXPECT_EQ(only<SendQueue::Reconnect>(queue_.take_actions()).size(), 1U);
  queue_.tick(at_ms(15'001));
  EXPECT_THAT(queue_.take_actions(), IsEmpty());
}

TEST_F(SendQueueTest, AnswerToSomethingElseIsIgnored) {
  queue_.on_connected(10, at_ms(0));
  add(outgoing(1));
  queue_.take_actions();
  queue_.on_ack(ack(9, 1), at_ms(1));
  queue_.on_ack(ack(1, 1, Strength::kLogged, "carol"), at_ms(1));
  EXPECT_THAT(queue_.take_actions(), IsEmpty());
  EXPECT_EQ(queue_.unacknowledged(), 1U);
}

TEST_F(SendQueueTest, SameIdTwiceIsRefused) {
  add(outgoing(1));
  EXPECT_FALSE(queue_.add(outgoing(1), at_ms(0)));
}

}  // namespace
}  // namespace martlet::client
