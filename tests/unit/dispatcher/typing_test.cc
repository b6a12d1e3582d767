#include <gtest/gtest.h>

#include "dispatcher/fanout.h"
#include "rig.h"

namespace martlet::dispatcher::testing {
namespace {

using namespace std::chrono_literals;

class Typing : public ::testing::Test {
 protected:
  Typing() {
    rig.send({.id = id_of(1)});
    rig.change({.id = id_of(1), .change = created({"bob"})});
    rig.settle();
    rig.answers();
  }
  Rig rig;
};

TEST_F(Typing, GoesToTheOtherOneAndTheUsersOtherDevices) {
  rig.typing("alice", "bob");
  const auto typings = rig.typings();
  ASSERT_EQ(typings.size(), 1u);
  EXPECT_EQ(typings[0].conversation, between("alice", "bob"));
  EXPECT_EQ(audience_of(typings[0]), (Audience{{}, {user("alice"), user("bob")}}));
  EXPECT_TRUE(rig.answers().empty());
}

TEST_F(Typing, GoesToAGroupAsOfItsMembers) {
  rig.typing("bob", "g:team");
  const auto typings = rig.typings();
  ASSERT_EQ(typings.size(), 1u);
  EXPECT_EQ(typings[0].members_at, Seq(1));
  EXPECT_EQ(audience_of(typings[0]), (Audience{GroupId::trusted("team"), {}}));
}

TEST_F(Typing, OfOthersInAGroupIsDropped) {
  rig.typing("carol", "g:team");
  EXPECT_TRUE(rig.typings().empty());
  EXPECT_TRUE(rig.answers().empty());
}

TEST_F(Typing, NeverWaitsAndAsksNobody) {
  rig.typing("alice", "carol");
  rig.typing("alice", "g:other");
  EXPECT_TRUE(rig.typings().empty());
  EXPECT_FALSE(rig.question.has_value());
  EXPECT_EQ(rig.core().parked(), 0u);
}

TEST_F(Typing, IsNotLogged) {
  const auto before = rig.log.last();
  rig.typing("alice", "bob");
  rig.settle();
  EXPECT_EQ(rig.log.last(), before);
}

TEST_F(Typing, OfAnOldLeaseIsDropped) {
  rig.moment.renewal_age = 5s;
  rig.typing("alice", "bob");
  EXPECT_TRUE(rig.typings().empty());
}

}  // namespace
}  // namespace martlet::dispatcher::testing
