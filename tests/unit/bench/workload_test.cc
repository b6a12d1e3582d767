#include "bench/workload.h"

#include <gtest/gtest.h>

namespace martlet::bench {
namespace {

std::vector<UserId> users(std::size_t count) {
  std::vector<UserId> result;
  for (std::size_t i = 0; i < count; ++i)
    result.push_back(UserId::trusted("u" + std::to_string(i)));
  return result;
}

TEST(Workload, AnUnknownNameOrAWrongNumberOfUsersIsNone) {
  EXPECT_EQ(make_workload("nothing", users(2)), nullptr);
  EXPECT_EQ(make_workload("one-to-one", users(3)), nullptr);
  EXPECT_EQ(make_workload("one-to-one", users(0)), nullptr);
}

TEST(OneToOne, EveryUserWritesToTheirOnePartner) {
  const auto workload = make_workload("one-to-one", users(4));
  ASSERT_NE(workload, nullptr);
  const char* const partners[] = {"u1", "u0", "u3", "u2"};
  for (std::size_t sender = 0; sender < 4; ++sender) {
    for (int turn = 0; turn < 3; ++turn) {
      const Target target = workload->next(sender);
      EXPECT_EQ(target.to_user.str(), partners[sender]);
      EXPECT_TRUE(target.to_group.empty());
      EXPECT_EQ(target.conversation, sender / 2);
      EXPECT_EQ(target.copies, 1u);
    }
  }
}

}  // namespace
}  // namespace martlet::bench
