#include "service/lifecycle.h"

#include <gtest/gtest.h>

namespace martlet::service {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using State = Lifecycle::State;

struct FakeApplication final : Application {
  void start(Started on_started) override { started = std::move(on_started); }
  Result<void> ready() const override { return readiness; }
  void stop_phase_one(Done on_done) override { one = std::move(on_done); }
  void stop_phase_two(Done on_done) override { two = std::move(on_done); }

  Started started;
  Done one;
  Done two;
  Result<void> readiness;
};

class LifecycleTest : public testing::Test {
 protected:
  Lifecycle::Events events() {
    return {[this] { seen += "serving "; },
            [this](const Error& error) { seen += "failed:" + error.detail + " "; },
            [this] { seen += "stopped "; },
            [this](const std::string& why) {
              seen += "gave_up:" + why + " ";
              loop.stop();
            }};
  }

  event::Loop loop;
  FakeApplication application;
  std::string seen;
};

TEST_F(LifecycleTest, ServesWhenTheApplicationHasStarted) {
  Lifecycle life(loop, application, seconds(1), events());
  life.start();
  EXPECT_EQ(life.state(), State::kStarting);
  application.started({});
  EXPECT_EQ(life.state(), State::kServing);
  EXPECT_EQ(seen, "serving ");
}

TEST_F(LifecycleTest, TellsWhyTheStartFailed) {
  Lifecycle life(loop, application, seconds(1), events());
  life.start();
  application.started(fail(ErrorCode::kUnavailable, "no broker"));
  EXPECT_EQ(seen, "failed:no broker ");
}

TEST_F(LifecycleTest, AStopByRequestLeavesSigtermItsFirstTime) {
  Lifecycle life(loop, application, seconds(1), events());
  life.stop_by_request("too early");
  EXPECT_EQ(life.state(), State::kNew);
  life.start();
  application.started({});
  life.stop_by_request("drained by ann");
  EXPECT_EQ(life.state(), State::kStopPhaseOne);
  life.stop_by_request("drained by ann");
  life.stop("SIGTERM");
  EXPECT_EQ(life.state(), State::kStopPhaseOne) << "it is stopping already";
  life.stop("SIGTERM");
  EXPECT_EQ(seen, "serving gave_up:told to stop again: SIGTERM ");
}

TEST_F(LifecycleTest, IsReadyOnlyWhileServingAndIfTheApplicationIs) {
  Lifecycle life(loop, application, seconds(1), events());
  EXPECT_EQ(life.ready().error().detail, "new");
  life.start();
  EXPECT_EQ(life.ready().error().detail, "starting");
  application.started({});
  EXPECT_TRUE(life.ready());
  application.readiness = fail(ErrorCode::kUnavailable, "no broker");
  EXPECT_EQ(life.ready().error().detail, "no broker");
  application.readiness = {};
  life.stop("test");
  EXPECT_EQ(life.ready().error().detail, "stopping, phase one");
}

TEST_F(LifecycleTest, PhaseTwoBeginsWhenPhaseOneIsDone) {
  Lifecycle life(loop, application, seconds(1), events());
  life.start();
  application.started({});
  life.stop("test");
  EXPECT_TRUE(application.one);
  EXPECT_FALSE(application.two);
  application.one();
  EXPECT_EQ(life.state(), State::kStopPhaseTwo);
  ASSERT_TRUE(application.two);
  application.two();
  EXPECT_EQ(life.state(), State::kStopped);
  EXPECT_EQ(seen, "serving stopped ");
}

TEST_F(LifecycleTest, AStopMayComeBeforeTheStartHasFinished) {
  Lifecycle life(loop, application, seconds(1), events());
  life.start();
  life.stop("test");
  application.started({});
  application.one();
  application.two();
  EXPECT_EQ(seen, "stopped ");
}

TEST_F(LifecycleTest, GivesUpAtTheDeadlineOfPhaseOne) {
  Lifecycle life(loop, application, milliseconds(1), events());
  life.start();
  application.started({});
  life.stop("test");
  loop.run();
  EXPECT_EQ(seen,
            "serving gave_up:the stop took longer than its deadline, state: stopping, phase one ");
}

TEST_F(LifecycleTest, TheDeadlineHoldsForBothPhasesTogether) {
  Lifecycle life(loop, application, milliseconds(1), events());
  life.start();
  application.started({});
  life.stop("test");
  application.one();
  loop.run();
  EXPECT_EQ(seen,
            "serving gave_up:the stop took longer than its deadline, state: stopping, phase two ");
}

TEST_F(LifecycleTest, GivesUpWhenToldToStopAgain) {
  Lifecycle life(loop, application, seconds(1), events());
  life.start();
  application.started({});
  life.stop("SIGTERM");
  life.stop("SIGINT");
  EXPECT_EQ(seen, "serving gave_up:told to stop again: SIGINT ");
}

TEST_F(LifecycleTest, AnswersAfterGivingUpAreIgnored) {
  Lifecycle life(loop, application, seconds(1), events());
  life.start();
  application.started({});
  life.stop("a");
  life.stop("b");
  application.one();
  EXPECT_FALSE(application.two);
  EXPECT_EQ(life.state(), State::kStopped);
}

}  // namespace
}  // namespace martlet::service
