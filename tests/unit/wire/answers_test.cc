#include "wire/answers.h"

#include <gtest/gtest.h>

#include <string>

#include "samples.h"
#include "wire/content.h"
#include "wire/limits.h"

namespace martlet::wire {
namespace {

using samples::alice_and_bob;
using samples::code_of;
using samples::detail_of;
using samples::device;
using samples::msg_id;
using samples::user;

const Bytes& hello() {
  static const Bytes kHello = encode_text("hello");
  return kHello;
}

Message a_message(std::uint64_t seq) {
  return {.conversation = "u:alice:bob",
          .seq = Seq(seq),
          .message_id = MessageId(seq << 22),
          .sender = "alice",
          .client_msg_id = msg_id(static_cast<std::uint8_t>(seq)),
          .time_ms = 1'700'000'000'000 + seq,
          .content = hello(),
          .generation = Generation(3)};
}

Message a_removed_message(std::uint64_t seq) {
  Message message = a_message(seq);
  message.content = {};
  message.removed = true;
  return message;
}

TEST(Answers, MessageComesBack) {
  const Bytes body = encode(a_message(5));
  const auto got = parse_message(body);
  ASSERT_TRUE(got) << detail_of(got);
  EXPECT_EQ(*got, a_message(5));
}

TEST(Answers, RemovedMessageHasNoContent) {
  const Bytes body = encode(a_removed_message(5));
  const auto got = parse_message(body);
  ASSERT_TRUE(got) << detail_of(got);
  EXPECT_EQ(*got, a_removed_message(5));
}

TEST(Answers, ShortOnesComeBack) {
  EXPECT_EQ(parse_pong(encode(Pong{99}))->time_ms, 99U);
  EXPECT_EQ(parse_registered(encode(Registered{user("alice")}))->user, user("alice"));
  const Bytes tokens = encode(Tokens{"access", "refresh", 3600});
  EXPECT_EQ(parse_tokens(tokens)->access_token, "access");
  EXPECT_EQ(parse_tokens(tokens)->refresh_token, "refresh");
  EXPECT_EQ(parse_tokens(tokens)->expires_in_s, 3600U);
  EXPECT_TRUE(parse_goodbye_ok(encode(GoodbyeOk())));
  const Bytes read = encode(ReadOk{alice_and_bob(), Seq(4)});
  EXPECT_EQ(parse_read_ok(read)->conversation, alice_and_bob());
  EXPECT_EQ(parse_read_ok(read)->seq, Seq(4));
}

TEST(Answers, AuthOkComesBack) {
  const SessionId session{0x0102030405060708, 0xFFEEDDCCBBAA9988};
  const Bytes body = encode(AuthOk{user("alice"), device("phone"), session, "edge1", 30000, 120000,
                                   65536, 64, 3600, 1700000000000});
  const auto got = parse_auth_ok(body);
  ASSERT_TRUE(got) << detail_of(got);
  EXPECT_EQ(got->user, user("alice"));
  EXPECT_EQ(got->device, device("phone"));
  EXPECT_EQ(got->session, session);
  EXPECT_EQ(got->edge, "edge1");
  EXPECT_EQ(got->heartbeat_ms, 30000U);
  EXPECT_EQ(got->tail_check_ms, 120000U);
  EXPECT_EQ(got->max_body_bytes, 65536U);
  EXPECT_EQ(got->max_unanswered, 64U);
  EXPECT_EQ(got->expires_in_s, 3600U);
  EXPECT_EQ(got->time_ms, 1700000000000U);
}

TEST(Answers, AckComesBack) {
  const Bytes body = encode(Ack{msg_id(3), alice_and_bob(), Seq(8), MessageId(77), 1234,
                                AckLevel::Stored, Generation(2)});
  const auto got = parse_ack(body);
  ASSERT_TRUE(got) << detail_of(got);
  EXPECT_EQ(got->client_msg_id, msg_id(3));
  EXPECT_EQ(got->conversation, alice_and_bob());
  EXPECT_EQ(got->seq, Seq(8));
  EXPECT_EQ(got->message_id, MessageId(77));
  EXPECT_EQ(got->time_ms, 1234U);
  EXPECT_EQ(got->level, AckLevel::Stored);
  EXPECT_EQ(got->generation, Generation(2));
}

TEST(Answers, RefusalTellsCodeAndWhetherToRepeat) {
  const Bytes body =
      encode(Refusal{.error = {ErrorCode::kLogFull, "wait", 500}, .client_msg_id = msg_id(3)});
  const auto got = parse_refusal(body);
  ASSERT_TRUE(got) << detail_of(got);
  EXPECT_EQ(got->error.code, ErrorCode::kLogFull);
  EXPECT_EQ(got->error.detail, "wait");
  EXPECT_EQ(got->error.retry_after_ms, 500U);
  EXPECT_TRUE(got->retryable);
  EXPECT_EQ(got->client_msg_id, msg_id(3));
}

TEST(Answers, RefusalCarriesTheNameOfEveryCode) {
  for (const ErrorCode code : all_error_codes()) {
    const Bytes body = encode(Refusal{.error = {code}});
    const auto* table = flatbuffers::GetRoot<proto::Error>(body.data());
    EXPECT_EQ(table->name()->str(), error_name(code));
    EXPECT_EQ(table->retryable(), is_retryable(code));
    EXPECT_FALSE(parse_refusal(body)->client_msg_id.has_value());
  }
}

TEST(Answers, SyncPageComesBack) {
  SyncPage sent;
  sent.conversations.push_back({alice_and_bob(),
                                Seq(9),
                                Seq(4),
                                Seq(5),
                                6,
                                Seq(1),
                                Generation(2),
                                proto::Membership::Former,
                                {a_message(8), a_removed_message(9)},
                                Seq(7)});
  sent.conversations.push_back({.conversation = ConversationId::with_self(user("alice"))});
  sent.next_page = "next";
  sent.token = "token";
  sent.behind = true;
  sent.again_in_ms = 250;
  const Bytes body = encode(sent);
  const auto got = parse_sync_page(body);
  ASSERT_TRUE(got) << detail_of(got);
  ASSERT_EQ(got->conversations.size(), 2U);
  const ConversationState& first = got->conversations[0];
  EXPECT_EQ(first.conversation, alice_and_bob());
  EXPECT_EQ(first.last_seq, Seq(9));
  EXPECT_EQ(first.read_seq, Seq(4));
  EXPECT_EQ(first.peer_read_seq, Seq(5));
  EXPECT_EQ(first.unread, 6U);
  EXPECT_EQ(first.first_seq, Seq(1));
  EXPECT_EQ(first.generation, Generation(2));
  EXPECT_EQ(first.membership, proto::Membership::Former);
  EXPECT_EQ(first.newest, sent.conversations[0].newest);
  EXPECT_EQ(first.members_at, Seq(7));
  EXPECT_EQ(got->next_page, "next");
  EXPECT_EQ(got->token, "token");
  EXPECT_TRUE(got->behind);
  EXPECT_EQ(got->again_in_ms, 250U);
}

TEST(Answers, FetchPageComesBack) {
  FetchPage sent;
  sent.messages = {a_message(1), a_message(2)};
  sent.withheld = {{alice_and_bob(), Seq(3), Seq(4)}};
  sent.remaining = {{alice_and_bob(), Seq(5), Seq(5'000'000)}};
  const Bytes body = encode(sent);
  const auto got = parse_fetch_page(body);
  ASSERT_TRUE(got) << detail_of(got);
  EXPECT_EQ(got->messages, sent.messages);
  EXPECT_EQ(got->withheld, sent.withheld);
  EXPECT_EQ(got->remaining, sent.remaining);
}

TEST(Answers, HistoryPageComesBack) {
  HistoryPage sent;
  sent.messages = {a_message(2), a_message(1)};
  sent.more = true;
  sent.behind = true;
  sent.again_in_ms = 700;
  const Bytes body = encode(sent);
  const auto got = parse_history_page(body);
  ASSERT_TRUE(got) << detail_of(got);
  EXPECT_EQ(got->messages, sent.messages);
  EXPECT_TRUE(got->more);
  EXPECT_TRUE(got->behind);
  EXPECT_EQ(got->again_in_ms, 700U);
}

TEST(Answers, SizesInPagesAreUpperBounds) {
  const std::string long_id(64, 'x');
  for (std::size_t content = 1; content < 40; ++content) {
    FetchPage page;
    std::size_t bound = 256;
    for (std::uint8_t i = 1; i < 50; ++i) {
      Message message = a_message(i);
      message.members_at = Seq(1);
      message.content = BytesView(hello()).substr(0, content);
      const std::string conversation = "u:" + std::string(i, 'a') + ":" + long_id;
      page.messages.push_back(message);
      page.messages.back().sender = BytesView(long_id).substr(0, i);
      bound += size_in_page(page.messages.back());
    }
    // Contents that are cut do not verify as a page; a custom content of that size would.
    for (Message& message : page.messages) message.content = hello();
    bound += page.messages.size() * (hello().size() - content);
    EXPECT_LE(encode(page).size(), bound);
  }
  SyncPage sync;
  std::size_t bound = 256;
  for (std::uint8_t i = 1; i < 60; ++i) {
    ConversationState state{ConversationId::between(user(std::string(i, 'a')), user(long_id)),
                            Seq(9),
                            Seq(4),
                            Seq(5),
                            6,
                            Seq(1),
                            Generation(2),
                            proto::Membership::Former,
                            {},
                            Seq(7)};
    sync.conversations.push_back(state);
    bound += size_in_page(state);
  }
  EXPECT_LE(encode(sync).size(), bound);
}

TEST(Answers, RandomChangesGiveAResultOrAClearError) {
  FetchPage page;
  page.messages = {a_message(1), a_removed_message(2)};
  page.withheld = {{alice_and_bob(), Seq(3), Seq(4)}};
  const Bytes fetch = encode(page);
  SyncPage sync_page;
  sync_page.conversations.push_back({.conversation = alice_and_bob(), .newest = {a_message(8)}});
  const Bytes sync = encode(sync_page);
  for (std::uint64_t seed = 1; seed <= 5000; ++seed) {
    SeededRandom random(seed);
    const std::string details = detail_of(parse_fetch_page(samples::mutate(fetch, random))) +
                                detail_of(parse_sync_page(samples::mutate(sync, random)));
    EXPECT_TRUE(base::is_utf8(details)) << seed;
  }
}

}  // namespace
}  // namespace martlet::wire
