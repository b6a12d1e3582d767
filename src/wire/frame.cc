#include "wire/frame.h"

#include <algorithm>
#include <string>

#include "base/assert.h"
#include "wire/limits.h"

namespace martlet::wire {
namespace {

constexpr char kMagic[] = {'M', 'T'};

void put_be(char* out, std::size_t size, std::uint32_t value) {
  for (std::size_t i = size; i > 0; --i, value >>= 8) out[i - 1] = static_cast<char>(value & 0xFF);
}

std::uint32_t get_be(const char* in, std::size_t size) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < size; ++i) value = value << 8 | static_cast<std::uint8_t>(in[i]);
  return value;
}

bool has_magic(const HeaderBytes& bytes) {
  return std::equal(std::begin(kMagic), std::end(kMagic), bytes.begin());
}

// What is behind magic and version; an unknown codec reads as FlatBuffers.
FrameHeader read_fields(const HeaderBytes& bytes) {
  FrameHeader header;
  if (bytes[3] == static_cast<char>(Codec::kJson)) header.codec = Codec::kJson;
  header.command = static_cast<std::uint16_t>(get_be(&bytes[4], 2));
  header.flags = static_cast<std::uint16_t>(get_be(&bytes[6], 2));
  header.request_id = get_be(&bytes[8], 4);
  header.body_bytes = get_be(&bytes[12], 4);
  return header;
}

}  // namespace

HeaderBytes encode_header(const FrameHeader& header) {
  HeaderBytes bytes;
  std::copy(std::begin(kMagic), std::end(kMagic), bytes.begin());
  bytes[2] = static_cast<char>(kProtocolVersion);
  bytes[3] = static_cast<char>(header.codec);
  put_be(&bytes[4], 2, header.command);
  put_be(&bytes[6], 2, header.flags);
  put_be(&bytes[8], 4, header.request_id);
  put_be(&bytes[12], 4, header.body_bytes);
  return bytes;
}

Result<FrameHeader> decode_header(const HeaderBytes& bytes, std::size_t max_body_bytes) {
  if (!has_magic(bytes)) return fail(ErrorCode::kBadMagic, "a frame starts with MT");
  const auto version = static_cast<std::uint8_t>(bytes[2]);
  if (version != kProtocolVersion) {
    return fail(ErrorCode::kBadVersion, "version " + std::to_string(version) + ", spoken here: 1");
  }
  const auto codec = static_cast<std::uint8_t>(bytes[3]);
  if (codec > static_cast<std::uint8_t>(Codec::kJson)) {
    return fail(ErrorCode::kBadCodec, "codec " + std::to_string(codec));
  }
  const FrameHeader header = read_fields(bytes);
  if ((header.flags & ~kFlagZstd) != 0) {
    return fail(ErrorCode::kBadFlags, "flags " + std::to_string(header.flags));
  }
  if (header.body_bytes > max_body_bytes) {
    return fail(ErrorCode::kBodyTooLarge, std::to_string(header.body_bytes) +
                                              " bytes, the limit is " +
                                              std::to_string(max_body_bytes));
  }
  return header;
}

bool is_fatal(ErrorCode code) {
  return code >= ErrorCode::kBadMagic && code <= ErrorCode::kBadFlags;
}

void append_frame(Bytes& out, FrameHeader header, BytesView body) {
  MARTLET_ASSERT(body.size() <= kMaxJsonAnswerBytes);
  header.body_bytes = static_cast<std::uint32_t>(body.size());
  const HeaderBytes bytes = encode_header(header);
  out.append(bytes.data(), bytes.size());
  out.append(body);
}

Bytes encode_frame(FrameHeader header, BytesView body) {
  Bytes out;
  out.reserve(kFrameHeaderBytes + body.size());
  append_frame(out, header, body);
  return out;
}

Result<std::optional<Frame>> FrameDecoder::next(BytesView& input) {
  if (failed_.has_value()) return tl::unexpected<Error>(*failed_);
  if (delivered_) begin_frame();
  if (header_size_ < kFrameHeaderBytes) {
    if (!take_header(input)) return std::nullopt;
    auto header = decode_header(header_bytes_, max_body_bytes_);
    if (!header) {
      failed_ = header.error();
      const bool is_readable =
          failed_->code != ErrorCode::kBadMagic && failed_->code != ErrorCode::kBadVersion;
      if (is_readable) header_ = read_fields(header_bytes_);
      return tl::unexpected<Error>(*failed_);
    }
    header_ = *header;
  }
  take_body(input);
  if (body_.size() < header_.body_bytes) return std::nullopt;
  delivered_ = true;
  return Frame{header_, BytesView(body_.data(), body_.size())};
}

void FrameDecoder::begin_frame() {
  delivered_ = false;
  header_size_ = 0;
  header_ = {};
  body_.clear();
  if (body_.capacity() > kIdleBufferBytes) std::vector<char>().swap(body_);
}

bool FrameDecoder::take_header(BytesView& input) {
  const std::size_t n = std::min(kFrameHeaderBytes - header_size_, input.size());
  std::copy_n(input.begin(), n, header_bytes_.begin() + static_cast<std::ptrdiff_t>(header_size_));
  header_size_ += n;
  input.remove_prefix(n);
  return header_size_ == kFrameHeaderBytes;
}

void FrameDecoder::take_body(BytesView& input) {
  const std::size_t n = std::min(header_.body_bytes - body_.size(), input.size());
  const std::size_t needed = body_.size() + n;
  if (needed > body_.capacity()) {
    // Doubling, but never past the end of this body.
    body_.reserve(
        std::min<std::size_t>(header_.body_bytes, std::max(needed, 2 * body_.capacity())));
  }
  body_.insert(body_.end(), input.begin(), input.begin() + static_cast<std::ptrdiff_t>(n));
  input.remove_prefix(n);
}

}  // namespace martlet::wire
