#include <zstd.h>
#include <zstd_errors.h>

#include "base/assert.h"
#include "wire/frame.h"

namespace martlet::wire {

// In one go into a buffer of the limit: the content size that the data claims is never looked at,
// and the library needs no window of its own.
Result<BytesView> open_body(const Frame& frame, std::size_t max_body_bytes, Bytes& storage) {
  if ((frame.header.flags & kFlagZstd) == 0) return frame.body;
  const std::size_t first = ZSTD_findFrameCompressedSize(frame.body.data(), frame.body.size());
  if (ZSTD_isError(first) != 0 || first != frame.body.size()) {
    return fail(ErrorCode::kBadBody, "the body is not one zstd frame");
  }
  // One byte more than the limit tells too long from malformed.
  storage.resize(max_body_bytes + 1);
  const std::size_t size =
      ZSTD_decompress(storage.data(), storage.size(), frame.body.data(), frame.body.size());
  if (ZSTD_isError(size) != 0 && ZSTD_getErrorCode(size) != ZSTD_error_dstSize_tooSmall) {
    storage.clear();
    return fail(ErrorCode::kBadBody, "the body does not decompress");
  }
  if (ZSTD_isError(size) != 0 || size > max_body_bytes) {
    storage.clear();
    return fail(ErrorCode::kBodyTooLarge, "the body is too long when decompressed");
  }
  storage.resize(size);
  return BytesView(storage);
}

Bytes compress_body(BytesView body) {
  constexpr int kLevel = 3;
  Bytes out(ZSTD_compressBound(body.size()), '\0');
  const std::size_t size = ZSTD_compress(out.data(), out.size(), body.data(), body.size(), kLevel);
  MARTLET_ASSERT(ZSTD_isError(size) == 0);
  out.resize(size);
  return out;
}

}  // namespace martlet::wire
