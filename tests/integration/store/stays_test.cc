#include "database.h"
#include "store/limits.h"
#include "store/pages.h"
#include "store/sync.h"
#include "wire/answers.h"

namespace martlet::store {
namespace {

constexpr std::uint64_t kStays = 400;
constexpr std::uint64_t kLast = 4 * kStays + 6;

// Two who come and go by turns: bob is in the group from 5 to 6, from 9 to 10 and so on, carol from
// 7 to 8, from 11 to 12 … At the end bob is back.
class StaysTest : public DatabaseTest {
 protected:
  void SetUp() override {
    DatabaseTest::SetUp();
    if (HasFatalFailure()) return;
    connection_ = prepared();
    add_users({"bob", "carol"});
    const std::string last = std::to_string(kLast);
    const std::string stays = std::to_string(kStays);
    run("INSERT INTO conversations (name, shard, last_seq, last_position) VALUES ('g:birds', " +
        std::to_string(shard_of(birds_).value()) + ", " + last + ", " + last + ")");
    run("INSERT INTO groups SELECT id, '', 1, 0, " + last + ", 1 FROM conversations");
    run("INSERT INTO memberships SELECT c.id, u.name, 4 * i + u.k, 4 * i + u.k, 4 * i + u.k, 4 * i "
        "+ "
        "u.k + 1, 4 * i + u.k + 1, 1, i FROM conversations c, generate_series(1, " +
        stays + ") i, (VALUES ('bob', 1), ('carol', 3)) u(name, k)");
    run("INSERT INTO memberships SELECT id, 'bob', " + last + ", " + last + ", " + last +
        ", NULL, NULL, 1, 1 + " + stays + " FROM conversations");
    run("INSERT INTO members (user_id, conversation_id) SELECT u, id FROM conversations, "
        "unnest(ARRAY['bob', 'carol']) u");
    run("INSERT INTO messages SELECT c.id, s, s, s, s, s, md5(s::text)::uuid, 1, 'alice', 'x' FROM "
        "conversations c, generate_series(1, " +
        last + ") s");
  }
  static bool sees(std::string_view name, std::uint64_t seq) {
    if (name == "bob" && seq == kLast) return true;
    const std::uint64_t first = name == "bob" ? 1 : 3;
    return seq >= 4 + first && seq < 4 * (kStays + 1) + first && (seq - first) % 4 < 2;
  }
  FetchRows fetched(std::string_view name, const std::vector<wire::Range>& ranges) {
    auto rows = fetch(*connection_, {user(name), ranges}, kShards);
    EXPECT_TRUE(rows) << rows.error().message;
    return std::move(*rows);
  }
  // Notes what a page tells of each seq.
  void note(const std::vector<StoredRow>& messages, const std::vector<wire::Range>& withheld) {
    for (const StoredRow& row : messages) told_.push_back({row.seq.value(), true});
    for (const wire::Range& range : withheld) {
      for (std::uint64_t seq = range.from.value(); seq <= range.to.value(); ++seq)
        told_.push_back({seq, false});
    }
  }
  // Each seq of first … last once.
  void expect_told(std::string_view name, std::uint64_t first, std::uint64_t last) {
    std::sort(told_.begin(), told_.end());
    ASSERT_EQ(told_.size(), last - first + 1);
    for (std::uint64_t seq = first; seq <= last; ++seq)
      ASSERT_EQ(told_[seq - first], std::pair(seq, sees(name, seq))) << name;
    told_.clear();
  }

  const ConversationId birds_ = group("birds");
  std::vector<std::pair<std::uint64_t, bool>> told_;
  std::unique_ptr<pg::Connection> connection_;
};

TEST_F(StaysTest, FetchComesToAnEndAndTellsEachSeqOnce) {
  for (const char* name : {"bob", "carol"}) {
    std::vector<wire::Range> ranges{{birds_, Seq(1), Seq(kLast)}};
    int pages = 0;
    for (; !ranges.empty() && pages < 100; ++pages) {
      const FetchRows rows = fetched(name, ranges);
      note(rows.messages, rows.withheld);
      EXPECT_LE(rows.messages.size() + rows.withheld.size(), kFetchPageMessages);
      ranges = rows.remaining;
    }
    EXPECT_GT(pages, 5);
    expect_told(name, 1, kLast);
  }
}

TEST_F(StaysTest, PagesOfManyRangesAreBounded) {
  std::vector<wire::Range> ranges;
  for (std::size_t i = 0; i < kMaxRangesPerFetch; ++i)
    ranges.push_back({birds_, Seq(1 + i), Seq(1'000'000)});
  for (const bool keep_unknown : {false, true}) {
    const auto rows = *fetch(*connection_, {user("bob"), ranges, keep_unknown}, kShards);
    EXPECT_LE(rows.messages.size() + rows.withheld.size(), kFetchPageMessages);
    EXPECT_GE(rows.remaining.size(), kMaxRangesPerFetch);
    const wire::FetchPage page{{}, rows.withheld, rows.remaining};
    EXPECT_LE(wire::encode(page).size() + kMinFetchBytes, kMaxPageBytes);
  }
}

TEST_F(StaysTest, RangesInEveryOrderAreAnswered) {
  std::vector<wire::Range> ranges;
  for (std::uint64_t from = kLast - 5; from > 5; from -= 10)
    ranges.push_back({birds_, Seq(from), Seq(from + 4)});
  const std::size_t wanted = 5 * ranges.size();
  while (!ranges.empty() && told_.size() <= wanted) {
    const FetchRows rows = fetched("bob", ranges);
    note(rows.messages, rows.withheld);
    ranges = rows.remaining;
  }
  EXPECT_EQ(told_.size(), wanted);
  for (const auto& [seq, visible] : told_) EXPECT_EQ(visible, sees("bob", seq)) << seq;
}

TEST_F(StaysTest, HistoryPagesThroughAllStays) {
  for (const auto direction : {wire::Direction::Backward, wire::Direction::Forward}) {
    const bool backward = direction == wire::Direction::Backward;
    std::uint64_t from = 0;
    bool more = true;
    int pages = 0;
    for (; more && pages < 100; ++pages) {
      const auto rows = *history(*connection_, {user("bob"), {birds_, Seq(from), direction, 100}});
      note(rows.messages, rows.withheld);
      EXPECT_LE(rows.withheld.size(), 101u);
      ASSERT_FALSE(rows.messages.empty());
      more = rows.more;
      from = rows.messages.back().seq.value();
    }
    EXPECT_EQ(pages, 9) << backward;
    expect_told("bob", 1, kLast);
  }
}

TEST_F(StaysTest, SyncBeginsWithTheFirstStayThatIsNotKnown) {
  auto since = [&] { return sync(*connection_, {user("bob"), {}})->now; }();
  for (auto& position : since.positions) position = LogPosition(100);
  const auto rows = sync(*connection_, {user("bob"), since});
  ASSERT_TRUE(rows) << rows.error().message;
  ASSERT_EQ(rows->conversations.size(), 1u);
  EXPECT_EQ(rows->conversations[0].start_seq, Seq(101));
  EXPECT_EQ(rows->conversations[0].first_seq, Seq(kLast));
  EXPECT_EQ(sync(*connection_, {user("carol"), {}})->conversations.at(0).start_seq, Seq(7));
}

}  // namespace
}  // namespace martlet::store
