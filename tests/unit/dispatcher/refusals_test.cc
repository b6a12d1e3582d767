#include "dispatcher/refusals.h"

#include <gtest/gtest.h>

#include "rig.h"

namespace martlet::dispatcher::testing {
namespace {

using namespace std::chrono_literals;

constexpr MonotonicTime kNow{1s};

TEST(Refusals, TellsWhatWasRefusedUntilItsTime) {
  Refusals refusals(10);
  refusals.add(group("team"), user("bob"), id_of(1), ErrorCode::kNotMember, kNow + 30s);
  EXPECT_EQ(refusals.find(group("team"), user("bob"), id_of(1)), ErrorCode::kNotMember);
  EXPECT_EQ(refusals.find(group("team"), user("bob"), id_of(2)), ErrorCode::kNone);
  EXPECT_EQ(refusals.find(group("team"), user("carol"), id_of(1)), ErrorCode::kNone);
  EXPECT_EQ(refusals.find(group("other"), user("bob"), id_of(1)), ErrorCode::kNone);
  refusals.forget_old(kNow + 29s);
  EXPECT_EQ(refusals.size(), 1u);
  refusals.forget_old(kNow + 30s);
  EXPECT_EQ(refusals.size(), 0u);
}

TEST(Refusals, KeepsTheFirstReason) {
  Refusals refusals(10);
  refusals.add(group("team"), user("bob"), id_of(1), ErrorCode::kNotMember, kNow);
  refusals.add(group("team"), user("bob"), id_of(1), ErrorCode::kForbidden, kNow);
  EXPECT_EQ(refusals.find(group("team"), user("bob"), id_of(1)), ErrorCode::kNotMember);
  EXPECT_EQ(refusals.size(), 1u);
}

TEST(Refusals, ForgetsTheOldestWhenFull) {
  Refusals refusals(2);
  for (std::uint64_t i = 1; i <= 3; ++i) {
    refusals.add(group("team"), user("bob"), id_of(i), ErrorCode::kNotMember, kNow + 30s);
  }
  EXPECT_EQ(refusals.size(), 2u);
  EXPECT_EQ(refusals.find(group("team"), user("bob"), id_of(1)), ErrorCode::kNone);
  EXPECT_EQ(refusals.find(group("team"), user("bob"), id_of(3)), ErrorCode::kNotMember);
}

}  // namespace
}  // namespace martlet::dispatcher::testing
