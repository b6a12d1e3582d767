#include "base/hash.h"
#include "bus/subjects.h"
#include "wire/requests.h"
#include "world.h"

namespace martlet::persist {
namespace {

using namespace std::chrono_literals;

class ReadsTest : public PersistTest {
 protected:
  Blocked block() const { return Blocked(connect(), shard_); }

  wire::FetchPage fetched(std::string_view as_user, std::uint64_t from, std::uint64_t to) {
    const auto answer = read(wire::Command::Fetch, as_user,
                             wire::encode(wire::Fetch{{{conversation_, Seq(from), Seq(to)}}}));
    EXPECT_EQ(answer.error.code, ErrorCode::kNone) << answer.error.detail;
    return *wire::parse_fetch_page(answer.body);
  }
  wire::ColdAnswer ask_cold(std::uint64_t min_watermark) {
    wire::ColdQuestion question;
    question.shard = shard_;
    question.generation = Generation(1);
    question.min_watermark = LogPosition(min_watermark);
    question.conversations = {conversation_};
    return *wire::parse_cold_answer(request(bus::subject::rpc_cold(), wire::encode(question)));
  }

  const ConversationId conversation_ = between("alice", "bob");
  const ShardId shard_ = store::shard_of(conversation_);
};

TEST_F(ReadsTest, SyncHasWhatWasInTheLogWhenItCame) {
  start_following();
  for (int i = 1; i <= 20; ++i) {
    send("alice", "bob");
    const wire::SyncPage page = synced("bob");
    ASSERT_FALSE(page.behind);
    ASSERT_EQ(page.conversations.size(), 1u);
    ASSERT_EQ(page.conversations[0].last_seq, Seq(static_cast<std::uint64_t>(i)));
  }
}

TEST_F(ReadsTest, SyncTellsNothingTwice) {
  start_following();
  send("alice", "bob", 3);
  const Bytes token(synced("bob").token);
  EXPECT_TRUE(synced("bob", token).conversations.empty());
  send("carol", "bob");
  const wire::SyncPage page = synced("bob", token);
  ASSERT_EQ(page.conversations.size(), 1u);
  EXPECT_EQ(page.conversations[0].conversation, between("bob", "carol"));
}

TEST_F(ReadsTest, SyncSaysBehindWhileTheDatabaseIs) {
  start_following();
  send("alice", "bob", 2);
  ASSERT_TRUE(wait_for([&] { return announced_[shard_] == LogPosition(2); }));
  Bytes token;
  {
    const Blocked blocked = block();
    send("alice", "bob");
    const wire::SyncPage page = synced("bob");
    EXPECT_TRUE(page.behind);
    EXPECT_GT(page.again_in_ms, 0u);
    ASSERT_EQ(page.conversations.size(), 1u);
    EXPECT_EQ(page.conversations[0].last_seq, Seq(2));
    token = page.token;
  }
  expect_all_stored();
  const wire::SyncPage later = synced("bob", token);
  EXPECT_FALSE(later.behind);
  ASSERT_EQ(later.conversations.size(), 1u);
  EXPECT_EQ(later.conversations[0].last_seq, Seq(3));
}

TEST_F(ReadsTest, HistorySaysBehindWhileTheDatabaseIs) {
  start_following();
  send("alice", "bob", 2);
  ASSERT_TRUE(wait_for([&] { return announced_[shard_] == LogPosition(2); }));
  wire::History question;
  question.conversation = conversation_;
  const Bytes body = wire::encode(question);
  {
    const Blocked blocked = block();
    send("alice", "bob");
    const auto page = wire::parse_history_page(read(wire::Command::History, "bob", body).body);
    ASSERT_TRUE(page) << page.error().detail;
    EXPECT_TRUE(page->behind);
    EXPECT_GT(page->again_in_ms, 0u);
    EXPECT_EQ(page->messages.size(), 2u);
  }
  expect_all_stored();
  const auto page = wire::parse_history_page(read(wire::Command::History, "bob", body).body);
  ASSERT_TRUE(page) << page.error().detail;
  EXPECT_FALSE(page->behind);
  EXPECT_EQ(page->messages.size(), 3u);
}

TEST_F(ReadsTest, ForeignTokensAreRefused) {
  start_following();
  const auto code = [&](BytesView token, BytesView page) {
    return read(wire::Command::Sync, "bob", wire::encode(wire::Sync{token, page})).error.code;
  };
  EXPECT_EQ(code("nonsense", ""), ErrorCode::kBadBody);
  EXPECT_EQ(code("", "nonsense"), ErrorCode::kBadBody);
}

TEST_F(ReadsTest, FetchWaitsForWhatWasSeenLive) {
  start_following();
  send("alice", "bob", 3);
  const wire::FetchPage page = fetched("bob", 1, 3);
  EXPECT_EQ(page.messages.size(), 3u);
  EXPECT_TRUE(page.remaining.empty());
}

TEST_F(ReadsTest, FetchOfWhatIsNotStoredInTimeRemains) {
  start_following();
  send("alice", "bob", 2);
  ASSERT_TRUE(wait_for([&] { return announced_[shard_] == LogPosition(2); }));
  const Blocked blocked = block();
  send("alice", "bob");
  const wire::FetchPage page = fetched("bob", 1, 3);
  EXPECT_EQ(page.messages.size(), 2u);
  ASSERT_EQ(page.remaining.size(), 1u);
  EXPECT_EQ(page.remaining[0].from, Seq(3));
}

TEST_F(ReadsTest, FetchOfWhatDoesNotExistIsDropped) {
  start_following();
  send("alice", "bob", 2);
  const wire::FetchPage page = fetched("bob", 2, 9);
  EXPECT_EQ(page.messages.size(), 1u);
  EXPECT_TRUE(page.remaining.empty());
}

TEST_F(ReadsTest, OthersConversationsAreRefused) {
  start_following();
  send("alice", "bob");
  const Bytes fetch = wire::encode(wire::Fetch{{{conversation_, Seq(1), Seq(1)}}});
  EXPECT_EQ(read(wire::Command::Fetch, "carol", fetch).error.code, ErrorCode::kNotMember);
  const Bytes history = wire::encode(wire::History{conversation_});
  EXPECT_EQ(read(wire::Command::History, "carol", history).error.code, ErrorCode::kNotMember);
  EXPECT_EQ(read(wire::Command::History, "", history).error.code, ErrorCode::kNotAuthenticated);
}

TEST_F(ReadsTest, HistoryHasTheNewestMessage) {
  start_following();
  send("alice", "bob", 5);
  const auto answer =
      read(wire::Command::History, "alice",
           wire::encode(wire::History{conversation_, Seq(0), wire::Direction::Backward, 2}));
  ASSERT_EQ(answer.error.code, ErrorCode::kNone) << answer.error.detail;
  const auto page = wire::parse_history_page(answer.body);
  ASSERT_TRUE(page);
  ASSERT_EQ(page->messages.size(), 2u);
  EXPECT_EQ(page->messages[0].seq, Seq(5));
  EXPECT_EQ(page->messages[0].sender, "alice");
  EXPECT_TRUE(page->more);
}

TEST_F(ReadsTest, MalformedRequestsAreCountedAndOthersAnswered) {
  Node& node = start_following();
  bus_->publish(bus::subject::rpc_read(), "garbage");
  bus_->publish(bus::subject::rpc_cold(), "garbage");
  bus_->publish(bus::subject::rpc_shard(), "garbage");
  EXPECT_TRUE(wait_for([&] { return metric(node, "martlet_persist_malformed_total") == 3; }));
  EXPECT_EQ(read(wire::Command::Fetch, "bob", "garbage").error.code, ErrorCode::kBadBody);
  EXPECT_TRUE(synced("bob").conversations.empty());
}

TEST_F(ReadsTest, ColdAnswersHaveTheWatermarkThatWasNamed) {
  start_following();
  send("alice", "bob", 5);
  const wire::ColdAnswer answer = ask_cold(5);
  EXPECT_EQ(answer.error.code, ErrorCode::kNone) << answer.error.detail;
  EXPECT_GE(answer.watermark, LogPosition(5));
  EXPECT_EQ(answer.heads.at(0).last_seq, Seq(5));
}

TEST_F(ReadsTest, ColdQuestionsThatWaitTooLongAreRefused) {
  start_following();
  send("alice", "bob", 1);
  EXPECT_EQ(ask_cold(2).error.code, ErrorCode::kBusy);
  EXPECT_EQ(ask_cold(1).error.code, ErrorCode::kNone);
}

TEST_F(ReadsTest, ManyColdQuestionsAreAnsweredByFewQueries) {
  Node& node = start_following();
  send("alice", "bob", 1);
  wire::ColdQuestion question;
  question.shard = shard_;
  question.generation = Generation(1);
  question.conversations = {conversation_, between("alice", "nobody")};
  const Bytes payload = wire::encode(question);
  constexpr int kQuestions = 200;
  int answers = 0;
  for (int i = 0; i < kQuestions; ++i) {
    bus_->request(bus::subject::rpc_cold(), payload, 10s, [&](const Result<Bytes>& reply) {
      ASSERT_TRUE(reply) << reply.error().detail;
      const auto answer = wire::parse_cold_answer(*reply);
      ASSERT_TRUE(answer);
      EXPECT_EQ(answer->heads.size(), 2u);
      ++answers;
    });
  }
  ASSERT_TRUE(wait_for([&] { return answers == kQuestions; }));
  EXPECT_EQ(metric(node, "martlet_persist_cold_questions_total"), kQuestions);
  EXPECT_LT(metric(node, "martlet_persist_cold_queries_total"), kQuestions / 4);
}

}  // namespace
}  // namespace martlet::persist
