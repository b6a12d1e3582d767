#include "api/desired_edges.h"

#include <gtest/gtest.h>

#include <vector>

#include "api/limits.h"
#include "base/random.h"

namespace martlet::api {
namespace {

using namespace std::chrono_literals;

class DesiredEdgesTest : public testing::Test {
 protected:
  static EdgeInfo edge(std::uint32_t connections) {
    EdgeInfo info;
    info.connections = connections;
    return info;
  }
  // A look a second for so long, at as many edges as are desired, which share the connections.
  void run(double connections, Duration time) {
    for (const MonotonicTime end = now_ + time; now_ < end; now_ += 1s) {
      const std::uint32_t count = std::max(desired_.desired(), 1U);
      std::vector<EdgeInfo> edges(count, edge(std::uint32_t(connections / count)));
      const std::uint32_t before = desired_.desired();
      desired_.look(edges, now_);
      if (before != 0 && desired_.desired() != before)
        changes_.push_back({now_, desired_.desired() > before});
    }
  }

  struct Change {
    MonotonicTime at;
    bool up;
  };
  MonotonicTime now_{1h};
  std::vector<Change> changes_;
  DesiredEdges desired_{{.connections = 800}};
};

TEST_F(DesiredEdgesTest, FollowsTheLoadUpAndDown) {
  run(300, 60s);
  EXPECT_EQ(desired_.desired(), 1U);
  run(3000, 60s);
  EXPECT_EQ(desired_.desired(), 4U);
  EXPECT_EQ(desired_.reason(), "connections");
  run(300, 200s);
  EXPECT_EQ(desired_.desired(), 1U);
}

TEST_F(DesiredEdgesTest, ATurnNeedsItsTime) {
  run(300, 10s);
  for (int i = 0; i < 20; ++i) {
    run(3000, 6s);
    run(300, 61s);
    run(3000, 1s);
  }
  ASSERT_GT(changes_.size(), 2U);
  for (std::size_t i = 1; i < changes_.size(); ++i) {
    if (changes_[i].up == changes_[i - 1].up) continue;
    EXPECT_GE(changes_[i].at - changes_[i - 1].at, kScaleTurn);
  }
}

TEST_F(DesiredEdgesTest, NoiseOfAFifthChangesNothing) {
  SeededRandom random(3);
  for (const double load : {500.0, 700.0, 790.0, 1000.0, 1500.0, 2300.0, 3000.0}) {
    desired_ = DesiredEdges{{.connections = 800}};
    run(load * 1.2, 300s);  // where noise may bring it once
    changes_.clear();
    for (int second = 0; second < 3600; ++second) {
      run(load * (0.8 + 0.4 * double(random.below(1001)) / 1000), 1s);
    }
    EXPECT_TRUE(changes_.empty()) << load;
  }
}

TEST_F(DesiredEdgesTest, WhatHeldAllTheTimeCounts) {
  run(700, 10s);
  run(1'000, 4s);
  run(30'000, 2s);
  EXPECT_EQ(desired_.desired(), 2U) << "not for the peak at the end";
  run(700, 120s);
  run(10, 58s);
  run(900, 1s);
  run(10, 10s);
  EXPECT_EQ(desired_.desired(), 2U);
}

TEST_F(DesiredEdgesTest, AsksForNoMoreThanTheMost) {
  desired_ = DesiredEdges{{.connections = 800, .max_edges = 3}};
  run(300, 10s);
  run(80'000, 60s);
  EXPECT_EQ(desired_.desired(), 3U);
}

TEST_F(DesiredEdgesTest, AMomentIsNoReason) {
  run(700, 10s);
  run(1500, 4s);
  run(700, 10s);
  EXPECT_EQ(desired_.desired(), 1U);
}

TEST_F(DesiredEdgesTest, TheScarcestThingDecides) {
  EdgeInfo busy = edge(10);
  busy.cpu_permille = 1000;
  for (int i = 0; i < 10; ++i, now_ += 1s) desired_.look({busy, busy}, now_);
  EXPECT_EQ(desired_.reason(), "cpu");
  EXPECT_EQ(desired_.desired(), 3U) << "2000 of 700 permille";
}

TEST_F(DesiredEdgesTest, ALateLoopAsksForMore) {
  EdgeInfo late = edge(10);
  late.loop_lag_us = 75'000;
  for (int i = 0; i < 10; ++i, now_ += 1s) desired_.look({late, late}, now_);
  EXPECT_EQ(desired_.reason(), "loop_lag");
  EXPECT_EQ(desired_.desired(), 3U) << "one and a half times as late as it may be";
}

TEST_F(DesiredEdgesTest, SilenceIsNoReason) {
  EXPECT_EQ(desired_.desired(), 0U) << "not known";
  run(3000, 30s);
  for (int i = 0; i < 300; ++i, now_ += 1s) desired_.look({}, now_);
  EXPECT_EQ(desired_.desired(), 4U);
}

TEST_F(DesiredEdgesTest, StartsWithWhatThereIs) {
  desired_.look({edge(1), edge(1), edge(1)}, now_);
  EXPECT_EQ(desired_.desired(), 3U) << "an api that starts has not seen the load for long";
}

}  // namespace
}  // namespace martlet::api
