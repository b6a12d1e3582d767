#include "bench/workload.h"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>

namespace martlet::bench {
namespace {

std::vector<UserId> users(std::size_t count) {
  std::vector<UserId> result;
  for (std::size_t i = 0; i < count; ++i)
    result.push_back(UserId::trusted("u" + std::to_string(i)));
  return result;
}

TEST(Workload, AnUnknownNameOrAWrongNumberOfUsersIsNone) {
  EXPECT_EQ(make_workload("nothing", {users(2), {}}), nullptr);
  EXPECT_EQ(make_workload("one-to-one", {users(1), {}}), nullptr);
  EXPECT_EQ(make_workload("one-to-one", {users(0), {}}), nullptr);
  EXPECT_EQ(make_workload("one-to-one-warm", {users(2), {}}), nullptr);
}

TEST(Pairs, EveryUserWritesToTheirOnePartner) {
  EXPECT_EQ(make_workload("pairs", {users(3), {}}), nullptr);
  const auto workload = make_workload("pairs", {users(4), {}});
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

// One number for the two directions of a pair, another one for each pair.
void check_numbers(Workload& workload, std::size_t count, std::size_t most) {
  const std::vector<UserId> all = users(count);
  std::map<std::uint32_t, std::set<std::string>> pairs;
  for (int turn = 0; turn < 2'000; ++turn) {
    const std::size_t sender = static_cast<std::size_t>(turn) % count;
    const Target target = workload.next(sender);
    EXPECT_NE(target.to_user, all[sender]);
    EXPECT_TRUE(target.to_group.empty());
    EXPECT_EQ(target.copies, 1u);
    const std::set<std::string> pair = {all[sender].str(), target.to_user.str()};
    EXPECT_EQ(pairs.try_emplace(target.conversation, pair).first->second, pair);
  }
  std::set<std::set<std::string>> different;
  for (const auto& [number, pair] : pairs) different.insert(pair);
  EXPECT_EQ(different.size(), pairs.size());
  EXPECT_EQ(pairs.size(), most);
}

TEST(OneToOne, EverybodyWritesToEverybody) {
  check_numbers(*make_workload("one-to-one", {users(12), {}}), 12, 12 * 11 / 2);
}

TEST(OneToOneWarm, EverybodyWritesToTenNeighbours) {
  check_numbers(*make_workload("one-to-one-warm", {users(40), {}}), 40, 40 * 5);
  check_numbers(*make_workload("one-to-one-warm", {users(4), {}}), 4, 4);
}

TEST(OneToOneWarm, TheFirstMessagesGoToAll) {
  const auto workload = make_workload("one-to-one-warm", {users(40), {}});
  std::set<std::string> written_to;
  for (int i = 0; i < 10; ++i) written_to.insert(workload->next(7).to_user.str());
  EXPECT_EQ(written_to.size(), 10u);
}

TEST(Offline, EverybodyWritesToAFewWhoAreAbsent) {
  EXPECT_EQ(make_workload("offline", {users(3), {}}), nullptr);
  const std::vector<UserId> absent = {UserId::trusted("v0"), UserId::trusted("v1"),
                                      UserId::trusted("v2"), UserId::trusted("v3"),
                                      UserId::trusted("v4"), UserId::trusted("v5")};
  const auto workload = make_workload("offline", {users(3), {}, absent});
  ASSERT_NE(workload, nullptr);
  std::map<std::uint32_t, std::string> conversations;
  std::set<std::string> targets;
  for (int turn = 0; turn < 200; ++turn) {
    const Target target = workload->next(1);
    const auto [known, is_new] =
        conversations.try_emplace(target.conversation, target.to_user.str());
    EXPECT_EQ(known->second, target.to_user.str());
    targets.insert(target.to_user.str());
  }
  EXPECT_EQ(targets, (std::set<std::string>{"v0", "v1", "v2", "v3", "v5"}));
  EXPECT_EQ(conversations.size(), 5u);
}

TEST(AllToOne, TheLastUserReads) {
  EXPECT_EQ(make_workload("all-to-one", {users(1), {}}), nullptr);
  const auto workload = make_workload("all-to-one", {users(3), {}});
  ASSERT_EQ(workload->senders(), 2u);
  for (std::size_t sender = 0; sender < 2; ++sender) {
    const Target target = workload->next(sender);
    EXPECT_EQ(target.to_user.str(), "u2");
    EXPECT_EQ(target.conversation, sender);
  }
}

TEST(InGroups, EverybodyWritesToTheirGroupsByTurns) {
  const std::vector<UserId> all = users(3);
  const People people{all,
                      {{GroupId::trusted("g0"), all}, {GroupId::trusted("g1"), {all[1], all[2]}}}};
  const auto workload = make_workload("in-groups", people);
  ASSERT_NE(workload, nullptr);
  EXPECT_EQ(workload->senders(), 3u);
  EXPECT_EQ(workload->next(0).to_group.str(), "g0");
  EXPECT_EQ(workload->next(0).to_group.str(), "g0");
  const Target first = workload->next(1);
  EXPECT_EQ(first.to_group.str(), "g0");
  EXPECT_EQ(first.copies, 2u);
  EXPECT_TRUE(first.to_user.empty());
  const Target second = workload->next(1);
  EXPECT_EQ(second.to_group.str(), "g1");
  EXPECT_EQ(second.copies, 1u);
  EXPECT_NE(first.conversation, second.conversation);
}

TEST(InGroups, NobodyIsOutsideOfAll) {
  EXPECT_EQ(make_workload("in-groups", {users(2), {}}), nullptr);
  EXPECT_EQ(make_workload("in-groups", {users(3), {{GroupId::trusted("g"), users(2)}}}), nullptr);
}

}  // namespace
}  // namespace martlet::bench
