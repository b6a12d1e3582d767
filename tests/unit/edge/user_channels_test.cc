#include "edge/user_channels.h"

#include <gtest/gtest.h>

#include "bus/subjects.h"
#include "fake_bus.h"

namespace martlet::edge {
namespace {

using std::chrono::seconds;

constexpr MonotonicTime kStart{seconds(1000)};

struct FixedClock final : Clock {
  MonotonicTime now() const override { return time; }
  WallMs wall_ms() const override { return 0; }
  MonotonicTime time = kStart;
};

class SubjectPerUserTest : public testing::Test {
 protected:
  SubjectPerUserTest() { bus_.hold_pongs = true; }

  static UserId user(int number) { return UserId::trusted("u" + std::to_string(number)); }
  void attach(int number) {
    channels_.attach(user(number),
                     [this](const Result<void>& result) { ++(result ? ready_ : failed_); });
  }
  void advance(Duration by) {
    clock_.time += by;
    wheel_.advance(clock_.time);
  }
  void answer_oldest(Result<void> result) {
    const auto done = std::move(bus_.pongs.front());
    bus_.pongs.erase(bus_.pongs.begin());
    done(std::move(result));
  }

  FakeBus bus_;
  TimerWheel wheel_{kStart, seconds(1), 64};
  FixedClock clock_;
  std::vector<std::string> got_;
  SubjectPerUser channels_{bus_, wheel_, clock_, {}, [this](const UserId& to, BytesView payload) {
                             got_.push_back(to.str() + ":" + std::string(payload));
                           }};
  int ready_ = 0;
  int failed_ = 0;
};

TEST_F(SubjectPerUserTest, ARenewedSubscriptionReplacesTheOldOneAndComesSeldom) {
  attach(1);
  EXPECT_FALSE(channels_.renew(user(1))) << "it has just begun";
  advance(seconds(10));
  EXPECT_TRUE(channels_.renew(user(1)));
  EXPECT_FALSE(channels_.renew(user(1)));
  bus_.deliver(bus::subject::user(user(1)), "x");
  EXPECT_EQ(got_.size(), 1u) << "the old one is gone";
}

TEST_F(SubjectPerUserTest, AStormOfLoginsCostsTwoQuestions) {
  for (int i = 0; i < 1000; ++i) attach(i);
  EXPECT_EQ(bus_.pongs.size(), 1u);
  answer_oldest({});
  EXPECT_EQ(ready_, 1) << "the first question was asked before the others had subscribed";
  ASSERT_EQ(bus_.pongs.size(), 1u);
  answer_oldest({});
  EXPECT_EQ(ready_, 1000);
  EXPECT_TRUE(bus_.pongs.empty());
}

TEST_F(SubjectPerUserTest, AKnownSubjectIsReadyAtOnce) {
  attach(1);
  answer_oldest({});
  attach(1);
  EXPECT_EQ(ready_, 2);
  EXPECT_TRUE(bus_.pongs.empty());
}

TEST_F(SubjectPerUserTest, AFailureIsToldAndTheNextAsksAnew) {
  attach(1);
  answer_oldest(fail(ErrorCode::kTimeout));
  EXPECT_EQ(failed_, 1);
  attach(1);
  answer_oldest({});
  EXPECT_EQ(ready_, 1);
}

TEST_F(SubjectPerUserTest, HandsOverWhatIsPublishedToTheUser) {
  attach(1);
  attach(2);
  bus_.deliver("im.u.u2", "hello");
  EXPECT_EQ(got_, std::vector<std::string>{"u2:hello"});
}

TEST_F(SubjectPerUserTest, TheSubscriptionEndsOnlyAfterTheLastDetachAndItsTime) {
  attach(1);
  attach(1);
  channels_.detach(user(1));
  advance(seconds(20));
  EXPECT_EQ(channels_.size(), 1u);
  channels_.detach(user(1));
  advance(seconds(9));
  EXPECT_EQ(channels_.size(), 1u);
  advance(seconds(2));
  EXPECT_EQ(channels_.size(), 0u);
  EXPECT_FALSE(bus_.has_subscription("im.u.u1"));
}

TEST_F(SubjectPerUserTest, AnAnswerAfterItsEndIsHarmless) {
  bus::Bus::Done late;
  {
    SubjectPerUser gone(bus_, wheel_, clock_, {}, [](const UserId&, BytesView) {});
    gone.attach(user(1), [this](const Result<void>&) { ++ready_; });
    late = std::move(bus_.pongs.front());
  }
  late({});
  EXPECT_EQ(ready_, 0);
}

}  // namespace
}  // namespace martlet::edge
