#include "edge/outgoing.h"

#include "base/log.h"
#include "wire/json_codec.h"

namespace martlet::edge {

Result<Bytes> make_frame(wire::Codec codec, wire::Command command, std::uint32_t request_id,
                         BytesView body) {
  const wire::FrameHeader header{
      .codec = codec, .command = static_cast<std::uint16_t>(command), .request_id = request_id};
  if (codec == wire::Codec::kFlatBuffers) return wire::encode_frame(header, body);
  const auto json = wire::body_to_json(command, body);
  if (!json) {
    MARTLET_LOG(error, "body_not_transcoded command={} detail={}", static_cast<unsigned>(command),
                json.error().detail);
    return fail(ErrorCode::kInternal, json.error().detail);
  }
  return wire::encode_frame(header, *json);
}

const net::SharedBytes& OutgoingEvent::in(wire::Codec codec) {
  Encoded& encoded = encoded_.at(static_cast<std::size_t>(codec));
  if (encoded.tried) return encoded.bytes;
  encoded.tried = true;
  auto frame = make_frame(codec, command_, 0, body_);
  if (frame) encoded.bytes = std::make_shared<const Bytes>(std::move(*frame));
  return encoded.bytes;
}

}  // namespace martlet::edge
