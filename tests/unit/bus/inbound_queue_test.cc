#include "lib/nats/inbound_queue.h"

#include <gtest/gtest.h>

#include <string>

namespace martlet::nats {
namespace {

InboundQueue::Item item(SubscriptionId id, std::size_t bytes) {
  const std::string payload(bytes, 'x');
  natsMsg* raw = nullptr;
  natsMsg_Create(&raw, "s", nullptr, payload.data(), static_cast<int>(payload.size()));
  return {id, Message(raw)};
}

struct InboundQueueTest : ::testing::Test {
  static void SetUpTestSuite() { ASSERT_EQ(nats_Open(-1), NATS_OK); }
  int wakes = 0;
  InboundQueue queue{{.messages = 100, .bytes = 10'000, .droppable_percent = 50},
                     [this] { ++wakes; }};
};

TEST_F(InboundQueueTest, WakesOnlyWhenItWasEmpty) {
  queue.put(item(1, 1), true);
  queue.put(item(2, 1), true);
  EXPECT_EQ(wakes, 1);
  EXPECT_EQ(queue.take().size(), 2U);
  queue.put(item(3, 1), true);
  EXPECT_EQ(wakes, 2);
}

TEST_F(InboundQueueTest, KeepsTheOrder) {
  for (SubscriptionId id = 1; id <= 5; ++id) queue.put(item(id, 1), id % 2 == 0);
  SubscriptionId expected = 0;
  for (const auto& one : queue.take()) EXPECT_EQ(one.subscription, ++expected);
}

TEST_F(InboundQueueTest, DroppableMessagesLeaveRoomForAnswers) {
  for (int i = 0; i < 80; ++i) queue.put(item(1, 1), true);
  for (int i = 0; i < 80; ++i) queue.put(item(2, 1), false);
  EXPECT_EQ(queue.take().size(), 100U);
  EXPECT_EQ(queue.take_dropped(), 60U);
  EXPECT_EQ(queue.take_dropped(), 0U);
}

TEST_F(InboundQueueTest, BytesAreLimitedToo) {
  for (int i = 0; i < 10; ++i) queue.put(item(1, 1000), true);
  EXPECT_EQ(queue.take().size(), 5U);
  for (int i = 0; i < 20; ++i) queue.put(item(1, 1000), false);
  EXPECT_EQ(queue.take().size(), 10U);
}

TEST_F(InboundQueueTest, ADropInsideTheLibraryWakesToo) {
  queue.note_dropped();
  EXPECT_EQ(wakes, 1);
  EXPECT_EQ(queue.take_dropped(), 1U);
}

}  // namespace
}  // namespace martlet::nats
