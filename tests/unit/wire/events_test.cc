#include "wire/events.h"

#include <gtest/gtest.h>

#include "samples.h"

namespace martlet::wire {
namespace {

using samples::alice_and_bob;
using samples::msg_id;
using samples::user;

TEST(Events, ReadEventComesBack) {
  const auto got = parse_read_event(encode(ReadEvent{alice_and_bob(), user("bob"), Seq(4)}));
  ASSERT_TRUE(got) << samples::detail_of(got);
  EXPECT_EQ(got->conversation, alice_and_bob());
  EXPECT_EQ(got->user, user("bob"));
  EXPECT_EQ(got->seq, Seq(4));
}

TEST(Events, TypingEventComesBack) {
  const auto got = parse_typing_event(encode(TypingEvent{alice_and_bob(), user("bob")}));
  ASSERT_TRUE(got) << samples::detail_of(got);
  EXPECT_EQ(got->conversation, alice_and_bob());
  EXPECT_EQ(got->user, user("bob"));
}

TEST(Events, StoredEventComesBack) {
  const auto got = parse_stored_event(encode(StoredEvent{msg_id(2), alice_and_bob(), Seq(4)}));
  ASSERT_TRUE(got) << samples::detail_of(got);
  EXPECT_EQ(got->client_msg_id, msg_id(2));
  EXPECT_EQ(got->conversation, alice_and_bob());
  EXPECT_EQ(got->seq, Seq(4));
}

TEST(Events, ResyncEventIsForAllOrForOneConversation) {
  EXPECT_TRUE(parse_resync_event(encode(ResyncEvent{10000, {}}))->conversation.empty());
  const auto one = parse_resync_event(encode(ResyncEvent{5, alice_and_bob()}));
  EXPECT_EQ(one->conversation, alice_and_bob());
  EXPECT_EQ(one->within_ms, 5U);
}

TEST(Events, KickedEventComesBack) {
  const auto got = parse_kicked_event(encode(KickedEvent{KickReason::SlowConsumer, true}));
  EXPECT_EQ(got->reason, KickReason::SlowConsumer);
  EXPECT_TRUE(got->may_reconnect);
}

TEST(Events, ReconnectEventComesBack) {
  const Bytes body = encode(ReconnectEvent{"127.0.0.1:7000", 3000});
  EXPECT_EQ(parse_reconnect_event(body)->to, "127.0.0.1:7000");
  EXPECT_EQ(parse_reconnect_event(body)->within_ms, 3000U);
}

}  // namespace
}  // namespace martlet::wire
