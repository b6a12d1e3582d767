#include "store/cold.h"

#include "database.h"
#include "store/apply.h"
#include "store/pg_store.h"

namespace martlet::store {
namespace {

class ColdTest : public DatabaseTest {
 protected:
  void SetUp() override {
    DatabaseTest::SetUp();
    if (HasFatalFailure()) return;
    connection_ = prepared();
    add_users({"alice", "bob", "carol"});
  }
  wire::ColdQuestion question(std::vector<ConversationId> conversations,
                              std::vector<wire::MessageKey> messages = {}) const {
    return {shard_, Generation(1), LogPosition(0), std::move(conversations), std::move(messages)};
  }

  const ConversationId conversation_ = between("alice", "bob");
  const ShardId shard_ = shard_of(conversation_);
  TestLog log_{shard_};
  std::unique_ptr<pg::Connection> connection_;
};

TEST_F(ColdTest, TellsKnownNewAndImpossibleConversations) {
  log_.add({log_.message(conversation_, "alice"), log_.message(conversation_, "bob")});
  ASSERT_EQ(log_.apply(*connection_).outcome, ApplyOutcome::kCommitted);
  const auto answers = look_up_cold(
      *connection_, {question({between("alice", "nobody"), conversation_, between("alice", "carol"),
                               between("carol", "carol"), between("no", "no")})});
  ASSERT_TRUE(answers) << answers.error().message;
  const auto& heads = answers->at(0).heads;
  ASSERT_EQ(heads.size(), 5u);
  EXPECT_EQ(heads[0].status, wire::HeadStatus::kNoSuchUser);
  EXPECT_EQ(heads[1].status, wire::HeadStatus::kKnown);
  EXPECT_EQ(heads[1].last_seq, Seq(2));
  EXPECT_EQ(heads[2].status, wire::HeadStatus::kNew);
  EXPECT_EQ(heads[3].status, wire::HeadStatus::kNew);
  EXPECT_EQ(heads[4].status, wire::HeadStatus::kNoSuchUser);
}

TEST_F(ColdTest, UserNamesAreComparedWithCase) {
  const auto answers = look_up_cold(*connection_, {question({between("ALICE", "bob")})});
  ASSERT_TRUE(answers);
  EXPECT_EQ(answers->at(0).heads[0].status, wire::HeadStatus::kNoSuchUser);
}

TEST_F(ColdTest, FindsStoredMessagesBySenderAndClientMsgId) {
  const wire::Entry entry = log_.message(conversation_, "alice");
  log_.add({log_.message(conversation_, "bob"), entry});
  ASSERT_EQ(log_.apply(*connection_).outcome, ApplyOutcome::kCommitted);
  const auto answers = look_up_cold(
      *connection_, {question({}, {{conversation_, user("bob"), entry.client_msg_id},
                                   {conversation_, user("alice"), entry.client_msg_id}})});
  ASSERT_TRUE(answers);
  const auto& messages = answers->at(0).messages;
  EXPECT_FALSE(messages.at(0).found) << "ids count for each sender";
  ASSERT_TRUE(messages.at(1).found);
  EXPECT_EQ(messages[1].seq, entry.seq);
  EXPECT_EQ(messages[1].message_id, entry.message_id);
  EXPECT_EQ(messages[1].time_ms, entry.time_ms);
  EXPECT_EQ(messages[1].content_hash, entry.content_hash);
}

TEST_F(ColdTest, SaysTheWatermarkOfItsSnapshot) {
  log_.add({log_.message(conversation_, "alice")});
  ASSERT_EQ(log_.apply(*connection_).outcome, ApplyOutcome::kCommitted);
  const auto answers = look_up_cold(*connection_, {question({conversation_})});
  EXPECT_EQ(answers->at(0).watermark, LogPosition(1));
  EXPECT_EQ(answers->at(0).generation, Generation(1));
}

TEST_F(ColdTest, AnswersSeveralQuestionsAndRefusesAnImpossibleShard) {
  auto bad = question({conversation_}, {{conversation_, user("bob"), client_msg_id(1)}});
  bad.shard = ShardId(kShards);
  const auto answers = look_up_cold(
      *connection_, {question({between("alice", "carol")}), bad, question({between("bob", "x")})});
  ASSERT_TRUE(answers);
  EXPECT_EQ(answers->at(0).heads.at(0).status, wire::HeadStatus::kNew);
  EXPECT_EQ(answers->at(1).error.code, ErrorCode::kBadRange);
  EXPECT_EQ(answers->at(2).heads.at(0).status, wire::HeadStatus::kNoSuchUser);
}

// All who page through histories wait for the database; a SEND must not.
TEST_F(ColdTest, ReadersThatWaitHoldUpNoQuestion) {
  log_.add({log_.message(conversation_, "alice")});
  ASSERT_EQ(log_.apply(*connection_).outcome, ApplyOutcome::kCommitted);
  event::Loop loop;
  PgStoreOptions store_options;
  store_options.url = options().url;
  store_options.readers = 1;
  PgStore store(loop, store_options);
  const auto blocker = connect();
  std::optional<pg::Transaction> lock(std::in_place, *blocker, pg::Mode::kReadWrite);
  lock->query("LOCK TABLE messages IN ACCESS EXCLUSIVE MODE");
  bool is_read = false;
  store.history({user("bob"), {.conversation = conversation_}}, [&](const Result<HistoryRows>&) {
    is_read = true;
    loop.stop();
  });
  std::optional<Result<ColdAnswers>> answers;
  store.look_up_cold({question({conversation_})}, [&](Result<ColdAnswers> result) {
    answers = std::move(result);
    loop.stop();
  });
  event::Timer deadline(loop, [&] { loop.stop(); });
  deadline.start_once(std::chrono::seconds(30));
  loop.run();
  EXPECT_TRUE(answers.has_value() && answers->has_value());
  EXPECT_FALSE(is_read);
  lock.reset();
  if (!is_read) loop.run();
  EXPECT_TRUE(is_read);
}

}  // namespace
}  // namespace martlet::store
