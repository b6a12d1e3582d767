#include "store/repeats.h"

#include <chrono>

#include "database.h"
#include "store/apply.h"

namespace martlet::store {
namespace {

// A client can bring repeats about by lying about their age; they must stop nobody.
class RepeatsTest : public DatabaseTest {
 protected:
  void SetUp() override {
    DatabaseTest::SetUp();
    if (HasFatalFailure()) return;
    connection_ = prepared();
    add_users({"alice", "bob"});
  }
  // Under the next seq, as the dispatcher would log it.
  wire::Entry repeat_of(const wire::Entry& original, std::string content = "hello") {
    wire::Entry entry = log_.message(original.conversation, original.sender.str(), content);
    entry.client_msg_id = original.client_msg_id;
    return entry;
  }
  ApplyResult applied(std::vector<wire::Entry> entries, bool one_by_one = false) {
    log_.add(std::move(entries));
    ApplyResult result = log_.apply(*connection_, one_by_one);
    EXPECT_EQ(result.outcome, ApplyOutcome::kCommitted) << result.detail;
    return result;
  }
  // "1+ 2-": seqs, with content and without.
  std::string stored() const {
    return scalar(
        "SELECT string_agg(seq || (CASE WHEN content IS NULL THEN '-' ELSE '+' END), ' ' ORDER BY "
        "seq) FROM messages");
  }

  const ConversationId conversation_ = between("alice", "bob");
  TestLog log_{shard_of(conversation_)};
  std::unique_ptr<pg::Connection> connection_;
};

TEST_F(RepeatsTest, ARepeatIsATombstoneAndTheRestIsStored) {
  const wire::Entry original = log_.message(conversation_, "alice");
  applied({original});
  const ApplyResult result = applied({repeat_of(original), log_.message(conversation_, "bob")});
  EXPECT_EQ(result.repeats, 1u);
  EXPECT_EQ(result.messages, 1u);
  EXPECT_EQ(result.dead, 0u);
  EXPECT_EQ(stored(), "1+ 2- 3+");
  EXPECT_EQ(scalar("SELECT count(*) FROM dead_entries"), "0");
}

TEST_F(RepeatsTest, CopiesInOneTransactionAreStoredOnce) {
  const wire::Entry original = log_.message(conversation_, "alice");
  const ApplyResult result = applied({original, repeat_of(original), repeat_of(original)});
  EXPECT_EQ(result.repeats, 2u);
  EXPECT_EQ(stored(), "1+ 2- 3-");
}

TEST_F(RepeatsTest, OnlyARepeatWithAnotherContentIsKept) {
  const wire::Entry original = log_.message(conversation_, "alice");
  applied({original});
  const wire::Entry lie = repeat_of(original, "something else");
  const ApplyResult result = applied({repeat_of(original), lie});
  EXPECT_EQ(result.repeats, 2u);
  EXPECT_EQ(scalar("SELECT concat_ws(' ', position, entry_index, sqlstate) FROM dead_entries"),
            "2 1 23505");
  const auto kept = base::from_hex(scalar("SELECT encode(entry, 'hex') FROM dead_entries"));
  EXPECT_EQ(wire::parse_batch(*kept)->entries.at(0), lie);
}

TEST_F(RepeatsTest, OneByOneDoesTheSame) {
  const wire::Entry original = log_.message(conversation_, "alice");
  const ApplyResult result =
      applied({original, repeat_of(original), log_.message(conversation_, "bob")}, true);
  EXPECT_EQ(result.repeats, 1u);
  EXPECT_EQ(result.messages, 2u);
  EXPECT_EQ(stored(), "1+ 2- 3+");
}

// Message ids are easy to foresee. If the place of a repeat were kept under an id made of them, a
// client could have taken it before, the seq would have no row, and be given to another message.
TEST_F(RepeatsTest, TheSeqOfARepeatStaysTakenWhateverIdsWereUsedBefore) {
  const wire::Entry original = log_.message(conversation_, "alice");
  wire::Entry taken = log_.message(conversation_, "alice");
  const wire::Entry repeat = repeat_of(original);
  taken.client_msg_id = {};
  for (std::size_t i = 0; i < 8; ++i)
    taken.client_msg_id.bytes[15 - i] =
        static_cast<std::uint8_t>(repeat.message_id.value() >> (8 * i));
  applied({original, taken, repeat});
  EXPECT_EQ(stored(), "1+ 2+ 3-");
  EXPECT_EQ(scalar("SELECT last_seq FROM conversations"), "3");
}

TEST_F(RepeatsTest, ManyRepeatsTakeOneTransaction) {
  const wire::Entry original = log_.message(conversation_, "alice");
  applied({original});
  for (int batch = 0; batch < 24; ++batch) {
    std::vector<wire::Entry> entries;
    for (int i = 0; i < 500; ++i) entries.push_back(repeat_of(original, "lie"));
    log_.add(std::move(entries));
  }
  const auto started = std::chrono::steady_clock::now();
  const ApplyResult result = applied({log_.message(conversation_, "bob")});
  EXPECT_EQ(result.repeats, 12'000u);
  EXPECT_EQ(result.messages, 1u);
  EXPECT_EQ(scalar("SELECT count(*) FROM dead_entries"), "12000");
  EXPECT_LT(std::chrono::steady_clock::now() - started, std::chrono::seconds(30));
}

// The change is in the log and the dispatcher made it: who is in the group follows the log.
TEST_F(RepeatsTest, ARepeatedChangeOfMembersCountsAlthoughItsMessageDoesNot) {
  const ConversationId birds = group("birds");
  TestLog log(shard_of(birds));
  const MembersChange invite = change(MembersAction::kInvited, {"bob"});
  const wire::Entry created = log.members(birds, "alice", change(MembersAction::kCreated));
  const wire::Entry invited = log.members(birds, "alice", invite);
  const wire::Entry removed = log.members(birds, "alice", change(MembersAction::kRemoved, {"bob"}));
  wire::Entry again = log.members(birds, "alice", invite);
  again.client_msg_id = invited.client_msg_id;
  log.add({created, invited, removed, again});
  const ApplyResult result = log.apply(*connection_);
  ASSERT_EQ(result.outcome, ApplyOutcome::kCommitted) << result.detail;
  EXPECT_EQ(result.repeats, 1u);
  EXPECT_EQ(scalar("SELECT string_agg(joined_seq::text, ' ') FROM memberships WHERE user_id = "
                   "'bob' AND to_seq IS NULL"),
            "4");
}

// Wrong in two ways: it must not stop the shard.
TEST_F(RepeatsTest, ALieThatIsNoReadableChangeEitherIsKeptOnce) {
  const ConversationId birds = group("birds");
  TestLog log(shard_of(birds));
  wire::Entry original = log.message(birds, "alice", "no change of members");
  wire::Entry lie = log.message(birds, "alice", "neither is this");
  original.kind = lie.kind = wire::EntryKind::kMembers;
  lie.client_msg_id = original.client_msg_id;
  log.add({original, lie});
  const ApplyResult result = log.apply(*connection_);
  ASSERT_EQ(result.outcome, ApplyOutcome::kCommitted) << result.detail;
  EXPECT_EQ(result.repeats, 1u);
  EXPECT_EQ(scalar("SELECT string_agg(entry_index || ' ' || sqlstate, ', ' ORDER BY entry_index) "
                   "FROM dead_entries"),
            "0 PARSE, 1 23505");
}

}  // namespace
}  // namespace martlet::store
