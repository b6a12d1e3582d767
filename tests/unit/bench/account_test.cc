#include "bench/account.h"

#include <gtest/gtest.h>

namespace martlet::bench {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::uint32_t kAnn = 0;
constexpr std::uint32_t kBen = 1;

// Two users, one conversation; the test says what happens at which millisecond.
class AccountTest : public testing::Test {
 protected:
  static MonotonicTime at(int ms) { return MonotonicTime(seconds(1000) + milliseconds(ms)); }

  std::uint64_t sent(std::uint32_t sender = kAnn, int ms = 0) {
    return account_.sent({.sender = sender, .conversation = 5, .copies = 1, .due = at(ms)});
  }
  void acked(std::uint64_t number, std::uint64_t seq, int ms = 0) {
    account_.acknowledged(number, Seq(seq));
    account_.confirmed(number, at(ms));
  }
  void received(std::uint32_t receiver, std::uint64_t number, std::uint64_t seq, int ms = 0) {
    account_.received(receiver, number, Seq(seq), at(ms));
  }
  void all_well(std::uint32_t sender, std::uint64_t seq, int ms) {
    const std::uint64_t number = sent(sender, ms);
    acked(number, seq, ms + 2);
    received(sender ^ 1, number, seq, ms + 3);
  }

  Account account_;
};

TEST_F(AccountTest, WhatArrivesOnceAndInOrderIsClean) {
  all_well(kAnn, 1, 0);
  all_well(kBen, 2, 1);
  all_well(kAnn, 3, 2);
  EXPECT_TRUE(account_.is_complete());
  const Totals totals = account_.totals();
  EXPECT_EQ(totals.sent, 3u);
  EXPECT_EQ(totals.confirmed, 3u);
  EXPECT_EQ(totals.delivered, 3u);
  EXPECT_EQ(totals.lost + totals.doubled + totals.unordered + totals.unanswered, 0u);
}

TEST_F(AccountTest, AnAcknowledgedMessageThatNeverCameIsLost) {
  acked(sent(), 1);
  EXPECT_FALSE(account_.is_complete());
  EXPECT_EQ(account_.totals().lost, 1u);
}

TEST_F(AccountTest, AMessageThatIsRefusedIsNotLost) {
  EXPECT_TRUE(account_.refused(sent()));
  EXPECT_TRUE(account_.is_complete());
  EXPECT_EQ(account_.totals().refused, 1u);
  EXPECT_EQ(account_.totals().lost, 0u);
}

TEST_F(AccountTest, AMessageWithoutAnAnswerIsUnansweredThoughItArrived) {
  received(kBen, sent(), 1);
  EXPECT_FALSE(account_.is_complete());
  EXPECT_EQ(account_.totals().unanswered, 1u);
  EXPECT_EQ(account_.totals().lost, 0u);
}

TEST_F(AccountTest, ACopyTooManyIsDoubled) {
  const std::uint64_t number = sent();
  acked(number, 1);
  received(kBen, number, 1);
  received(kBen, number, 1);
  EXPECT_EQ(account_.totals().doubled, 1u);
  EXPECT_EQ(account_.totals().delivered, 1u);
  EXPECT_EQ(account_.totals().unordered, 0u);
}

TEST_F(AccountTest, AMessageThatIsNumberedTwiceIsDoubled) {
  const std::uint64_t number = sent();
  acked(number, 1);
  acked(number, 2);
  EXPECT_EQ(account_.totals().doubled, 1u);
}

TEST_F(AccountTest, AReceiverWhoSeesAnOlderSeqAfterANewerOneIsABreach) {
  const std::uint64_t first = sent();
  const std::uint64_t second = sent();
  acked(first, 1);
  acked(second, 2);
  received(kBen, second, 2);
  received(kBen, first, 1);
  EXPECT_EQ(account_.totals().unordered, 1u);
  EXPECT_EQ(account_.totals().doubled, 0u);
}

TEST_F(AccountTest, ASenderWhoseMessagesChangePlacesIsABreach) {
  const std::uint64_t first = sent();
  const std::uint64_t second = sent();
  acked(first, 2);
  acked(second, 1);
  EXPECT_EQ(account_.totals().unordered, 1u);
}

TEST_F(AccountTest, OneSeqForTwoMessagesIsABreach) {
  acked(sent(kAnn), 1);
  acked(sent(kBen), 1);
  EXPECT_EQ(account_.totals().unordered, 1u);
}

TEST_F(AccountTest, AGapInTheNumbersIsABreachUnlessAnUnansweredMessageMayBeThere) {
  acked(sent(), 1);
  acked(sent(), 3);
  EXPECT_EQ(account_.totals().unordered, 1u);
  sent();
  EXPECT_EQ(account_.totals().unordered, 0u);
}

TEST_F(AccountTest, ConversationsAreNumberedApart) {
  acked(account_.sent({.sender = kAnn, .conversation = 1, .copies = 1, .due = at(0)}), 1);
  acked(account_.sent({.sender = kAnn, .conversation = 2, .copies = 1, .due = at(0)}), 1);
  EXPECT_EQ(account_.totals().unordered, 0u);
}

TEST_F(AccountTest, EveryCopyOfAMessageToManyIsAwaited) {
  const std::uint64_t number =
      account_.sent({.sender = kAnn, .conversation = 5, .copies = 3, .due = at(0)});
  acked(number, 1);
  received(1, number, 1);
  received(2, number, 1);
  EXPECT_EQ(account_.totals().lost, 1u);
  received(3, number, 1);
  EXPECT_TRUE(account_.is_complete());
  EXPECT_EQ(account_.totals().delivered, 3u);
}

TEST_F(AccountTest, ConfirmedOrRefusedOnceOnly) {
  const std::uint64_t number = sent();
  EXPECT_TRUE(account_.confirmed(number, at(1)));
  EXPECT_FALSE(account_.confirmed(number, at(2)));
  EXPECT_FALSE(account_.refused(number));
  EXPECT_EQ(account_.totals().confirmed, 1u);
}

TEST_F(AccountTest, ASecondHasWhatWasDueInIt) {
  account_.begin_window(at(100));
  const std::uint64_t early = sent(kAnn, 1'099);
  const std::uint64_t late = sent(kAnn, 1'100);
  const std::uint64_t refused = sent(kAnn, 1'200);
  acked(early, 1, 1'150);
  acked(late, 2, 1'107);
  account_.refused(refused);
  const auto& seconds = account_.seconds();
  ASSERT_EQ(seconds.size(), 2u);
  EXPECT_EQ(seconds[0].due, 1u);
  EXPECT_EQ(seconds[0].confirm_latencies.percentile_ms(1), 51);
  EXPECT_EQ(seconds[1].due, 2u);
  EXPECT_EQ(seconds[1].refused, 1u);
  EXPECT_EQ(seconds[1].confirm_latencies.percentile_ms(1), 7);
}

TEST_F(AccountTest, TheLastCopyIsThatOfTheLastReceiver) {
  account_.begin_window(at(0));
  const std::uint64_t number =
      account_.sent({.sender = kAnn, .conversation = 5, .copies = 2, .due = at(10)});
  acked(number, 1, 12);
  received(kBen, number, 1, 13);
  EXPECT_EQ(account_.last_latencies().count(), 0u);
  EXPECT_FALSE(account_.is_complete());
  received(kBen + 1, number, 1, 19);
  EXPECT_EQ(account_.last_latencies().percentile_ms(1), 9);
  EXPECT_EQ(account_.receive_latencies().count(), 2u);
  EXPECT_TRUE(account_.is_complete());
}

TEST_F(AccountTest, LatencyIsThatOfMessagesThatWereDueInTheWindow) {
  const std::uint64_t before = sent(kAnn, 99);
  account_.begin_window(at(100));
  acked(before, 1, 150);
  const std::uint64_t inside = sent(kAnn, 100);
  const std::uint64_t late = sent(kAnn, 199);
  acked(inside, 2, 107);
  received(kBen, inside, 2, 109);
  account_.end_window(at(200));
  acked(late, 3, 499);
  const std::uint64_t after = sent(kAnn, 200);
  acked(after, 4, 201);
  EXPECT_EQ(account_.confirm_latencies().count(), 2u);
  EXPECT_EQ(account_.confirm_latencies().percentile_ms(0.5), 7);
  EXPECT_EQ(account_.confirm_latencies().percentile_ms(1), 300);
  EXPECT_EQ(account_.receive_latencies().percentile_ms(1), 9);
}

TEST_F(AccountTest, TheRateCountsWhatIsAnsweredAndDeliveredInTheWindow) {
  const std::uint64_t before = sent(kAnn, 99);
  account_.begin_window(at(100));
  acked(before, 1, 100);
  received(kBen, before, 1, 101);
  const std::uint64_t late = sent(kAnn, 150);
  account_.end_window(at(200));
  acked(late, 2, 200);
  EXPECT_EQ(account_.totals().confirmed_in_window, 1u);
  EXPECT_EQ(account_.totals().delivered_in_window, 1u);
}

}  // namespace
}  // namespace martlet::bench
