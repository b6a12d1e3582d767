#include "bus/hops.h"

#include <gtest/gtest.h>

#include <vector>

#include "wire/limits.h"

namespace martlet::bus {
namespace {

using namespace std::chrono_literals;

// Only what the recorder uses.
class FakeBus final : public Bus {
 public:
  SendResult publish(std::string_view subject, BytesView payload) override {
    subjects.emplace_back(subject);
    reports.push_back(wire::parse_hop_report(payload).value());
    return sends ? SendResult::kSent : SendResult::kDropped;
  }
  std::unique_ptr<Subscription> subscribe(std::string_view, std::string_view, Priority,
                                          Handler) override {
    return nullptr;
  }
  void request(std::string_view, BytesView, Duration, Reply) override {}
  void reply(std::string_view, BytesView) override {}
  void after_subscriptions(Duration, Done) override {}
  void after_publishes(Duration, Done) override {}
  void on_state(std::function<void(BusState)>) override {}
  bool is_connected() const override { return sends; }

  bool sends = true;
  std::vector<std::string> subjects;
  std::vector<wire::HopReport> reports;
};

class CountingClock final : public Clock {
 public:
  MonotonicTime now() const override { return {}; }
  WallMs wall_ms() const override { return 0; }
  WallUs wall_us() const override { return ++us_; }

 private:
  mutable WallUs us_ = 1'000;
};

struct HopsTest : ::testing::Test {
  void record(std::size_t hops) {
    for (std::size_t i = 0; i < hops; ++i) recorder.record(hop);
  }
  void run_until_reports(std::size_t count) {
    event::Timer poll(loop, [&] {
      if (bus.reports.size() >= count) loop.stop();
    });
    event::Timer deadline(loop, [&] { loop.stop(); });
    poll.start_every(1ms);
    deadline.start_once(20s);
    loop.run();
    ASSERT_EQ(bus.reports.size(), count);
  }

  event::Loop loop;
  FakeBus bus;
  CountingClock clock;
  metrics::Registry registry;
  HopMetrics metrics{registry};
  HopRecorder recorder{loop, bus, clock, metrics, {"edge", "edge-1", "e1"}};
  wire::Hop hop{.kind = wire::HopKind::kEdgeIn,
                .sender = UserId::trusted("ann"),
                .client_msg_id = {.bytes = {1}}};
};

TEST_F(HopsTest, ManyHopsAreOneMessageWithTheTimeOfEach) {
  record(3);
  EXPECT_TRUE(bus.reports.empty());
  run_until_reports(1);
  EXPECT_EQ(bus.subjects[0], "im.trace");
  const wire::HopReport& report = bus.reports[0];
  EXPECT_EQ(report.service, "edge");
  EXPECT_EQ(report.name, "edge-1");
  EXPECT_EQ(report.instance, "e1");
  ASSERT_EQ(report.hops.size(), 3u);
  EXPECT_EQ(report.hops[0].time_us, 1'001u);
  EXPECT_EQ(report.hops[2].time_us, 1'003u);
}

TEST_F(HopsTest, WhatHasNoRoomIsDroppedAndCounted) {
  record(wire::kMaxHopsPerReport + 5);
  run_until_reports(1);
  EXPECT_EQ(bus.reports[0].hops.size(), wire::kMaxHopsPerReport);
  EXPECT_EQ(bus.reports[0].dropped, 5u);
  record(1);
  run_until_reports(2);
  EXPECT_EQ(bus.reports[1].hops.size(), 1u);
}

TEST_F(HopsTest, WhatTheLinkDoesNotTakeIsCounted) {
  bus.sends = false;
  record(2);
  run_until_reports(1);
  EXPECT_EQ(metrics.dropped(), 2u);
  bus.sends = true;
  record(1);
  run_until_reports(2);
  EXPECT_EQ(bus.reports[1].dropped, 2u);
}

}  // namespace
}  // namespace martlet::bus
