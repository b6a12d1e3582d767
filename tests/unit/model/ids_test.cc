#include "model/ids.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace martlet {
namespace {

constexpr WallMs kNow = 1'800'000'000'000;
constexpr MessageId kNone;

class FixedClock final : public Clock {
 public:
  explicit FixedClock(WallMs wall_ms) : wall_ms_(wall_ms) {}
  MonotonicTime now() const override { return {}; }
  WallMs wall_ms() const override { return wall_ms_; }

 private:
  WallMs wall_ms_;
};

TEST(Ids, OneTo64SafeCharacters) {
  for (const std::string& text : {std::string("a"), std::string("A-Z_09"), std::string(64, 'x')}) {
    EXPECT_TRUE(is_valid_id(text)) << text;
    EXPECT_EQ(UserId::parse(text)->str(), text);
  }
}

TEST(Ids, EverythingElseIsRefused) {
  for (int c = 0; c < 256; ++c) {
    const std::string text(1, static_cast<char>(c));
    const bool is_safe = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                         (c >= '0' && c <= '9') || c == '_' || c == '-';
    EXPECT_EQ(is_valid_id(text), is_safe) << c;
  }
  EXPECT_FALSE(is_valid_id(""));
  EXPECT_FALSE(is_valid_id(std::string(65, 'x')));
  EXPECT_FALSE(is_valid_id(std::string_view("a\0", 2)));
  EXPECT_FALSE(UserId::parse("a.b").has_value());
}

TEST(IdsDeathTest, BadTrustedIdIsABug) {
  EXPECT_DEATH(UserId::trusted("a b"), "is_valid_id");
}

TEST(ClientMsgIds, AreUuidsOfVersion7) {
  SeededRandom random(1);
  const ClientMsgId id = make_client_msg_id(FixedClock(0x0123456789AB), random);
  const std::string text = to_string(id);
  EXPECT_EQ(text.substr(0, 12), "0123456789ab");
  EXPECT_EQ(text[12], '7');
  EXPECT_NE(std::string("89ab").find(text[16]), std::string::npos) << text;
  EXPECT_EQ(text.size(), 32U);
}

TEST(ClientMsgIds, TellWhenTheyWereMade) {
  SeededRandom random(1);
  ClientMsgId id = make_client_msg_id(FixedClock(0x0123456789AB), random);
  EXPECT_EQ(time_of(id), 0x0123456789ABU);
  id.bytes[6] = 0x40;
  EXPECT_EQ(time_of(id), std::nullopt) << "a version 4 is random";
  EXPECT_EQ(time_of(ClientMsgId{}), std::nullopt);
}

TEST(ClientMsgIds, DifferAndSortByTime) {
  SeededRandom random(1);
  std::set<ClientMsgId> ids;
  for (int i = 0; i < 1000; ++i) ids.insert(make_client_msg_id(FixedClock(kNow), random));
  EXPECT_EQ(ids.size(), 1000U);
  EXPECT_GT(make_client_msg_id(FixedClock(kNow + 1), random), *ids.rbegin());
  EXPECT_FALSE(ids.begin()->is_zero());
  EXPECT_TRUE(ClientMsgId().is_zero());
}

TEST(SessionIds, SortByTimeAlsoAsText) {
  const SessionId early{1, UINT64_MAX};
  const SessionId late{2, 0};
  EXPECT_LT(early, late);
  EXPECT_LT(to_string(early), to_string(late));
  EXPECT_EQ(to_string(early), "0000000000000001ffffffffffffffff");
}

TEST(MessageIds, TellTimeAndShard) {
  const MessageId id = make_message_id(ShardId(1023), kNow, kNone);
  EXPECT_EQ(time_of(id), kNow);
  EXPECT_EQ(shard_of(id), ShardId(1023));
}

TEST(MessageIds, GrowWithinAMillisecond) {
  const MessageId first = make_message_id(ShardId(3), kNow, kNone);
  const MessageId second = make_message_id(ShardId(3), kNow, first);
  EXPECT_EQ(second.value(), first.value() + 1);
  EXPECT_EQ(shard_of(second), ShardId(3));
}

TEST(MessageIds, NeverGoBackWithTheClock) {
  MessageId last = make_message_id(ShardId(3), kNow, kNone);
  for (const WallMs wall : {kNow - 5000, kNow - 1, kNow - 60'000, WallMs{0}}) {
    const MessageId next = make_message_id(ShardId(3), wall, last);
    EXPECT_GT(next, last);
    EXPECT_EQ(time_of(next), kNow);
    last = next;
  }
  EXPECT_EQ(time_of(make_message_id(ShardId(3), kNow + 1, last)), kNow + 1);
}

TEST(MessageIds, FullCounterBorrowsTheNextMillisecond) {
  MessageId last = make_message_id(ShardId(3), kNow, kNone);
  for (int i = 0; i < 10'000; ++i) {
    const MessageId next = make_message_id(ShardId(3), kNow, last);
    ASSERT_GT(next, last);
    ASSERT_EQ(shard_of(next), ShardId(3));
    last = next;
  }
  EXPECT_EQ(time_of(last), kNow + 2);
  EXPECT_GT(make_message_id(ShardId(3), kNow + 1, last), last);
}

TEST(MessageIds, OfDifferentShardsDiffer) {
  EXPECT_NE(make_message_id(ShardId(1), kNow, kNone), make_message_id(ShardId(2), kNow, kNone));
}

TEST(MessageIds, ClockBeforeTheStartOfTimeIsHarmless) {
  EXPECT_GT(make_message_id(ShardId(1), 0, kNone), kNone);
  const MessageId first = make_message_id(ShardId(0), 0, kNone);
  EXPECT_GT(make_message_id(ShardId(0), 0, first), first);
}

}  // namespace
}  // namespace martlet
