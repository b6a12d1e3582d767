#include "bench/sockets/frames.h"

#include <string>

#include "bench/message_number.h"
#include "model/conversation.h"
#include "wire/answers.h"
#include "wire/bodies.h"
#include "wire/commands.h"
#include "wire/frame.h"
#include "wire/message.h"
#include "wire/requests.h"

namespace martlet::bench {
namespace {

constexpr WallMs kNow = 1'800'000'000'000;
constexpr Seq kSeq(1'000);
constexpr MessageId kMessageId(1ULL << 60);

std::uint32_t size_of(wire::Command command, const Bytes& body) {
  wire::FrameHeader header;
  header.command = static_cast<std::uint16_t>(command);
  return static_cast<std::uint32_t>(wire::encode_frame(header, body).size());
}

}  // namespace

FrameSizes frame_sizes(std::size_t text_bytes, bool in_group) {
  const UserId sender = UserId::trusted("u00001");
  const UserId recipient = UserId::trusted("u00002");
  const GroupId group = GroupId::trusted("g1");
  const ClientMsgId id = make_numbered_id(kNow, 1);
  const Bytes content = wire::encode_text(std::string(text_bytes, 'x'));
  const ConversationId conversation =
      in_group ? ConversationId::of_group(group) : ConversationId::between(sender, recipient);
  const wire::Send send{.to_user = in_group ? UserId() : recipient,
                        .to_group = in_group ? group : GroupId(),
                        .client_msg_id = id,
                        .content = content,
                        .age = Duration(0)};
  const wire::Ack ack{.client_msg_id = id,
                      .conversation = conversation,
                      .seq = kSeq,
                      .message_id = kMessageId,
                      .time_ms = kNow,
                      .generation = Generation(1)};
  const std::string name = conversation.str();
  const wire::Message message{.conversation = name,
                              .seq = kSeq,
                              .message_id = kMessageId,
                              .sender = sender.str(),
                              .client_msg_id = id,
                              .time_ms = kNow,
                              .content = content,
                              .generation = Generation(1),
                              .members_at = in_group ? Seq(1) : Seq()};
  return {.send = size_of(wire::Command::Send, wire::encode(send)),
          .ack = size_of(wire::Command::Ack, wire::encode(ack)),
          .event = size_of(wire::Command::MessageEvent, wire::encode(message))};
}

}  // namespace martlet::bench
