#include "edge/door.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <set>

namespace martlet::edge {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

constexpr MonotonicTime kStart{seconds(1000)};

DoorOptions no_limits() {
  constexpr std::size_t kMany = 1'000'000;
  return {kMany, 0, kMany, 0, {}, {}, {}};
}

class DoorTest : public testing::Test {
 protected:
  void open(const DoorOptions& options) { door_ = std::make_unique<Door>(options); }
  static net::Network host(std::uint64_t number) { return {AF_INET, number}; }

  // Its number, or 0 when it is refused. Who must make room goes.
  std::uint64_t connect(std::uint64_t from = 1) {
    const auto is_idle = [this](std::uint64_t other) { return !busy_.contains(other); };
    const Door::Verdict verdict = door_->admit(++last_, host(from), now_, is_idle);
    made_room_ = verdict.makes_room.value_or(0);
    if (made_room_ != 0) door_->gone(made_room_);
    refused_ = verdict.refusal;
    return verdict.refusal ? 0 : last_;
  }
  std::uint64_t authenticated(std::uint64_t from = 1) {
    const std::uint64_t number = connect(from);
    if (number != 0) door_->no_stranger(number);
    return number;
  }
  ErrorCode log_in(std::uint64_t number, const char* user = "ann") {
    const auto result = door_->may_log_in(number, UserId::trusted(user), now_);
    retry_after_ms_ = result ? 0 : result.error().retry_after_ms;
    return result ? ErrorCode::kNone : result.error().code;
  }
  void expect_refused(CloseReason reason, ErrorCode code) {
    ASSERT_TRUE(refused_.has_value());
    EXPECT_EQ(refused_->reason, reason);
    EXPECT_EQ(refused_->error.code, code);
    EXPECT_GE(refused_->error.retry_after_ms, 1000u);
  }

  std::unique_ptr<Door> door_;
  MonotonicTime now_ = kStart;
  std::uint64_t last_ = 0;
  std::set<std::uint64_t> busy_;
  std::uint64_t made_room_ = 0;
  std::optional<Door::Refusal> refused_;
  std::uint32_t retry_after_ms_ = 0;
};

TEST_F(DoorTest, TheOldestIdleStrangerMakesRoom) {
  DoorOptions options = no_limits();
  options.max_strangers = 3;
  open(options);
  const std::uint64_t first = connect(1);
  const std::uint64_t second = connect(2);
  connect(3);
  busy_.insert(first);
  EXPECT_NE(connect(4), 0u);
  EXPECT_EQ(made_room_, second);
  EXPECT_EQ(door_->strangers(), 3u);
  EXPECT_EQ(door_->connections(), 3u);
}

TEST_F(DoorTest, WhereAllStrangersAreBusyTheNewOneIsRefused) {
  DoorOptions options = no_limits();
  options.max_strangers = 2;
  open(options);
  busy_ = {connect(), connect()};
  EXPECT_EQ(connect(), 0u);
  expect_refused(CloseReason::kTooManyStrangers, ErrorCode::kBusy);
  door_->no_stranger(1);
  EXPECT_NE(connect(), 0u) << "one has authenticated";
  EXPECT_EQ(door_->connections(), 3u);
}

TEST_F(DoorTest, StrangersOfAFullAddressMakeRoomOnlyForTheirOwn) {
  DoorOptions options = no_limits();
  options.max_strangers_per_address = 2;
  open(options);
  const std::uint64_t elsewhere = connect(9);
  const std::uint64_t first = connect(1);
  connect(1);
  EXPECT_NE(connect(1), 0u);
  EXPECT_EQ(made_room_, first);
  EXPECT_NE(connect(2), 0u);
  EXPECT_EQ(made_room_, 0u);
  EXPECT_EQ(connect(9) != 0 && made_room_ == 0, true);
  EXPECT_NE(connect(9), 0u);
  EXPECT_EQ(made_room_, elsewhere);
}

TEST_F(DoorTest, AFullAddressTakesNoMore) {
  DoorOptions options = no_limits();
  options.max_per_address = 2;
  open(options);
  const std::uint64_t one = authenticated(1);
  authenticated(1);
  EXPECT_EQ(connect(1), 0u);
  expect_refused(CloseReason::kAddressFull, ErrorCode::kBusy);
  EXPECT_NE(connect(2), 0u);
  door_->gone(one);
  EXPECT_NE(connect(1), 0u);
}

TEST_F(DoorTest, AFullEdgeTakesNoMoreUnlessAStrangerGoes) {
  DoorOptions options = no_limits();
  options.max_connections = 2;
  open(options);
  authenticated(1);
  const std::uint64_t stranger = connect(2);
  EXPECT_NE(authenticated(3), 0u);
  EXPECT_EQ(made_room_, stranger);
  EXPECT_EQ(connect(4), 0u);
  expect_refused(CloseReason::kTooManyConnections, ErrorCode::kBusy);
}

TEST_F(DoorTest, AnAddressThatConnectsTooOftenIsRefusedForAWhile) {
  DoorOptions options = no_limits();
  options.connects = {2, 3};
  open(options);
  for (int i = 0; i < 3; ++i) EXPECT_NE(connect(1), 0u);
  EXPECT_EQ(connect(1), 0u);
  expect_refused(CloseReason::kAddressRate, ErrorCode::kRateLimited);
  EXPECT_NE(connect(2), 0u);
  now_ += seconds(1);
  EXPECT_NE(connect(1), 0u);
  EXPECT_NE(connect(1), 0u);
  EXPECT_EQ(connect(1), 0u);
}

TEST_F(DoorTest, LoginAndRegisterOfAnAddressShareARate) {
  DoorOptions options = no_limits();
  options.logins = {1, 2};
  open(options);
  const std::uint64_t one = connect(1);
  const std::uint64_t two = connect(1);
  EXPECT_EQ(log_in(one), ErrorCode::kNone);
  EXPECT_TRUE(door_->may_register(two, now_).has_value());
  EXPECT_EQ(log_in(one), ErrorCode::kRateLimited);
  EXPECT_GE(retry_after_ms_, 1000u);
  EXPECT_EQ(door_->may_register(two, now_).error().code, ErrorCode::kRateLimited);
  EXPECT_EQ(log_in(connect(2)), ErrorCode::kNone) << "another address";
  EXPECT_TRUE(door_->may_refresh(one, now_).has_value()) << "costs no password";
  now_ += seconds(1);
  EXPECT_EQ(log_in(one), ErrorCode::kNone);
}

TEST_F(DoorTest, GuessesOfOnePasswordAreSlowAndLockTheOwnerOutNowhereElse) {
  DoorOptions options = no_limits();
  options.wrong_passwords = {10, 3, minutes(1)};
  open(options);
  const std::uint64_t thief = connect(1);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(log_in(thief), ErrorCode::kNone);
    door_->wrong_password(thief, UserId::trusted(i == 0 ? "Ann" : "ann"), now_);
  }
  EXPECT_EQ(log_in(thief, "ANN"), ErrorCode::kRateLimited);
  EXPECT_EQ(retry_after_ms_, 6000u);
  EXPECT_EQ(log_in(connect(1)), ErrorCode::kRateLimited) << "another connection";
  EXPECT_EQ(log_in(thief, "bob"), ErrorCode::kNone);
  EXPECT_EQ(log_in(connect(2)), ErrorCode::kNone) << "the owner";
  now_ += seconds(7);
  EXPECT_EQ(log_in(thief), ErrorCode::kNone);
}

