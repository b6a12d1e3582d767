#include <gmock/gmock.h>

#include "edge/limits.h"
#include "edge_fixture.h"

namespace martlet::edge {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;
using wire::Command;
using wire::HopKind;
using wire::Traced;

class EdgeTraceTest : public EdgeTest {
 protected:
  void SetUp() override { follow(0); }
  void follow(std::uint32_t permille) {
    EdgeOptions options;
    options.trace_permille = permille;
    start(std::move(options));
    ann_ = login("ann", "phone");
  }
  // All at once; how each was published.
  std::vector<Traced> send_flagged(int messages) {
    for (int i = 0; i < messages; ++i) {
      auto send = send_to("bob", msg_id(static_cast<std::uint8_t>(i + 1)), content_);
      send.trace = true;
      ann_->send(Command::Send, static_cast<std::uint32_t>(++request_), send);
    }
    std::vector<Traced> out;
    run_until([&] {
      for (const auto& frame : published_frames()) {
        out.push_back(frame.traced);
        answer({accepted(frame, wire::parse_send(frame.body)->client_msg_id, 1)});
      }
      return out.size() == static_cast<std::size_t>(messages);
    });
    return out;
  }
  wire::ClientFrame send_one(bool flagged) {
    auto send = send_to("bob", msg_id(1), content_);
    send.trace = flagged;
    ann_->send(Command::Send, static_cast<std::uint32_t>(++request_), send);
    return await_frame();
  }
  Bytes followed_event() {
    const Bytes bytes = message_event(7);
    auto event = std::get<wire::Event>(wire::parse_to_user(bytes).value());
    event.traced = Traced::kFlagged;
    return wire::encode(event);
  }

  const Bytes content_ = wire::encode_text("secret words");
  int request_ = 1;
  std::unique_ptr<TestClient> ann_;
};

TEST_F(EdgeTraceTest, AMessageLikeOthersIsNotFollowed) {
  const auto frame = send_one(false);
  EXPECT_EQ(frame.traced, Traced::kNo);
  answer({accepted(frame, msg_id(1), 7)});
  next(*ann_);
  to_user("ann", message_event(7));
  next(*ann_);
  settle();
  EXPECT_TRUE(hops_.hops.empty());
}

TEST_F(EdgeTraceTest, OneOfWhichTheSenderAsksItIsFollowedToItsAnswer) {
  auto frame = send_one(true);
  EXPECT_EQ(frame.traced, Traced::kFlagged);
  auto ack = accepted(frame, msg_id(1), 7);
  ack.traced = Traced::kFlagged;
  answer({ack});
  next(*ann_);
  run_until([&] { return hops_.hops.size() == 4; });
  EXPECT_THAT(hops_.kinds(), ElementsAre(HopKind::kEdgeIn, HopKind::kEdgePublished,
                                         HopKind::kAnswerIn, HopKind::kAnswerWritten));
  for (const wire::Hop& hop : hops_.hops) {
    EXPECT_EQ(hop.sender.str(), "ann");
    EXPECT_EQ(hop.client_msg_id, msg_id(1));
    EXPECT_TRUE(hop.flagged);
  }
  EXPECT_EQ(hops_.hops[0].conversation.str(), "u:ann:bob");
  EXPECT_EQ(hops_.hops[2].seq, Seq(7));
}

TEST_F(EdgeTraceTest, ChanceFollowsWhatNobodyAsksFor) {
  follow(1000);
  EXPECT_EQ(send_one(false).traced, Traced::kSampled);
  EXPECT_THAT(hops_.kinds(), ElementsAre(HopKind::kEdgeIn, HopKind::kEdgePublished));
  EXPECT_FALSE(hops_.hops[0].flagged);
}

TEST_F(EdgeTraceTest, RepeatsAndTheEndOfPatienceAreHops) {
  send_one(true);
  pass(seconds(2));
  pass(seconds(12));
  next(*ann_);
  ASSERT_GE(hops_.hops.size(), 4u);
  EXPECT_EQ(hops_.hops[1].number, 0u);
  EXPECT_EQ(hops_.hops[2].kind, HopKind::kEdgePublished);
  EXPECT_EQ(hops_.hops[2].number, 2u);
  EXPECT_EQ(hops_.hops.back().kind, HopKind::kEdgeGaveUp);
}

TEST_F(EdgeTraceTest, ARefusalHasItsReason) {
  auto refusal = accepted(send_one(true), msg_id(1), 0);
  refusal.kind = wire::AnswerKind::kRefused;
  refusal.error = ErrorCode::kNotMember;
  refusal.conversation = {};
  refusal.traced = Traced::kFlagged;
  answer({refusal});
  next(*ann_);
  run_until([&] { return hops_.hops.size() == 4; });
  EXPECT_EQ(hops_.hops[2].error, ErrorCode::kNotMember);
}

TEST_F(EdgeTraceTest, AnEventIsFollowedToTheSocketsOfItsUser) {
  auto desk = login("ann", "desk");
  to_user("ann", followed_event());
  next(*ann_);
  next(*desk);
  run_until([&] { return hops_.hops.size() == 2; });
  EXPECT_THAT(hops_.kinds(), ElementsAre(HopKind::kEventIn, HopKind::kWritten));
  EXPECT_EQ(hops_.hops[1].number, 2u);
  EXPECT_EQ(hops_.hops[1].user.str(), "ann");
  EXPECT_EQ(hops_.hops[1].seq, Seq(7));
}

TEST_F(EdgeTraceTest, WhoDoesNotReadIsToldApart) {
  auto desk = login("ann", "desk");
  // More than a socket takes: the desk never reads it.
  const std::string text(60'000, 'x');
  for (std::uint64_t seq = 1; seq <= 4; ++seq)
    to_user("ann", message_event(seq, {}, Epoch(1), text));
  settle();
  to_user("ann", followed_event());
  run_until([&] { return hops_.hops.size() == 3; });
  EXPECT_EQ(hops_.hops[1].kind, HopKind::kWritten);
  EXPECT_EQ(hops_.hops[2].kind, HopKind::kWriteWaits);
  EXPECT_EQ(hops_.hops[1].number + hops_.hops[2].number, 2u);
}

TEST_F(EdgeTraceTest, ASessionMayAskItForSoManyOnly) {
  const auto first = send_flagged(kFlaggedBurst + 5);
  EXPECT_EQ(std::count(first.begin(), first.end(), Traced::kFlagged), kFlaggedBurst);
  EXPECT_EQ(first.back(), Traced::kNo);
  clock_.advance(seconds(1));
  const auto later = send_flagged(kFlaggedPerSecond + 5);
  EXPECT_EQ(std::count(later.begin(), later.end(), Traced::kFlagged), kFlaggedPerSecond);
}

}  // namespace
}  // namespace martlet::edge
