#include "store/pages.h"

#include "database.h"
#include "store/limits.h"

namespace martlet::store {
namespace {

class PagesTest : public DatabaseTest {
 protected:
  void SetUp() override {
    DatabaseTest::SetUp();
    if (HasFatalFailure()) return;
    connection_ = prepared();
    add_users({"alice", "bob"});
  }
  void store_messages(int count, std::size_t bytes = 10) {
    for (int i = 0; i < count; ++i)
      log_.add({log_.message(conversation_, "alice", std::string(bytes, 'm'))});
    const ApplyResult result = log_.apply(*connection_);
    ASSERT_EQ(result.outcome, ApplyOutcome::kCommitted) << result.detail;
  }
  FetchRows fetched(std::vector<wire::Range> ranges, bool keep_unknown = false) {
    auto rows = fetch(*connection_, {user("bob"), std::move(ranges), keep_unknown}, kShards);
    EXPECT_TRUE(rows) << rows.error().message;
    return std::move(*rows);
  }
  HistoryRows history_of(std::uint64_t from, wire::Direction direction, std::uint32_t limit) {
    auto rows = history(*connection_, {user("bob"), {conversation_, Seq(from), direction, limit}});
    EXPECT_TRUE(rows) << rows.error().message;
    return std::move(*rows);
  }
  wire::Range range(std::uint64_t from, std::uint64_t to) const {
    return {conversation_, Seq(from), Seq(to)};
  }
  static std::vector<std::uint64_t> seqs(const std::vector<StoredRow>& rows) {
    std::vector<std::uint64_t> seqs;
    for (const auto& row : rows) seqs.push_back(row.seq.value());
    return seqs;
  }