TEST_F(DoorTest, ManyGuessesAtOnceAreADebt) {
  DoorOptions options = no_limits();
  options.wrong_passwords = {10, 3, minutes(1)};
  open(options);
  const std::uint64_t thief = connect(1);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(log_in(thief), ErrorCode::kNone);
  for (int i = 0; i < 100; ++i) door_->wrong_password(thief, UserId::trusted("ann"), now_);
  now_ += minutes(9);
  EXPECT_EQ(log_in(thief), ErrorCode::kRateLimited);
  now_ += minutes(1);
  EXPECT_EQ(log_in(thief), ErrorCode::kNone);
}

TEST_F(DoorTest, WhoOnlyLogsInRightIsNotCharged) {
  DoorOptions options = no_limits();
  options.wrong_passwords = {10, 3, minutes(1)};
  open(options);
  const std::uint64_t one = connect(1);
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(log_in(one), ErrorCode::kNone);
}

TEST_F(DoorTest, WhatItRemembersOfAddressesIsBoundedAndForgotten) {
  DoorOptions options;
  open(options);
  for (std::uint64_t from = 1; from <= 3 * kMaxAddressBuckets; ++from) {
    const std::uint64_t number = connect(from);
    ASSERT_NE(number, 0u);
    log_in(number);
    door_->gone(number);
  }
  EXPECT_LE(door_->addresses(), 2 * kMaxAddressBuckets);
  now_ += minutes(2);
  door_->gone(connect(1));
  EXPECT_LE(door_->addresses(), kMaxAddressBuckets + 1);
}

TEST_F(DoorTest, TheDefaultsLetAnOfficeBehindOneAddressIn) {
  open({});
  for (int i = 0; i < 5000; ++i) ASSERT_NE(authenticated(1), 0u) << i;
  EXPECT_EQ(log_in(1), ErrorCode::kNone);
}

}  // namespace
}  // namespace martlet::edge
