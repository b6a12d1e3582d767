#include "dispatcher/heads.h"

#include <gtest/gtest.h>

#include "rig.h"

namespace martlet::dispatcher::testing {
namespace {

ConversationId numbered(int number) {
  return between("alice", "user" + std::to_string(number));
}

TEST(Heads, ForgetTheLeastRecentlyUsedOnes) {
  Heads heads(2);
  for (int i = 0; i < 3; ++i) heads.add(numbered(i));
  EXPECT_NE(heads.find(numbered(0)), nullptr);
  heads.forget_surplus(LogPosition(0));
  EXPECT_EQ(heads.size(), 2u);
  EXPECT_NE(heads.find(numbered(0)), nullptr);
  EXPECT_EQ(heads.find(numbered(1)), nullptr);
}

TEST(Heads, KeepWhatIsOpenOrNotStored) {
  Heads heads(0);
  heads.add(numbered(0)).open = 1;
  heads.add(numbered(1)).last_position = LogPosition(8);
  heads.add(numbered(2)).last_position = LogPosition(7);
  heads.forget_surplus(LogPosition(7));
  EXPECT_NE(heads.find(numbered(0)), nullptr);
  EXPECT_NE(heads.find(numbered(1)), nullptr);
  EXPECT_EQ(heads.find(numbered(2)), nullptr);
}

TEST(Heads, AddingTwiceKeepsTheFirst) {
  Heads heads(5);
  heads.add(numbered(0)).last_seq = Seq(3);
  EXPECT_EQ(heads.add(numbered(0)).last_seq, Seq(3));
  EXPECT_EQ(heads.size(), 1u);
}

TEST(Heads, SurviveAMove) {
  Heads heads(1);
  heads.add(numbered(0)).last_seq = Seq(3);
  heads.add(numbered(1));
  Heads moved(std::move(heads));
  moved.forget_surplus(LogPosition(0));
  EXPECT_EQ(moved.size(), 1u);
  EXPECT_NE(moved.find(numbered(1)), nullptr);
}

}  // namespace
}  // namespace martlet::dispatcher::testing
