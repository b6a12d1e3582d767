#include "wire/log_batch.h"

#include <gtest/gtest.h>

#include <string>

#include "base/hash.h"
#include "model/limits.h"
#include "samples.h"
#include "wire/limits.h"
#include "wire/members_change.h"

namespace martlet::wire {
namespace {

using samples::alice_and_bob;
using samples::detail_of;
using samples::device;
using samples::msg_id;
using samples::user;

Entry a_message(Bytes content) {
  const std::uint64_t hash = base::hash64(content);
  return {EntryKind::kMessage,
          alice_and_bob(),
          Seq(4),
          MessageId(44),
          user("alice"),
          device("phone"),
          msg_id(1),
          1'700'000'000'000,
          std::move(content),
          hash};
}

Entry a_members_change() {
  Entry entry =
      a_message(encode(MembersChange{.action = MembersAction::kInvited, .users = {user("bob")}}));
  entry.kind = EntryKind::kMembers;
  entry.conversation = ConversationId::of_group(GroupId::trusted("team"));
  return entry;
}

Entry an_owner() {
  return {.kind = EntryKind::kOwner, .message_id = MessageId(43), .time_ms = 7};
}

Entry a_read() {
  return {.kind = EntryKind::kRead,
          .conversation = alice_and_bob(),
          .seq = Seq(3),
          .sender = user("bob"),
          .device = device("pc"),
          .time_ms = 8};
}

TEST(LogBatch, ComesBack) {
  const Batch sent{
      Epoch(5), Generation(2), {an_owner(), a_message("content"), a_read(), a_members_change()}};
  const auto got = parse_batch(encode(sent));
  ASSERT_TRUE(got) << detail_of(got);
  EXPECT_EQ(*got, sent);
}

TEST(LogBatch, SizesAreUpperBounds) {
  SeededRandom random(1);
  for (int round = 0; round < 200; ++round) {
    Batch batch{Epoch(5), Generation(2), {}};
    std::size_t bound = kBatchOverheadBytes;
    const std::uint64_t count = 1 + random.below(40);
    for (std::uint64_t i = 0; i < count; ++i) {
      Entry entry = a_message(random.bytes(1 + random.below(300)));
      entry.conversation = ConversationId::between(user(std::string(1 + random.below(64), 'a')),
                                                   user(std::string(1 + random.below(64), 'b')));
      entry.device = device(std::string(1 + random.below(64), 'd'));
      bound += size_in_batch(entry);
      batch.entries.push_back(std::move(entry));
    }
    ASSERT_LE(encode(batch).size(), bound);
  }
}

TEST(LogBatch, OneMessageOfTheLargestBodyFits) {
  EXPECT_LE(size_in_batch(a_message(Bytes(kMaxBodyBytes, 'x'))) + kBatchOverheadBytes,
            kMaxAppendBytes);
}

TEST(LogBatch, ContentThatDoesNotMatchItsHashIsRefused) {
  Batch batch{Epoch(5), Generation(2), {a_message("content of an entry")}};
  Bytes bytes = encode(batch);
  bytes[bytes.find("content of")] = 'k';
  EXPECT_NE(detail_of(parse_batch(bytes)), "");
}

TEST(LogBatch, ChangeOfMembersThatDoesNotMatchItsHashIsRefused) {
  Bytes bytes = encode({Epoch(5), Generation(2), {a_members_change()}});
  bytes[bytes.find("bob")] = 'r';
  EXPECT_NE(detail_of(parse_batch(bytes)), "");
}

TEST(LogBatch, MessagesAndChangesOfMembersAreOrdered) {
  EXPECT_TRUE(is_ordered(EntryKind::kMessage));
  EXPECT_TRUE(is_ordered(EntryKind::kMembers));
  EXPECT_FALSE(is_ordered(EntryKind::kRead));
  EXPECT_FALSE(is_ordered(EntryKind::kOwner));
}

TEST(LogBatch, GarbageIsAnError) {
  EXPECT_FALSE(parse_batch(""));
  EXPECT_FALSE(parse_batch(std::string(64, '\xFF')));
}

TEST(LogBatch, RandomChangesGiveAResultOrAClearError) {
  const Bytes good = encode({Epoch(5), Generation(2), {a_message("content"), a_read()}});
  for (std::uint64_t seed = 1; seed <= 5000; ++seed) {
    SeededRandom random(seed);
    EXPECT_TRUE(base::is_utf8(detail_of(parse_batch(samples::mutate(good, random))))) << seed;
  }
}

TEST(LogBatchDeathTest, IncompleteEntriesAreBugs) {
  Entry no_conversation = a_message("content");
  no_conversation.conversation = {};
  EXPECT_DEATH(encode(Batch{Epoch(5), Generation(2), {no_conversation}}), "is_complete");
  Entry no_group = a_members_change();
  no_group.conversation = alice_and_bob();
  EXPECT_DEATH(encode(Batch{Epoch(5), Generation(2), {no_group}}), "is_complete");
  EXPECT_DEATH(encode(Batch{Epoch(5), Generation(2), {}}), "empty");
}

}  // namespace
}  // namespace martlet::wire
