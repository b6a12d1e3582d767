#include "bus/replies.h"

#include <gtest/gtest.h>

#include <vector>

#include "lib/nats/message.h"

namespace martlet::bus {
namespace {

using namespace std::chrono_literals;

const MonotonicTime kStart{1000s};

struct RepliesTest : ::testing::Test {
  Replies::Callback note() {
    return [this](Result<const nats::Message*> answer) {
      codes.push_back(answer ? ErrorCode::kNone : answer.error().code);
    };
  }
  Replies replies{3};
  std::vector<ErrorCode> codes;
  nats::Message message{nullptr};
};

TEST_F(RepliesTest, AnAnswerIsDeliveredOnce) {
  const auto number = replies.add(kStart + 1s, note());
  replies.deliver(number, message);
  replies.deliver(number, message);
  replies.expire(kStart + 10s);
  EXPECT_EQ(codes, std::vector{ErrorCode::kNone});
}

TEST_F(RepliesTest, OnlyWhatWaitedTooLongExpires) {
  replies.add(kStart + 1s, note());
  const auto later = replies.add(kStart + 2s, note());
  replies.expire(kStart + 990ms);
  EXPECT_TRUE(codes.empty());
  replies.expire(kStart + 1050ms);
  EXPECT_EQ(codes, std::vector{ErrorCode::kTimeout});
  replies.deliver(later, message);
  EXPECT_TRUE(replies.empty());
}

TEST_F(RepliesTest, TooManyAreRefusedWithoutACall) {
  for (int i = 0; i < 3; ++i) EXPECT_NE(replies.add(kStart + 1s, note()), 0U);
  EXPECT_EQ(replies.add(kStart + 1s, note()), 0U);
  EXPECT_TRUE(codes.empty());
}

TEST_F(RepliesTest, AForgottenOneIsNotCalled) {
  replies.forget(replies.add(kStart + 1s, note()));
  replies.expire(kStart + 10s);
  EXPECT_TRUE(codes.empty());
}

TEST_F(RepliesTest, WhoFailsMayAskAgainAtOnce) {
  replies.add(kStart + 1s, [&](auto) { replies.add(kStart + 2s, note()); });
  replies.fail_all({ErrorCode::kUnavailable, "gone"});
  EXPECT_EQ(replies.size(), 1U);
  replies.expire(kStart + 3s);
  EXPECT_EQ(codes, std::vector{ErrorCode::kTimeout});
}

}  // namespace
}  // namespace martlet::bus
