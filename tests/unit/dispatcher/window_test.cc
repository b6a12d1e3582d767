#include "dispatcher/window.h"

#include <gtest/gtest.h>

#include "dispatcher/types.h"
#include "rig.h"

namespace martlet::dispatcher::testing {
namespace {

class WindowTest : public ::testing::Test {
 protected:
  bool add(std::uint64_t number, WallMs time, std::uint64_t position, int until_s) {
    return window.add(conversation, user("alice"), id_of(number),
                      {.seq = Seq(number), .time_ms = time, .position = LogPosition(position)},
                      at(until_s));
  }
  bool has(std::uint64_t number) {
    return window.find(conversation, user("alice"), id_of(number)) != nullptr;
  }
  static MonotonicTime at(int seconds) { return MonotonicTime(std::chrono::seconds(seconds)); }

  ConversationId conversation = between("alice", "bob");
  Window window;
};

TEST_F(WindowTest, ForgetsWhatIsStoredAndOld) {
  add(1, 100, 1, 10);
  add(2, 200, 2, 20);
  window.forget_old(at(10), LogPosition(2));
  EXPECT_FALSE(has(1));
  EXPECT_TRUE(has(2));
}

TEST_F(WindowTest, KeepsWhatIsNotStored) {
  add(1, 100, 1, 10);
  window.forget_old(at(1000), LogPosition(0));
  EXPECT_TRUE(has(1));
}

TEST_F(WindowTest, IsCompleteSinceTheNewestThatItForgot) {
  EXPECT_EQ(window.complete_since(), 0u);
  add(1, 100, 1, 10);
  add(2, 90, 2, 11);
  window.forget_old(at(20), LogPosition(2));
  EXPECT_EQ(window.complete_since(), 100u);
}

TEST_F(WindowTest, KeepsTheFirstOfTwo) {
  EXPECT_TRUE(add(1, 100, 1, 10));
  EXPECT_FALSE(add(1, 200, 2, 20));
  EXPECT_EQ(window.find(conversation, user("alice"), id_of(1))->second.position, LogPosition(1));
}

TEST_F(WindowTest, OpenMessagesAreKeptUntilTheySettle) {
  OpenEntry open;
  Window::Slot* slot =
      window.open(conversation, user("alice"), id_of(1), {.seq = Seq(1), .open = &open});
  window.forget_old(at(1000), LogPosition(1000));
  EXPECT_TRUE(has(1));
  window.settle(slot, LogPosition(5), at(2000));
  window.forget_old(at(2000), LogPosition(5));
  EXPECT_FALSE(has(1));
}

}  // namespace
}  // namespace martlet::dispatcher::testing
