#include "dispatcher/owed_resyncs.h"

#include <gtest/gtest.h>

#include "rig.h"

namespace martlet::dispatcher {
namespace {

using testing::between;

TEST(OwedResyncs, NothingIsOwedAtFirst) {
  const OwedResyncs owed(2);
  EXPECT_TRUE(owed.empty());
  EXPECT_EQ(owed.next(), nullptr);
}

TEST(OwedResyncs, EachConversationIsToldOnce) {
  OwedResyncs owed(2);
  for (int i = 0; i < 10; ++i) owed.add(between("alice", "bob"));
  owed.add(between("alice", "carol"));
  EXPECT_FALSE(owed.is_everyone());
  EXPECT_EQ(*owed.next(), between("alice", "bob"));
  EXPECT_EQ(*owed.next(), between("alice", "bob")) << "until it was told";
  owed.told();
  EXPECT_EQ(*owed.next(), between("alice", "carol"));
  owed.told();
  EXPECT_TRUE(owed.empty());
}

TEST(OwedResyncs, PastTheBoundEveryoneIsOwed) {
  OwedResyncs owed(2);
  for (const char* peer : {"bob", "carol", "dave", "erin"}) owed.add(between("alice", peer));
  EXPECT_TRUE(owed.is_everyone());
  EXPECT_FALSE(owed.empty());
  EXPECT_EQ(owed.next(), nullptr);
  owed.told();
  EXPECT_TRUE(owed.empty());
  owed.add(between("alice", "bob"));
  EXPECT_EQ(*owed.next(), between("alice", "bob")) << "it counts anew";
}

}  // namespace
}  // namespace martlet::dispatcher
