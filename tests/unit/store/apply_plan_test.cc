#include "store/apply_plan.h"

#include <gtest/gtest.h>

#include <deque>

namespace martlet::store {
namespace {

UserId user(std::string_view name) {
  return UserId::trusted(name);
}
const ConversationId kConversation = ConversationId::between(user("alice"), user("bob"));

wire::Entry message(std::uint64_t seq, std::string_view sender) {
  wire::Entry entry;
  entry.kind = wire::EntryKind::kMessage;
  entry.conversation = kConversation;
  entry.seq = Seq(seq);
  entry.sender = user(sender);
  return entry;
}

wire::Entry read(std::uint64_t seq, std::string_view reader) {
  wire::Entry entry = message(seq, reader);
  entry.kind = wire::EntryKind::kRead;
  return entry;
}

class ApplyPlanTest : public testing::Test {
 protected:
  void add(wire::Entry entry, std::uint64_t position) {
    entries_.push_back(std::move(entry));
    plan_.add(entries_.back(), {ShardId(3), LogPosition(position), nullptr});
  }
  std::deque<wire::Entry> entries_;
  ApplyPlan plan_;
};

TEST_F(ApplyPlanTest, GathersTheHeadOfAConversation) {
  add(message(4, "alice"), 10);
  add(message(5, "bob"), 10);
  add(message(6, "alice"), 11);
  ASSERT_EQ(plan_.conversations().size(), 1u);
  const auto& change = plan_.conversations().begin()->second;
  EXPECT_EQ(change.last_seq, 6u);
  EXPECT_EQ(change.last_position, 11u);
  EXPECT_EQ(change.sent_first, 6u);
  EXPECT_EQ(change.sent_second, 5u);
  EXPECT_FALSE(change.begins);
  EXPECT_EQ(plan_.messages().size(), 3u);
}

TEST_F(ApplyPlanTest, TheFirstSeqBeginsAConversation) {
  add(message(1, "bob"), 10);
  add(message(2, "bob"), 10);
  EXPECT_TRUE(plan_.conversations().begin()->second.begins);
}

TEST_F(ApplyPlanTest, NotesToOneselfCountAsSentByBoth) {
  wire::Entry note = message(3, "alice");
  note.conversation = ConversationId::with_self(user("alice"));
  add(note, 10);
  const auto& change = plan_.conversations().begin()->second;
  EXPECT_EQ(change.sent_first, 3u);
  EXPECT_EQ(change.sent_second, 3u);
}

TEST_F(ApplyPlanTest, OnlyTheGreatestCursorOfAReaderCounts) {
  add(read(5, "bob"), 10);
  add(read(7, "bob"), 11);
  add(read(6, "bob"), 12);
  add(read(2, "alice"), 13);
  ASSERT_EQ(plan_.reads().size(), 2u);
  const auto& change = plan_.reads().at({"bob", kConversation.str()});
  EXPECT_EQ(change.seq, 7u);
  EXPECT_EQ(change.position, 11u);
  EXPECT_TRUE(plan_.conversations().empty()) << "a cursor is no change of the conversation";
}

TEST_F(ApplyPlanTest, OwnersChangeNothing) {
  wire::Entry owner;
  owner.kind = wire::EntryKind::kOwner;
  add(owner, 10);
  EXPECT_TRUE(plan_.conversations().empty());
  EXPECT_TRUE(plan_.messages().empty());
}

}  // namespace
}  // namespace martlet::store
