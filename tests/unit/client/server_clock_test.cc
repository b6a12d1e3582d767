#include "client/server_clock.h"

#include <gtest/gtest.h>

#include "client_test_support.h"

namespace martlet::client {
namespace {

struct DeviceClock final : Clock {
  MonotonicTime now() const override { return monotonic; }
  WallMs wall_ms() const override { return wall; }
  MonotonicTime monotonic = at_ms(1'000);
  WallMs wall = 5'000'000;
};

class ServerClockTest : public testing::Test {
 protected:
  DeviceClock device_;
  ServerClock clock_{device_};
};

TEST_F(ServerClockTest, IsTheDevicesOwnUntilTheServerSpoke) {
  EXPECT_EQ(clock_.wall_ms(), 5'000'000U);
  clock_.told(0);
  device_.wall = 6'000'000;
  EXPECT_EQ(clock_.wall_ms(), 6'000'000U);
}

TEST_F(ServerClockTest, GoesOnFromWhatTheServerSaid) {
  clock_.told(9'000'000);
  device_.monotonic = at_ms(1'250);
  EXPECT_EQ(clock_.wall_ms(), 9'000'250U);
}

TEST_F(ServerClockTest, IsNotMovedByTheDevicesWallClock) {
  clock_.told(9'000'000);
  device_.wall = 99'000'000;
  EXPECT_EQ(clock_.wall_ms(), 9'000'000U);
}

TEST_F(ServerClockTest, BelievesTheLastAnswer) {
  clock_.told(9'000'000);
  device_.monotonic = at_ms(2'000);
  clock_.told(8'000'000);
  EXPECT_EQ(clock_.wall_ms(), 8'000'000U);
}

}  // namespace
}  // namespace martlet::client
