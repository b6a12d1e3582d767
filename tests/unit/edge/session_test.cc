#include "edge/session.h"

#include <gtest/gtest.h>

namespace martlet::edge {
namespace {

using std::chrono::seconds;
using wire::Codec;
using wire::Command;

constexpr MonotonicTime kStart{seconds(1000)};

class SessionTest : public testing::Test {
 protected:
  ErrorCode admit(Command command, std::uint32_t id) {
    const auto result = session_.admit(wire::find_command(command), id);
    return result ? ErrorCode::kNone : result.error().code;
  }
  void authenticate(MonotonicTime expires = kStart + seconds(3600)) {
    session_.authenticating(user_, device_);
    session_.authenticated({1, 2}, expires, kStart);
  }

  SessionLimits limits_;
  Session session_{limits_, kStart};
  UserId user_ = UserId::trusted("ann");
  DeviceId device_ = DeviceId::trusted("phone");
};

TEST_F(SessionTest, BeforeAuthOnlyTheCommandsOfAnAccountAreTaken) {
  for (const Command command : {Command::Ping, Command::Register, Command::Login, Command::Auth,
                                Command::Refresh, Command::Goodbye}) {
    EXPECT_EQ(admit(command, 1), ErrorCode::kNone) << int(command);
  }
  for (const Command command :
       {Command::Send, Command::Read, Command::Sync, Command::Fetch, Command::History}) {
    EXPECT_EQ(admit(command, 1), ErrorCode::kNotAuthenticated) << int(command);
  }
}

TEST_F(SessionTest, AfterAuthAllAreTaken) {
  authenticate();
  EXPECT_EQ(admit(Command::Send, 1), ErrorCode::kNone);
}

TEST_F(SessionTest, AnswersAndEventsAreNoCommandsOfAClient) {
  EXPECT_EQ(admit(Command::Pong, 1), ErrorCode::kUnknownCommand);
  EXPECT_EQ(admit(Command::MessageEvent, 1), ErrorCode::kUnknownCommand);
  EXPECT_EQ(session_.admit(nullptr, 1).error().code, ErrorCode::kUnknownCommand);
}

TEST_F(SessionTest, OnlyPingMayGoWithoutARequestId) {
  EXPECT_EQ(admit(Command::Ping, 0), ErrorCode::kNone);
  EXPECT_EQ(admit(Command::Login, 0), ErrorCode::kBadRequestId);
}

TEST_F(SessionTest, ARequestIdIsFreeAgainAfterItsAnswer) {
  authenticate();
  session_.begin(7, {Command::Send, {}, kStart});
  EXPECT_EQ(admit(Command::Send, 7), ErrorCode::kBadRequestId);
  EXPECT_TRUE(session_.finish(7, kStart).has_value());
  EXPECT_FALSE(session_.finish(7, kStart).has_value());
  EXPECT_EQ(admit(Command::Send, 7), ErrorCode::kNone);
}

TEST_F(SessionTest, AtTheLimitOfUnansweredRequestsTheNextWaits) {
  authenticate();
  for (std::uint32_t id = 1; id <= limits_.max_unanswered; ++id) {
    EXPECT_FALSE(session_.must_wait(Command::Send));
    session_.begin(id, {Command::Send, {}, kStart});
  }
  EXPECT_TRUE(session_.must_wait(Command::Send));
  session_.finish(1, kStart);
  EXPECT_FALSE(session_.must_wait(Command::Send));
}

TEST_F(SessionTest, ReadsHaveALowerLimitThatSendsDoNotFeel) {
  authenticate();
  session_.heard(Codec::kFlatBuffers, kStart);
  for (std::uint32_t id = 1; id <= limits_.max_reads; ++id) {
    session_.begin(id, {Command::Fetch, {}, kStart});
  }
  EXPECT_TRUE(session_.must_wait(Command::Sync));
  EXPECT_FALSE(session_.must_wait(Command::Send));
  session_.finish(1, kStart);
  EXPECT_FALSE(session_.must_wait(Command::Sync));
}

TEST_F(SessionTest, InJsonOneReadAtATimeIsEnough) {
  authenticate();
  session_.heard(Codec::kJson, kStart);
  session_.begin(1, {Command::Fetch, {}, kStart});
  EXPECT_TRUE(session_.must_wait(Command::History));
}

TEST_F(SessionTest, OneQuestionAboutAnAccountAtATime) {
  session_.begin(1, {Command::Login, {}, kStart});
  EXPECT_TRUE(session_.must_wait(Command::Register));
  EXPECT_FALSE(session_.must_wait(Command::Ping));
}

TEST_F(SessionTest, WhileAuthIsUnderWayAllWaits) {
  session_.authenticating(user_, device_);
  EXPECT_TRUE(session_.must_wait(Command::Ping));
  session_.authentication_failed(kStart);
  EXPECT_FALSE(session_.must_wait(Command::Ping));
}

TEST_F(SessionTest, AFullOutputStopsTheInput) {
  session_.output_blocked(kStart);
  EXPECT_TRUE(session_.must_wait(Command::Ping));
  session_.output_drained();
  EXPECT_FALSE(session_.must_wait(Command::Ping));
}

TEST_F(SessionTest, AnswersInTheCodecOfTheFirstFrame) {
  session_.heard(Codec::kJson, kStart);
  session_.heard(Codec::kFlatBuffers, kStart);
  EXPECT_EQ(session_.codec(), Codec::kJson);
}

TEST_F(SessionTest, MayRenewOnlyItself) {
  EXPECT_TRUE(session_.check_identity(UserId::trusted("bob"), device_));
  authenticate();
  EXPECT_TRUE(session_.check_identity(user_, device_));
  EXPECT_FALSE(session_.check_identity(UserId::trusted("bob"), device_));
  EXPECT_FALSE(session_.check_identity(user_, DeviceId::trusted("pad")));
}

TEST_F(SessionTest, WithoutAuthItEndsAfterTenSecondsEvenIfItPings) {
  session_.heard(Codec::kJson, kStart + seconds(9));
  EXPECT_EQ(session_.deadline(), kStart + seconds(10));
  EXPECT_FALSE(session_.overdue(kStart + seconds(9)));
  EXPECT_EQ(session_.overdue(kStart + seconds(10)), CloseReason::kAuthTimeout);
}

TEST_F(SessionTest, TheAnswerToALoginGivesTenSecondsMore) {
  session_.begin(1, {Command::Login, {}, kStart});
  EXPECT_FALSE(session_.overdue(kStart + seconds(12)));
  session_.finish(1, kStart + seconds(12));
  EXPECT_FALSE(session_.overdue(kStart + seconds(21)));
  EXPECT_EQ(session_.overdue(kStart + seconds(22)), CloseReason::kAuthTimeout);
}

TEST_F(SessionTest, SilenceEndsIt) {
  authenticate();
  session_.heard(Codec::kJson, kStart + seconds(5));
  EXPECT_EQ(session_.deadline(), kStart + seconds(35));
  EXPECT_EQ(session_.overdue(kStart + seconds(35)), CloseReason::kHeartbeat);
}

TEST_F(SessionTest, SilenceDoesNotCountWhileWeDoNotRead) {
  authenticate();
  session_.reading(false, kStart + seconds(1));
  EXPECT_FALSE(session_.overdue(kStart + seconds(100)));
  session_.reading(true, kStart + seconds(100));
  EXPECT_FALSE(session_.overdue(kStart + seconds(129)));
  EXPECT_EQ(session_.overdue(kStart + seconds(130)), CloseReason::kHeartbeat);
}

TEST_F(SessionTest, ATokenThatRanOutIsGoodForTheGracePeriod) {
  authenticate(kStart + seconds(5));
  session_.heard(Codec::kJson, kStart + seconds(64));
  EXPECT_FALSE(session_.overdue(kStart + seconds(64)));
  EXPECT_EQ(session_.overdue(kStart + seconds(65)), CloseReason::kTokenExpired);
}

TEST_F(SessionTest, ARenewedTokenProlongs) {
  authenticate(kStart + seconds(5));
  session_.renewed(kStart + seconds(3600));
  session_.heard(Codec::kJson, kStart + seconds(65));
  EXPECT_FALSE(session_.overdue(kStart + seconds(65)));
}

TEST_F(SessionTest, AFullOutputWithoutProgressEndsIt) {
  authenticate();
  session_.reading(false, kStart);
  session_.output_blocked(kStart);
  session_.output_progress(kStart + seconds(10));
  EXPECT_FALSE(session_.overdue(kStart + seconds(39)));
  EXPECT_EQ(session_.overdue(kStart + seconds(40)), CloseReason::kSlowConsumer);
}

// ---- hints to sync ---------------------------------------------------------------------------

TEST(SyncHintsTest, OneIsAsGoodAsManyUntilTheSyncComes) {
  SyncHints hints;
  EXPECT_TRUE(hints.want(kStart + seconds(5), false, kStart));
  EXPECT_FALSE(hints.want(kStart + seconds(5), false, kStart));
  EXPECT_FALSE(hints.want(kStart + seconds(9), false, kStart + seconds(4)));
  EXPECT_TRUE(hints.want(kStart + seconds(4), false, kStart)) << "an earlier one counts";
  hints.asked();
  EXPECT_TRUE(hints.want(kStart + seconds(5), false, kStart));
}

TEST(SyncHintsTest, WhoNeverSyncsIsToldAgainWhenItIsTime) {
  SyncHints hints;
  EXPECT_TRUE(hints.want(kStart, false, kStart));
  EXPECT_FALSE(hints.want(kStart, false, kStart));
  EXPECT_TRUE(hints.want(kStart + seconds(1), false, kStart + seconds(1)));
}

TEST(SyncHintsTest, WhatComesDuringASyncIsToldBehindItsAnswer) {
  SyncHints hints;
  hints.asked();
  EXPECT_TRUE(hints.want(kStart + seconds(2), true, kStart)) << "who knows whether it is too late";
  EXPECT_FALSE(hints.want(kStart + seconds(5), true, kStart));
  EXPECT_EQ(hints.answered(), kStart + seconds(2));
  EXPECT_EQ(hints.answered(), std::nullopt) << "once";
}

TEST(SyncHintsTest, WhatWasWrittenBetweenTwoPagesIsToldAgain) {
  SyncHints hints;
  hints.asked();
  EXPECT_TRUE(hints.want(kStart + seconds(5), false, kStart));
  EXPECT_EQ(hints.answered(), kStart + seconds(5));
}

}  // namespace
}  // namespace martlet::edge
