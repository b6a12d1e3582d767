#include "bench/floor/sizes.h"

#include "bench/message_number.h"
#include "model/conversation.h"
#include "wire/bodies.h"
#include "wire/envelopes.h"
#include "wire/log_batch.h"
#include "wire/message.h"

namespace martlet::bench {
namespace {

constexpr WallMs kNow = 1'800'000'000'000;
const UserId kSender = UserId::trusted("u00001");
const UserId kRecipient = UserId::trusted("u00002");
const ClientMsgId kId = make_numbered_id(kNow, 1);
const SessionId kSession{kNow, 0x1234567890abcdef};

wire::Entry entry_of(const Bytes& content) {
  return {.kind = wire::EntryKind::kMessage,
          .conversation = ConversationId::between(kSender, kRecipient),
          .seq = Seq(1'000),
          .message_id = MessageId(1ULL << 60),
          .sender = kSender,
          .device = DeviceId::trusted("bench"),
          .client_msg_id = kId,
          .time_ms = kNow,
          .content = content,
          .content_hash = 1ULL << 63};
}

std::size_t batch_of(const Bytes& content, std::size_t entries) {
  wire::Batch batch{.epoch = Epoch(1'000), .generation = Generation(1), .entries = {}};
  for (std::size_t i = 0; i < entries; ++i) batch.entries.push_back(entry_of(content));
  return wire::encode(batch).size();
}

std::size_t answers_of(std::size_t count) {
  const std::string conversation = ConversationId::between(kSender, kRecipient).str();
  wire::AnswerBatch batch{ShardId(1), Generation(1), Epoch(1'000), {}};
  for (std::size_t i = 0; i < count; ++i) {
    batch.answers.push_back({.session = kSession,
                             .request_id = 1,
                             .command = wire::Command::Send,
                             .client_msg_id = kId,
                             .conversation = conversation,
                             .seq = Seq(1'000),
                             .message_id = MessageId(1ULL << 60),
                             .time_ms = kNow,
                             .detail = {}});
  }
  return wire::encode(batch).size();
}

}  // namespace

Sizes sizes_of(std::size_t text_bytes) {
  const Bytes content = wire::encode_text(std::string(text_bytes, 'x'));
  const wire::Send send{
      .to_user = kRecipient, .to_group = {}, .client_msg_id = kId, .content = content};
  const Bytes body = wire::encode(send);
  const wire::ClientFrame frame{.edge = "0123456789abcdef",
                                .session = kSession,
                                .request_id = 1,
                                .user = kSender.str(),
                                .device = "bench",
                                .received_ms = kNow,
                                .first_sent_ms = kNow,
                                .command = wire::Command::Send,
                                .body = body};
  const std::string conversation = ConversationId::between(kSender, kRecipient).str();
  const Bytes message = wire::encode(wire::Message{.conversation = conversation,
                                                   .seq = Seq(1'000),
                                                   .message_id = MessageId(1ULL << 60),
                                                   .sender = kSender.str(),
                                                   .client_msg_id = kId,
                                                   .time_ms = kNow,
                                                   .content = content,
                                                   .generation = Generation(1)});
  const wire::Event event{.shard = ShardId(1),
                          .generation = Generation(1),
                          .epoch = Epoch(1'000),
                          .position = LogPosition(1'000'000),
                          .command = wire::Command::MessageEvent,
                          .conversation = conversation,
                          .seq = Seq(1'000),
                          .members_at = {},
                          .origin = kSession,
                          .body = message};
  Sizes sizes;
  sizes.frame = wire::encode(frame).size();
  sizes.entry = batch_of(content, 2) - batch_of(content, 1);
  sizes.batch = batch_of(content, 1) - sizes.entry;
  sizes.answer = answers_of(2) - answers_of(1);
  sizes.answers = answers_of(1) - sizes.answer;
  sizes.event = wire::encode(event).size();
  return sizes;
}

}  // namespace martlet::bench
