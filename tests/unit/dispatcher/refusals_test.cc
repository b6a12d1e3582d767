#include "dispatcher/refusals.h"

#include <gtest/gtest.h>

#include "rig.h"

namespace martlet::dispatcher::testing {
namespace {

using namespace std::chrono_literals;

constexpr MonotonicTime kNow{1s};
constexpr Refusals::Refusal kNotMember{ErrorCode::kNotMember, true};
constexpr Refusals::Refusal kForbidden{ErrorCode::kForbidden, true};

TEST(Refusals, TellsWhatWasRefusedUntilItsTime) {
  Refusals refusals(10);
  refusals.add(group("team"), user("bob"), id_of(1), kNotMember, kNow + 30s);
  EXPECT_EQ(refusals.find(group("team"), user("bob"), id_of(1)), kNotMember);
  EXPECT_EQ(refusals.find(group("team"), user("bob"), id_of(2)), Refusals::Refusal());
  EXPECT_EQ(refusals.find(group("team"), user("carol"), id_of(1)), Refusals::Refusal());
  EXPECT_EQ(refusals.find(group("other"), user("bob"), id_of(1)), Refusals::Refusal());
  refusals.forget_old(kNow + 29s);
  EXPECT_EQ(refusals.size(), 1u);
  refusals.forget_old(kNow + 30s);
  EXPECT_EQ(refusals.size(), 0u);
}

TEST(Refusals, KeepsTheFirstReason) {
  Refusals refusals(10);
  refusals.add(group("team"), user("bob"), id_of(1), kNotMember, kNow);
  refusals.add(group("team"), user("bob"), id_of(1), kForbidden, kNow);
  EXPECT_EQ(refusals.find(group("team"), user("bob"), id_of(1)), kNotMember);
  EXPECT_EQ(refusals.size(), 1u);
}

TEST(Refusals, WhatWasNotToldYetIsToldLater) {
  Refusals refusals(10);
  refusals.add(group("team"), user("bob"), id_of(1), {ErrorCode::kNotMember, false}, kNow);
  EXPECT_FALSE(refusals.find(group("team"), user("bob"), id_of(1)).is_told);
  refusals.add(group("team"), user("bob"), id_of(1), kNotMember, kNow);
  EXPECT_EQ(refusals.find(group("team"), user("bob"), id_of(1)), kNotMember);
  refusals.add(group("team"), user("bob"), id_of(1), {ErrorCode::kNotMember, false}, kNow);
  EXPECT_TRUE(refusals.find(group("team"), user("bob"), id_of(1)).is_told);
}

TEST(Refusals, ForgetsTheOldestWhenFull) {
  Refusals refusals(2);
  for (std::uint64_t i = 1; i <= 3; ++i) {
    refusals.add(group("team"), user("bob"), id_of(i), kNotMember, kNow + 30s);
  }
  EXPECT_EQ(refusals.size(), 2u);
  EXPECT_EQ(refusals.find(group("team"), user("bob"), id_of(1)), Refusals::Refusal());
  EXPECT_EQ(refusals.find(group("team"), user("bob"), id_of(3)), kNotMember);
}

}  // namespace
}  // namespace martlet::dispatcher::testing
