#include "dispatcher/parking.h"

#include <gtest/gtest.h>

#include "dispatcher/limits.h"
#include "rig.h"

namespace martlet::dispatcher::testing {
namespace {

using namespace std::chrono_literals;

class ParkingTest : public ::testing::Test {
 protected:
  static SendFrame frame(std::string_view from, std::string_view to, std::uint64_t number) {
    SendFrame frame;
    frame.asker.edge = EdgeId::trusted("edge1");
    frame.user = user(from);
    frame.conversation = between(from, to);
    frame.id = id_of(number);
    return frame;
  }
  std::optional<wire::ColdQuestion> ask() {
    return parking.next_question(kShard, Generation(1), LogPosition(0));
  }
  static MonotonicTime at(Duration time) { return MonotonicTime(time); }

  ConversationId ab = between("alice", "bob");
  Parking parking{100};
};

TEST_F(ParkingTest, AsksEachConversationOnce) {
  parking.park(frame("alice", "bob", 1), {.head = true}, at(1s));
  parking.park(frame("bob", "alice", 2), {.head = true}, at(1s));
  const auto question = ask();
  EXPECT_EQ(question->conversations.size(), 1u);
  EXPECT_TRUE(question->messages.empty());
}

TEST_F(ParkingTest, AsksCopiesOfAMessageOnce) {
  SendFrame copy = frame("alice", "bob", 1);
  copy.asker.request_id = 2;
  parking.park(frame("alice", "bob", 1), {.lookup = true}, at(1s));
  parking.park(std::move(copy), {.lookup = true}, at(1s));
  EXPECT_EQ(ask()->messages.size(), 1u);
  parking.question_answered({});
  EXPECT_EQ(parking.take_ready(ab).size(), 2u);
}

TEST_F(ParkingTest, AsksAgainWhatFailed) {
  parking.park(frame("alice", "bob", 1), {.head = true, .lookup = true}, at(1s));
  EXPECT_TRUE(ask().has_value());
  EXPECT_FALSE(ask().has_value());
  parking.question_failed();
  const auto again = ask();
  EXPECT_EQ(again->conversations.size(), 1u);
  EXPECT_EQ(again->messages.size(), 1u);
}

TEST_F(ParkingTest, AsksNothingForFramesThatLeft) {
  parking.park(frame("alice", "bob", 1), {.head = true}, at(1s));
  parking.take_expired(at(1s));
  EXPECT_FALSE(ask().has_value());
}

TEST_F(ParkingTest, AFrameBehindAnExpiredOneOfTheSameSenderLeavesWithIt) {
  parking.park(frame("alice", "bob", 1), {.head = true}, at(1s));
  parking.park(frame("alice", "bob", 2), {.head = true}, at(5s));
  parking.park(frame("bob", "alice", 3), {.head = true}, at(5s));
  const auto expired = parking.take_expired(at(1s));
  ASSERT_EQ(expired.size(), 2u);
  EXPECT_EQ(expired[1].id, id_of(2));
  EXPECT_EQ(parking.frames(), 1u);
}

TEST_F(ParkingTest, ASendersFramesStayBehindItsFirstThatWaits) {
  parking.park(frame("alice", "bob", 1), {.lookup = true}, at(1s));
  parking.park(frame("alice", "bob", 2), {}, at(1s));
  parking.park(frame("bob", "alice", 3), {}, at(1s));
  const auto ready = parking.take_ready(ab);
  ASSERT_EQ(ready.size(), 1u);
  EXPECT_EQ(ready[0].id, id_of(3));
  EXPECT_TRUE(parking.holds(ab, user("alice")));
  EXPECT_FALSE(parking.holds(ab, user("bob")));
}

TEST_F(ParkingTest, CountsWhatLeaves) {
  parking.park(frame("alice", "bob", 1), {.head = true}, at(1s));
  parking.park(frame("alice", "carol", 2), {.head = true}, at(1s));
  EXPECT_EQ(parking.take_all(ab).size(), 1u);
  EXPECT_EQ(parking.take_ready(between("alice", "carol")).size(), 1u);
  EXPECT_EQ(parking.frames(), 0u);
  EXPECT_EQ(parking.bytes(), 0u);
}

TEST_F(ParkingTest, RandomUseKeepsItsBookkeeping) {
  SeededRandom random(7);
  Duration now = 0s;
  std::size_t inside = 0;
  for (int i = 0; i < 20'000; ++i) {
    now += 1ms;
    const std::string from = "u" + std::to_string(random.below(20));
    const std::string to = "v" + std::to_string(random.below(5));
    SendFrame one = frame(from, to, random.below(1000));
    switch (random.below(6)) {
      case 0:
        if (parking.is_asking()) parking.question_failed();
        break;
      case 1:
        if (parking.is_asking()) {
          parking.question_answered({});
        } else {
          ask();
        }
        break;
      case 2:
        inside -= parking.take_ready(one.conversation).size();
        break;
      case 3:
        inside -= parking.take_expired(at(now)).size();
        break;
      default: {
        const Needs needs{random.below(2) == 0, random.below(2) == 0};
        inside += parking.park(std::move(one), needs, at(now + 50ms)) == Parking::Parked::kYes;
      }
    }
    ASSERT_EQ(parking.frames(), inside);
  }
  parking.take_expired(at(now + 1s));
  EXPECT_EQ(parking.bytes(), 0u);
}

}  // namespace
}  // namespace martlet::dispatcher::testing
