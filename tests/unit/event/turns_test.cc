#include "event/turns.h"

#include <gtest/gtest.h>

#include <vector>

namespace martlet::event {
namespace {

TEST(TurnsTest, SoManyATurnAndTheOthersInTheirOrder) {
  Loop loop;
  Turns turns(loop, 2);
  EXPECT_TRUE(turns.take());
  EXPECT_TRUE(turns.take());
  int turn = 0;
  loop.on_turn([&](Duration) { ++turn; });
  std::vector<int> order;
  std::vector<int> turn_of;
  for (int i = 0; i < 5; ++i) {
    turns.wait([&, i] {
      order.push_back(i);
      turn_of.push_back(turn);
      if (i == 4) loop.post([&] { loop.stop(); });
    });
    EXPECT_FALSE(turns.take());
  }
  EXPECT_TRUE(order.empty()) << "nobody is called at once";
  loop.run();
  ASSERT_EQ(order, (std::vector<int>{0, 1, 2, 3, 4}));
  EXPECT_EQ(turn_of[0], turn_of[1]);
  EXPECT_LT(turn_of[1], turn_of[2]);
  EXPECT_EQ(turn_of[2], turn_of[3]);
  EXPECT_LT(turn_of[3], turn_of[4]);
}

TEST(TurnsTest, NobodyPassesThoseWhoWait) {
  Loop loop;
  Turns turns(loop, 2);
  bool passed = true;
  turns.wait([&] {
    passed = turns.take();
    loop.stop();
  });
  turns.wait([] {});
  turns.wait([] {});
  loop.run();
  EXPECT_FALSE(passed);
}

TEST(TurnsTest, ATurnLaterThereIsRoomAgain) {
  Loop loop;
  Turns turns(loop, 1);
  EXPECT_TRUE(turns.take());
  EXPECT_FALSE(turns.take());
  bool again = false;
  loop.post([&] {
    again = turns.take();
    loop.stop();
  });
  loop.run();
  EXPECT_TRUE(again);
}

TEST(TurnsTest, ItsEndForgetsWhoWaits) {
  Loop loop;
  bool called = false;
  {
    Turns turns(loop, 1);
    turns.wait([&] { called = true; });
  }
  loop.post([&] { loop.stop(); });
  loop.run();
  EXPECT_FALSE(called);
}

}  // namespace
}  // namespace martlet::event
