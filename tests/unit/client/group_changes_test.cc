#include "client/group_changes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "client/limits.h"
#include "client_test_support.h"

namespace martlet::client {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

OutgoingChange change(std::uint64_t number, std::string_view group = "team") {
  return {GroupId::trusted(group), msg_id(number), {.action = MembersAction::kJoined}};
}

class GroupChangesTest : public testing::Test {
 protected:
  void add(const OutgoingChange& one, std::int64_t at = 0) {
    EXPECT_TRUE(changes_.add(one, at_ms(at)));
  }
  // The ids of what goes out.
  std::vector<ClientMsgId> asked() {
    std::vector<ClientMsgId> ids;
    actions_ = changes_.take_actions();
    for (const auto& ask : only<GroupChanges::Ask>(actions_)) ids.push_back(ask.change.id);
    return ids;
  }
  void ack(std::uint64_t number) {
    Acknowledged ack;
    ack.id = msg_id(number);
    ack.seq = Seq(number);
    changes_.on_ack(ack, at_ms(0));
  }
  void refuse(std::uint64_t number, bool retryable, std::int64_t at = 0) {
    changes_.on_refused(msg_id(number), Error{ErrorCode::kBusy, ""}, retryable, at_ms(at));
  }

  SeededRandom random_{3};
  GroupChanges changes_{random_};
  std::vector<GroupChanges::Action> actions_;
};

TEST_F(GroupChangesTest, GoOutWhenConnected) {
  add(change(1));
  EXPECT_THAT(asked(), IsEmpty());
  changes_.on_connected(at_ms(0));
  EXPECT_THAT(asked(), ElementsAre(msg_id(1)));
}

TEST_F(GroupChangesTest, ThoseOfOneGroupGoOneAfterTheOther) {
  changes_.on_connected(at_ms(0));
  add(change(1));
  add(change(2));
  add(change(3, "other"));
  EXPECT_THAT(asked(), ElementsAre(msg_id(1), msg_id(3)));
  ack(1);
  EXPECT_THAT(asked(), ElementsAre(msg_id(2)));
  ASSERT_THAT(only<GroupChanges::Done>(actions_), SizeIs(1));
  EXPECT_EQ(only<GroupChanges::Done>(actions_)[0].ack.seq, Seq(1));
}

TEST_F(GroupChangesTest, OnlyAFewAreOutAtATime) {
  changes_.on_connected(at_ms(0));
  for (std::uint64_t i = 1; i <= 5; ++i) add(change(i, "g" + std::to_string(i)));
  EXPECT_THAT(asked(), SizeIs(kMaxChangesOut));
  EXPECT_FALSE(changes_.next_deadline().has_value());
  ack(1);
  EXPECT_THAT(asked(), SizeIs(1));
}

TEST_F(GroupChangesTest, RetryableRefusalIsRepeatedInItsTurn) {
  changes_.on_connected(at_ms(0));
  add(change(1));
  add(change(2));
  asked();
  refuse(1, true);
  EXPECT_THAT(asked(), IsEmpty());
  const auto due = changes_.next_deadline();
  ASSERT_TRUE(due.has_value());
  changes_.tick(*due);
  EXPECT_THAT(asked(), ElementsAre(msg_id(1)));
  const auto asks = only<GroupChanges::Ask>(actions_);
  ASSERT_THAT(asks, SizeIs(1));
  EXPECT_EQ(asks[0].age, *due - at_ms(0));
}

TEST_F(GroupChangesTest, FinalRefusalLetsTheNextGo) {
  changes_.on_connected(at_ms(0));
  add(change(1));
  add(change(2));
  asked();
  refuse(1, false);
  EXPECT_THAT(asked(), ElementsAre(msg_id(2)));
  ASSERT_THAT(only<GroupChanges::Refused>(actions_), SizeIs(1));
  EXPECT_EQ(only<GroupChanges::Refused>(actions_)[0].change.id, msg_id(1));
}

TEST_F(GroupChangesTest, NewConnectionRepeatsWhatIsOpen) {
  changes_.on_connected(at_ms(0));
  add(change(1));
  asked();
  changes_.on_disconnected();
  EXPECT_FALSE(changes_.next_deadline().has_value());
  changes_.on_connected(at_ms(700));
  EXPECT_THAT(asked(), ElementsAre(msg_id(1)));
  EXPECT_EQ(only<GroupChanges::Ask>(actions_)[0].age, std::chrono::milliseconds(700));
  ack(1);
  EXPECT_TRUE(changes_.empty());
}

TEST_F(GroupChangesTest, AgeOfOneFromTheStoreIsUnknown) {
  changes_.restore({change(1)});
  changes_.on_connected(at_ms(0));
  asked();
  ASSERT_THAT(only<GroupChanges::Ask>(actions_), SizeIs(1));
  EXPECT_FALSE(only<GroupChanges::Ask>(actions_)[0].age.has_value());
}

TEST_F(GroupChangesTest, AnswersOfNobodyAreIgnored) {
  changes_.on_connected(at_ms(0));
  add(change(1));
  asked();
  ack(9);
  refuse(9, false);
  EXPECT_THAT(changes_.take_actions(), IsEmpty());
  EXPECT_FALSE(changes_.empty());
}

TEST_F(GroupChangesTest, ListIsBoundedAndIdsAreUnique) {
  for (std::uint64_t i = 1; i <= kMaxQueuedChanges; ++i) add(change(i));
  EXPECT_EQ(changes_.add(change(9999), at_ms(0)).error().code, ErrorCode::kBusy);
  GroupChanges other(random_);
  EXPECT_TRUE(other.add(change(1), at_ms(0)));
  EXPECT_EQ(other.add(change(1), at_ms(0)).error().code, ErrorCode::kConflict);
}

}  // namespace
}  // namespace martlet::client
