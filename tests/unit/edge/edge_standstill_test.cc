#include "edge_fixture.h"

namespace martlet::edge {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using wire::Command;

class StandstillTest : public EdgeTest {
 protected:
  void SetUp() override {
    start({});
    ann_ = login("ann", "phone");
    settle();
    bus_.hold_pongs = true;
  }
  void send(std::uint32_t request) {
    ann_->send(Command::Send, request, send_to("bob", msg_id(1), wire::encode_text("hello")));
  }
  // The loop turned all the time, and the next turn is to come.
  void stand_still(Duration time) {
    clock_.advance(time);
    settle(150);
  }
  void pong(const Result<void>& result = {}) {
    ASSERT_FALSE(bus_.pongs.empty());
    std::exchange(bus_.pongs, {}).front()(result);
  }

  std::unique_ptr<TestClient> ann_;
};

TEST_F(StandstillTest, AFrameThatLayUnreadWaitsForTheBroker) {
  clock_.advance(kStandstill);
  send(2);
  settle(150);
  EXPECT_TRUE(published_frames().empty());
  pong();
  EXPECT_EQ(published_frames().size(), 1u);
  send(3);
  await_frame();
}

TEST_F(StandstillTest, AFrameOfASessionThatIsElsewhereNowIsNotPublished) {
  clock_.advance(kStandstill);
  send(2);
  settle(150);
  to_user("ann", wire::encode(wire::SessionStarted{DeviceId::trusted("phone"),
                                                   {last_session_.time_ms + 1, 0}}));
  pong();
  EXPECT_TRUE(published_frames().empty());
  EXPECT_EQ(edge_->unanswered(), 0u);
}

TEST_F(StandstillTest, AFrameWhoseAnswerLayUnreadIsNotRepeated) {
  send(2);
  const auto frame = await_frame();
  stand_still(seconds(2));  // it is due to be repeated
  EXPECT_TRUE(published_frames().empty());
  answer({accepted(frame, msg_id(1), 7)});
  pong();
  EXPECT_TRUE(published_frames().empty());
  EXPECT_EQ(next(*ann_).command(), Command::Ack);
}

TEST_F(StandstillTest, ABrokerThatDoesNotAnswerIsAskedAgain) {
  stand_still(kStandstill);
  send(2);
  settle(150);
  pong(fail(ErrorCode::kTimeout));
  EXPECT_TRUE(published_frames().empty());
  clock_.advance(kTick);
  run_until([&] { return !bus_.pongs.empty(); });
  pong();
  EXPECT_EQ(published_frames().size(), 1u);
}

// The answer was on its way already; what came behind it during the second stop was not read.
TEST_F(StandstillTest, WhoStandsStillAgainListensAgain) {
  stand_still(kStandstill);
  const auto first = std::exchange(bus_.pongs, {});
  ASSERT_EQ(first.size(), 1u);
  send(2);
  stand_still(kStandstill);
  first.front()({});
  EXPECT_TRUE(published_frames().empty());
  pong();
  EXPECT_EQ(published_frames().size(), 1u);
}

TEST_F(StandstillTest, ANewOwnerIsNotAnsweredBefore) {
  send(2);
  await_frame();
  const ShardId shard =
      shard_of(ConversationId::between(UserId::trusted("ann"), UserId::trusted("bob")), 16);
  clock_.advance(seconds(2));
  bus_.deliver(bus::subject::owner(shard),
               wire::encode(wire::OwnerAnnounced{shard, Generation(1), Epoch(9), "d"}));
  EXPECT_TRUE(published_frames().empty());
  pong();
}

// The news that ann went elsewhere may have been on the link that is gone.
TEST_F(StandstillTest, WhoWaitsIsLetGoWhereTheLinkBrokeMeanwhile) {
  bus_.hold_pongs = false;
  const auto bob = login("bob", "phone");
  settle();
  bus_.hold_pongs = true;
  send(2);
  await_frame();
  clock_.advance(kStandstill);
  bus_.state(bus::BusState::kDisconnected);
  bus_.state(bus::BusState::kReconnected);
  settle();
  const auto kicked = next(*ann_);
  ASSERT_EQ(kicked.command(), Command::KickedEvent);
  EXPECT_TRUE(wire::parse_kicked_event(kicked.body)->may_reconnect);
  EXPECT_EQ(edge_->unanswered(), 0u);
  pong();
  EXPECT_TRUE(published_frames().empty());
  EXPECT_EQ(edge_->sessions(), 1u);
}

TEST_F(StandstillTest, AShorterStopIsNone) {
  clock_.advance(kStandstill - milliseconds(1));
  send(2);
  await_frame();
  EXPECT_TRUE(bus_.pongs.empty());
}

}  // namespace
}  // namespace martlet::edge
