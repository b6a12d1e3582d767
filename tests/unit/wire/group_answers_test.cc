#include "wire/group_answers.h"

#include <gtest/gtest.h>

#include <string>

#include "model/limits.h"
#include "samples.h"

namespace martlet::wire {
namespace {

using samples::code_of;
using samples::detail_of;
using samples::user;

GroupInfoPage an_info() {
  return {.group = GroupId::trusted("team"),
          .title = "The Team",
          .join = JoinPolicy::kAnyone,
          .earlier_history = EarlierHistory::kShown,
          .members_count = 7,
          .members_at = Seq(12),
          .members = {{user("alice"), GroupRole::kOwner, Seq(1)},
                      {user("bob"), GroupRole::kMember, Seq(12)}},
          .more = true};
}

TEST(GroupAnswers, InfoComesBack) {
  const GroupInfoPage sent = an_info();
  const auto got = parse_group_info_page(encode(sent));
  ASSERT_TRUE(got) << detail_of(got);
  EXPECT_EQ(got->group, sent.group);
  EXPECT_EQ(got->title, sent.title);
  EXPECT_EQ(got->join, sent.join);
  EXPECT_EQ(got->earlier_history, sent.earlier_history);
  EXPECT_EQ(got->members_count, sent.members_count);
  EXPECT_EQ(got->members_at, sent.members_at);
  EXPECT_TRUE(got->more);
  ASSERT_EQ(got->members.size(), 2U);
  EXPECT_EQ(got->members[1].user, user("bob"));
  EXPECT_EQ(got->members[1].role, GroupRole::kMember);
  EXPECT_EQ(got->members[1].since_seq, Seq(12));
}

TEST(GroupAnswers, LargestInfoPageFitsAnAnswer) {
  GroupInfoPage page = an_info();
  page.title = std::string(kMaxTitleBytes, 'x');
  page.members.clear();
  for (std::size_t i = 0; i < kMaxGroupPageMembers; ++i) {
    const std::string number = std::to_string(1000 + i);
    page.members.push_back(
        {user(std::string(60, 'x') + number), GroupRole::kOwner, Seq(1ULL << 50)});
  }
  EXPECT_LE(encode(page).size(), kMaxAnswerBytes / 4);
}

TEST(GroupAnswers, ListComesBack) {
  const auto got = parse_group_list_page(
      encode(GroupListPage{{{GroupId::trusted("team"), "The Team", GroupRole::kAdmin, 7}}, true}));
  ASSERT_TRUE(got) << detail_of(got);
  ASSERT_EQ(got->groups.size(), 1U);
  EXPECT_EQ(got->groups[0].group.str(), "team");
  EXPECT_EQ(got->groups[0].title, "The Team");
  EXPECT_EQ(got->groups[0].role, GroupRole::kAdmin);
  EXPECT_EQ(got->groups[0].members_count, 7U);
  EXPECT_TRUE(got->more);
}

TEST(GroupAnswers, ShortOnesComeBack) {
  EXPECT_TRUE(parse_typing_ok(encode(TypingOk())));
  EXPECT_EQ(parse_signed_out(encode(SignedOut{3}))->devices, 3U);
  const auto devices =
      parse_device_list(encode(DeviceList{{{samples::device("pc"), true, 1700000000000}}}));
  ASSERT_TRUE(devices) << detail_of(devices);
  ASSERT_EQ(devices->devices.size(), 1U);
  EXPECT_EQ(devices->devices[0].device, samples::device("pc"));
  EXPECT_TRUE(devices->devices[0].this_one);
  EXPECT_EQ(devices->devices[0].last_login_ms, 1700000000000U);
}

TEST(GroupAnswers, EmptyListsComeBack) {
  EXPECT_TRUE(parse_group_list_page("")->groups.empty());
  EXPECT_TRUE(parse_device_list("")->devices.empty());
  EXPECT_EQ(code_of(parse_group_info_page("")), ErrorCode::kBadBody);
}

TEST(GroupAnswers, RandomChangesGiveAResultOrAClearError) {
  const Bytes good = encode(an_info());
  for (std::uint64_t seed = 1; seed <= 3000; ++seed) {
    SeededRandom random(seed);
    const auto got = parse_group_info_page(samples::mutate(good, random));
    EXPECT_TRUE(base::is_utf8(detail_of(got))) << seed;
  }
}

}  // namespace
}  // namespace martlet::wire
