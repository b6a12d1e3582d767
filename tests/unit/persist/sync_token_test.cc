#include "persist/sync_token.h"

#include <gtest/gtest.h>

#include "base/random.h"
#include "model/limits.h"
#include "persist/read_desk.h"
#include "store/limits.h"
#include "wire/content.h"

namespace martlet::persist {
namespace {

store::SyncVector vector_of(std::uint64_t start, std::uint16_t shards = 4) {
  store::SyncVector vector;
  for (std::uint16_t i = 0; i < shards; ++i) {
    vector.generations.emplace_back(static_cast<std::uint32_t>(i + 1));
    vector.positions.emplace_back(start + i);
  }
  return vector;
}

TEST(SyncToken, ComesBackAsItWas) {
  const store::SyncVector told = vector_of(1ULL << 40);
  EXPECT_EQ(decode_sync_token(encode_sync_token(told), 4), told);
}

TEST(SyncToken, AnotherShardCountOrLengthIsRefused) {
  const Bytes token = encode_sync_token(vector_of(7));
  EXPECT_EQ(decode_sync_token(token, 5), std::nullopt);
  EXPECT_EQ(decode_sync_token(token + "x", 4), std::nullopt);
  EXPECT_EQ(decode_sync_token(token.substr(1), 4), std::nullopt);
  EXPECT_EQ(decode_sync_token("", 4), std::nullopt);
}

TEST(SyncToken, OfTheMostShardsIsAsLongAsTheEdgesExpect) {
  const store::SyncVector told = vector_of(7, kMaxShards);
  const Bytes token = encode_sync_token(told);
  EXPECT_EQ(token.size(), kMaxSyncTokenBytes);
  EXPECT_EQ(decode_sync_token(token, kMaxShards), told);
  const SyncCursor cursor{told, told, 1, true};
  const Bytes page = encode_sync_cursor(cursor);
  EXPECT_EQ(page.size(), kMaxSyncCursorBytes);
  EXPECT_EQ(decode_sync_cursor(page, kMaxShards), cursor);
}

TEST(SyncToken, AnotherLayoutIsRefused) {
  Bytes token = encode_sync_token(vector_of(7));
  token[0] = 0x12;
  EXPECT_EQ(decode_sync_token(token, 4), std::nullopt);
}

TEST(SyncToken, PositionsThatNoDatabaseHasAreRefused) {
  EXPECT_EQ(decode_sync_token(encode_sync_token(vector_of(1ULL << 63)), 4), std::nullopt);
}

TEST(SyncCursor, ComesBackAsItWas) {
  SyncCursor cursor{vector_of(7), vector_of(9), 123'456'789, true};
  EXPECT_EQ(decode_sync_cursor(encode_sync_cursor(cursor), 4), cursor);
  cursor.since.reset();
  cursor.behind = false;
  EXPECT_EQ(decode_sync_cursor(encode_sync_cursor(cursor), 4), cursor);
}

TEST(SyncCursor, AnythingElseIsRefused) {
  const Bytes page = encode_sync_cursor({vector_of(7), vector_of(9), 1, false});
  EXPECT_EQ(decode_sync_cursor(encode_sync_token(vector_of(7)), 4), std::nullopt);
  SeededRandom random(3);
  for (int i = 0; i < 2000; ++i) {
    Bytes bad = page;
    bad.resize(random.below(page.size() + 4));
    for (char& c : bad)
      if (random.below(4) == 0) c = static_cast<char>(random.next());
    (void)decode_sync_cursor(bad, 4);
    (void)decode_sync_token(bad, 4);
  }
  EXPECT_EQ(decode_sync_cursor(page.substr(0, page.size() - 1), 4), std::nullopt);
}

class SyncPageTest : public testing::Test {
 protected:
  static store::SyncConversation conversation(int number, std::size_t content_bytes) {
    store::SyncConversation one;
    one.row_id = number;
    one.conversation = ConversationId::between(UserId::trusted("peer" + std::to_string(number)),
                                               UserId::trusted("user"));
    one.last_seq = Seq(1);
    one.generation = Generation(1);
    if (content_bytes > 0) {
      store::StoredRow row;
      row.conversation = one.conversation;
      row.seq = Seq(1);
      row.message_id = MessageId(5);
      row.sender = UserId::trusted("user");
      row.client_msg_id.bytes[0] = 1;
      row.content = wire::encode_text(std::string(content_bytes, 'x'));
      one.newest.push_back(std::move(row));
    }
    return one;
  }
};

TEST_F(SyncPageTest, TheLastPageHasTheTokenOfTheFirstSnapshot) {
  store::SyncRows rows{vector_of(50), {conversation(1, 0)}, false};
  const Bytes body = encode_sync_page(rows, {std::nullopt, vector_of(9), 0, true});
  const auto page = wire::parse_sync_page(body);
  ASSERT_TRUE(page) << page.error().detail;
  EXPECT_EQ(decode_sync_token(page->token, 4), vector_of(9));
  EXPECT_TRUE(page->next_page.empty());
  EXPECT_TRUE(page->behind);
  EXPECT_GT(page->again_in_ms, 0u);
}

TEST_F(SyncPageTest, APageThatIsFullGoesOnWithTheConversationThatDidNotFit) {
  store::SyncRows rows{vector_of(50), {}, false};
  for (int i = 1; i <= 20; ++i) rows.conversations.push_back(conversation(i, 60'000));
  const Bytes body = encode_sync_page(rows, {std::nullopt, vector_of(9), 0, false});
  EXPECT_LE(body.size(), store::kMaxPageBytes);
  const auto page = wire::parse_sync_page(body);
  ASSERT_TRUE(page) << page.error().detail;
  ASSERT_GT(page->conversations.size(), 1u);
  ASSERT_LT(page->conversations.size(), 20u);
  EXPECT_TRUE(page->token.empty());
  const auto cursor = decode_sync_cursor(page->next_page, 4);
  ASSERT_TRUE(cursor);
  EXPECT_EQ(cursor->after, static_cast<std::int64_t>(page->conversations.size()));
  EXPECT_EQ(cursor->now, vector_of(9));
}

TEST_F(SyncPageTest, ContentThatDoesNotVerifyIsToldAsRemoved) {
  store::SyncRows rows{vector_of(50), {conversation(1, 100)}, false};
  rows.conversations[0].newest[0].content = "garbage";
  const Bytes body = encode_sync_page(rows, {std::nullopt, vector_of(9), 0, false});
  const auto page = wire::parse_sync_page(body);
  ASSERT_TRUE(page) << page.error().detail;
  EXPECT_TRUE(page->conversations.at(0).newest.at(0).removed);
}

TEST_F(SyncPageTest, MoreInTheDatabaseIsNotTheLastPage) {
  store::SyncRows rows{vector_of(50), {conversation(1, 0)}, true};
  const Bytes body = encode_sync_page(rows, {vector_of(3), vector_of(9), 0, false});
  const auto page = wire::parse_sync_page(body);
  ASSERT_TRUE(page);
  EXPECT_TRUE(page->token.empty());
  EXPECT_EQ(decode_sync_cursor(page->next_page, 4)->since, vector_of(3));
}

}  // namespace
}  // namespace martlet::persist