  const ConversationId conversation_ = between("alice", "bob");
  TestLog log_{shard_of(conversation_)};
  std::unique_ptr<pg::Connection> connection_;
};

TEST_F(PagesTest, FetchGivesRangesInTheirOrder) {
  store_messages(20);
  const FetchRows rows = fetched({range(15, 17), range(3, 4)});
  EXPECT_EQ(seqs(rows.messages), (std::vector<std::uint64_t>{15, 16, 17, 3, 4}));
  EXPECT_TRUE(rows.remaining.empty());
  EXPECT_TRUE(rows.withheld.empty());
  EXPECT_TRUE(rows.beyond.empty());
}

TEST_F(PagesTest, FetchOfManyMessagesTakesCeilOfNByPageRequests) {
  store_messages(450);
  std::vector<wire::Range> ranges = {range(1, 150), range(151, 450)};
  std::vector<std::uint64_t> got;
  int requests = 0;
  while (!ranges.empty()) {
    const FetchRows rows = fetched(ranges);
    for (const std::uint64_t seq : seqs(rows.messages)) got.push_back(seq);
    ranges = rows.remaining;
    ASSERT_LT(++requests, 10);
  }
  EXPECT_EQ(requests, 3);
  ASSERT_EQ(got.size(), 450u);
  for (std::size_t i = 0; i < got.size(); ++i) ASSERT_EQ(got[i], i + 1);
}

TEST_F(PagesTest, FetchStopsWhereThePageIsFullAndSaysWhatRemains) {
  store_messages(20, 60'000);
  const FetchRows rows = fetched({range(1, 20)});
  ASSERT_FALSE(rows.messages.empty());
  ASSERT_LT(rows.messages.size(), 20u);
  ASSERT_EQ(rows.remaining.size(), 1u);
  EXPECT_EQ(rows.remaining[0], range(rows.messages.size() + 1, 20));
  EXPECT_TRUE(rows.withheld.empty());
}

TEST_F(PagesTest, FetchAboveTheLastSeqSaysWhichShardToWaitFor) {
  store_messages(5);
  const FetchRows rows = fetched({range(4, 8)});
  EXPECT_EQ(seqs(rows.messages), (std::vector<std::uint64_t>{4, 5}));
  EXPECT_EQ(rows.beyond, (std::vector<ShardId>{shard_of(conversation_)}));
  EXPECT_TRUE(rows.remaining.empty());
  EXPECT_EQ(fetched({range(4, 8)}, true).remaining, (std::vector<wire::Range>{range(6, 8)}));
}

TEST_F(PagesTest, FetchOfAnUnknownConversationIsAllBeyond) {
  const FetchRows rows = fetched({range(1, 3)}, true);
  EXPECT_TRUE(rows.messages.empty());
  EXPECT_EQ(rows.remaining, (std::vector<wire::Range>{range(1, 3)}));
}

TEST_F(PagesTest, HolesAreWithheldAndTombstonesRemoved) {
  store_messages(6);
  run("DELETE FROM messages WHERE seq IN (1, 3, 4, 6)");
  run("UPDATE messages SET content = NULL WHERE seq = 5");
  const FetchRows rows = fetched({range(1, 6)});
  EXPECT_EQ(seqs(rows.messages), (std::vector<std::uint64_t>{2, 5}));
  EXPECT_FALSE(rows.messages[0].removed);
  EXPECT_TRUE(rows.messages[1].removed);
  EXPECT_EQ(rows.withheld, (std::vector<wire::Range>{range(1, 1), range(3, 4), range(6, 6)}));
}

TEST_F(PagesTest, FetchOfHolesOnlyEnds) {
  store_messages(6);
  run("DELETE FROM messages");
  const FetchRows rows = fetched({range(2, 5)});
  EXPECT_EQ(rows.withheld, (std::vector<wire::Range>{range(2, 5)}));
  EXPECT_TRUE(rows.remaining.empty());
}

TEST_F(PagesTest, HistoryGoesBackwardFromTheEnd) {
  store_messages(10);
  const HistoryRows rows = history_of(0, wire::Direction::Backward, 3);
  EXPECT_EQ(seqs(rows.messages), (std::vector<std::uint64_t>{10, 9, 8}));
  EXPECT_TRUE(rows.more);
  const HistoryRows last = history_of(4, wire::Direction::Backward, 3);
  EXPECT_EQ(seqs(last.messages), (std::vector<std::uint64_t>{3, 2, 1}));
  EXPECT_FALSE(last.more);
}

TEST_F(PagesTest, HistoryGoesForwardFromASeq) {
  store_messages(10);
  const HistoryRows rows = history_of(6, wire::Direction::Forward, 3);
  EXPECT_EQ(seqs(rows.messages), (std::vector<std::uint64_t>{7, 8, 9}));
  EXPECT_TRUE(rows.more);
  EXPECT_FALSE(history_of(9, wire::Direction::Forward, 3).more);
  EXPECT_TRUE(history_of(10, wire::Direction::Forward, 3).messages.empty());
}

TEST_F(PagesTest, HistoryIsCutToItsLimits) {
  store_messages(260);
  EXPECT_EQ(history_of(0, wire::Direction::Backward, 0).messages.size(), kHistoryPageMessages);
  EXPECT_EQ(history_of(0, wire::Direction::Backward, 1000).messages.size(),
            kMaxHistoryPageMessages);
}

TEST_F(PagesTest, HistoryPageThatIsFullSaysMore) {
  store_messages(20, 60'000);
  const HistoryRows rows = history_of(0, wire::Direction::Backward, 20);
  ASSERT_LT(rows.messages.size(), 20u);
  EXPECT_EQ(rows.messages.front().seq, Seq(20));
  EXPECT_TRUE(rows.more);
  EXPECT_TRUE(rows.withheld.empty());
}

TEST_F(PagesTest, HistoryOfAnUnknownConversationIsEmpty) {
  EXPECT_TRUE(history_of(0, wire::Direction::Backward, 5).messages.empty());
}

}  // namespace
}  // namespace martlet::store
