#include "bus/check.h"

#include <gtest/gtest.h>

namespace martlet::bus {
namespace {

TEST(Versions, AreComparedByTheirNumbers) {
  EXPECT_TRUE(is_older("2.9.10", "2.10.29"));
  EXPECT_TRUE(is_older("2.10.27", "2.10.29"));
  EXPECT_FALSE(is_older("2.10.29", "2.10.29"));
  EXPECT_FALSE(is_older("2.11.0-RC.1", "2.10.29"));
  EXPECT_TRUE(is_older("", "2.10.29"));
  EXPECT_TRUE(is_older("next", "2.10.29"));
}

}  // namespace
}  // namespace martlet::bus
