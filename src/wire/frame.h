#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "model/limits.h"

namespace martlet::wire {

// How the body of a frame is written.
enum class Codec : std::uint8_t { kFlatBuffers = 0, kJson = 1 };

inline constexpr std::uint8_t kProtocolVersion = 1;
inline constexpr std::uint16_t kFlagZstd = 1;  // the body is one zstd frame

// The 16 bytes before each body, all big-endian: "MT", version, codec, command, flags, request id,
// body length. The magic and the version are implied.
struct FrameHeader {
  Codec codec = Codec::kFlatBuffers;
  std::uint16_t command = 0;  // proto::Command; may be none of ours
  std::uint16_t flags = 0;
  std::uint32_t request_id = 0;  // 0: wants no answer
  std::uint32_t body_bytes = 0;
  friend bool operator==(const FrameHeader&, const FrameHeader&) = default;
};

using HeaderBytes = std::array<char, kFrameHeaderBytes>;

HeaderBytes encode_header(const FrameHeader& header);
// Fails with the codes for which is_fatal() holds: nothing after such a header can be understood.
// The body length is compared with the limit here, before anything is allocated.
Result<FrameHeader> decode_header(const HeaderBytes& bytes, std::size_t max_body_bytes);
// True for kBadMagic, kBadVersion, kBadCodec, kBodyTooLarge, kBadFlags: an Error frame, then close.
bool is_fatal(ErrorCode code);

// Appends header and body; body_bytes of the header is set from the body.
void append_frame(Bytes& out, FrameHeader header, BytesView body);
Bytes encode_frame(FrameHeader header, BytesView body);

// body: as it was sent, see open_body. Valid until the decoder is used again.
struct Frame {
  FrameHeader header;
  BytesView body;
};

// Cuts a stream of bytes, in whatever chunks they come, into frames. Pure: no socket, no clock. One
// for each connection and direction. Holds at most one header and one body; grows with what really
// came, not with what the header announced.
class FrameDecoder {
 public:
  // kMaxBodyBytes at an edge, kMaxAnswerBytes (FlatBuffers) or kMaxJsonAnswerBytes at a client.
  explicit FrameDecoder(std::size_t max_body_bytes) : max_body_bytes_(max_body_bytes) {}
  // For the frames whose header was not read yet.
  void limit(std::size_t max_body_bytes) { max_body_bytes_ = max_body_bytes; }

  // Takes from the front of the input and removes what it took. A frame: call again, more may
  // follow. Nothing: the input is used up. An error ends the stream: the same error from then on.
  Result<std::optional<Frame>> next(BytesView& input);

  // The codec, command and request id of the frame under way, for the answer to a fatal error: as
  // far as they could be read, else zero.
  const FrameHeader& header() const { return header_; }
  // True if a frame has begun and is not complete.
  bool is_inside_frame() const { return header_size_ > 0; }
  std::size_t buffered_bytes() const { return body_.capacity(); }

 private:
  void begin_frame();
  bool take_header(BytesView& input);
  void take_body(BytesView& input);

  std::size_t max_body_bytes_;
  HeaderBytes header_bytes_{};
  std::size_t header_size_ = 0;
  FrameHeader header_;
  std::vector<char> body_;  // a vector reserves exactly what it is asked for
  bool delivered_ = false;  // body_ is what the caller looks at
  std::optional<Error> failed_;
};

// The body itself, or decompressed into `storage` when the frame says so. Never writes more than
// max_body_bytes, whatever the compressed data claims. kBadBody: not one whole zstd frame;
// kBodyTooLarge: more than the limit comes out.
Result<BytesView> open_body(const Frame& frame, std::size_t max_body_bytes, Bytes& storage);
// A body for a frame with kFlagZstd.
Bytes compress_body(BytesView body);

}  // namespace martlet::wire
