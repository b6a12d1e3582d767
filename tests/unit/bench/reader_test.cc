#include "bench/reader.h"

#include <gtest/gtest.h>

#include <string>

namespace martlet::bench {
namespace {

using wire::Command;

const ConversationId kTalk = ConversationId::trusted("u:ann:ben");
const Bytes kContent = wire::encode_text("hi");

class ReaderTest : public testing::Test {
 protected:
  Result<std::optional<Reader::Request>> answer(Command command, Bytes body) {
    body_ = std::move(body);
    wire::Frame frame;
    frame.header.command = static_cast<std::uint16_t>(command);
    frame.body = body_;
    return reader_.answered(frame);
  }
  auto page(const wire::SyncPage& page) { return answer(Command::SyncPage, wire::encode(page)); }
  auto page(const wire::FetchPage& page) { return answer(Command::FetchPage, wire::encode(page)); }

  static wire::ConversationState told(std::uint64_t last) {
    wire::ConversationState state;
    state.conversation = kTalk;
    state.last_seq = Seq(last);
    state.start_seq = Seq(1);
    return state;
  }
  static wire::Message message(std::uint64_t seq) {
    return {.conversation = kTalk.str(), .seq = Seq(seq), .sender = "ann", .content = kContent};
  }
  static wire::Range range(std::uint64_t from, std::uint64_t to) {
    return {.conversation = kTalk, .from = Seq(from), .to = Seq(to)};
  }
  static std::vector<wire::Range> ranges(const Result<std::optional<Reader::Request>>& next) {
    if (!next || !*next || (*next)->command != Command::Fetch) return {};
    return wire::parse_fetch((*next)->body)->ranges;
  }

  Bytes body_;
  std::vector<std::uint64_t> seen_;
  Reader reader_{[this](const wire::Message& message) { seen_.push_back(message.seq.value()); }};
};

const Bytes kToken = {1, 2, 3};

TEST_F(ReaderTest, WhoHasNothingIsDoneAfterOneSync) {
  EXPECT_EQ(reader_.begin().command, Command::Sync);
  const auto next = page(wire::SyncPage{.token = kToken});
  ASSERT_TRUE(next);
  EXPECT_FALSE(*next);
}

TEST_F(ReaderTest, AFirstSyncBringsTheNewestItself) {
  reader_.begin();
  wire::ConversationState state = told(30);
  state.newest = {message(29), message(30)};
  const auto next = page(wire::SyncPage{.conversations = {state}, .token = kToken});
  ASSERT_TRUE(next);
  EXPECT_FALSE(*next);
  EXPECT_EQ(seen_, (std::vector<std::uint64_t>{29, 30}));
}

TEST_F(ReaderTest, PageAfterPageThenFetchUntilNothingRemains) {
  reader_.begin();
  const Bytes more = {9};
  const auto second = page(wire::SyncPage{.conversations = {told(3)}, .next_page = more});
  ASSERT_TRUE(second && *second);
  const auto sync = wire::parse_sync((*second)->body);
  EXPECT_EQ(Bytes(sync->page.begin(), sync->page.end()), more);
  EXPECT_EQ(ranges(page(wire::SyncPage{.token = kToken})), std::vector{range(1, 3)});
  const wire::FetchPage first{.messages = {message(1), message(2)}, .remaining = {range(3, 3)}};
  EXPECT_EQ(ranges(page(first)), std::vector{range(3, 3)});
  const auto end = page(wire::FetchPage{.messages = {message(3)}});
  ASSERT_TRUE(end);
  EXPECT_FALSE(*end);
  EXPECT_EQ(seen_, (std::vector<std::uint64_t>{1, 2, 3}));
}

TEST_F(ReaderTest, ALaterVisitAsksFromTheTokenAndWhatWasRead) {
  reader_.begin();
  wire::ConversationState state = told(2);
  state.newest = {message(1), message(2)};
  ASSERT_TRUE(page(wire::SyncPage{.conversations = {state}, .token = kToken}));
  const Reader::Request again = reader_.begin();
  const auto sync = wire::parse_sync(again.body);
  EXPECT_EQ(Bytes(sync->token.begin(), sync->token.end()), kToken);
  const auto next = page(wire::SyncPage{.conversations = {told(5)}, .token = kToken});
  EXPECT_EQ(ranges(next), std::vector{range(3, 5)});
}

TEST_F(ReaderTest, WhoIsToldToWaitRepeatsLater) {
  reader_.begin();
  const auto behind = page(wire::SyncPage{.token = kToken, .behind = true, .again_in_ms = 700});
  ASSERT_TRUE(behind && *behind);
  EXPECT_EQ((*behind)->command, Command::Sync);
  EXPECT_EQ((*behind)->wait, std::chrono::milliseconds(700));
  const wire::Refusal busy{.error = {ErrorCode::kBusy, "", 300}, .client_msg_id = {}};
  const auto refused = answer(Command::Error, wire::encode(busy));
  ASSERT_TRUE(refused && *refused);
  EXPECT_EQ((*refused)->body, (*behind)->body);
  EXPECT_EQ((*refused)->wait, std::chrono::milliseconds(300));
  const wire::Refusal final{.error = {ErrorCode::kBadBody, "", 0}, .client_msg_id = {}};
  EXPECT_FALSE(answer(Command::Error, wire::encode(final)));
}

TEST_F(ReaderTest, AFetchThatBringsNothingIsAnError) {
  reader_.begin();
  page(wire::SyncPage{.conversations = {told(3)}, .token = kToken});
  EXPECT_FALSE(page(wire::FetchPage{.remaining = {range(1, 3)}}));
}

}  // namespace
}  // namespace martlet::bench
