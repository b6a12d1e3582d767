#include "bench/message_number.h"

#include <gtest/gtest.h>

namespace martlet::bench {
namespace {

TEST(MessageNumber, ComesBackFromTheId) {
  for (const std::uint64_t number : {0ull, 1ull, 255ull, 256ull, 1'000'000ull, (1ull << 56) - 1}) {
    EXPECT_EQ(number_of(make_numbered_id(1'700'000'000'000, number)), number);
  }
}

// Any other id would be looked up in the database.
TEST(MessageNumber, TheIdIsAUuidWithItsTime) {
  const WallMs now = 1'700'000'000'123;
  EXPECT_EQ(time_of(make_numbered_id(now, 42)), now);
}

TEST(MessageNumber, AnIdOfSomebodyElseHasNone) {
  SeededRandom random(1);
  const SystemClock clock;
  EXPECT_EQ(number_of(make_client_msg_id(clock, random)), std::nullopt);
  EXPECT_EQ(number_of(ClientMsgId()), std::nullopt);
}

}  // namespace
}  // namespace martlet::bench
