// A stream of frames in chunks whose sizes the input chooses: the number of sizes, the sizes, the
// stream. However it is cut, the same frames and the same error come out.
#include <optional>
#include <string>
#include <vector>

#include "base/assert.h"
#include "input.h"
#include "targets.h"
#include "wire/frame.h"
#include "wire/limits.h"

namespace martlet::fuzz {
namespace {

constexpr std::size_t kLimit = 512;  // so that short inputs reach it

struct Outcome {
  Bytes frames;  // encoded again
  std::optional<ErrorCode> error;
  wire::FrameHeader header;
  bool inside = false;
  friend bool operator==(const Outcome&, const Outcome&) = default;
};

// What a compressed body opens to keeps to the limit, and comes back from being compressed.
void open(const wire::Frame& frame) {
  Bytes storage;
  const auto body = wire::open_body(frame, kLimit, storage);
  if (!body) return;
  MARTLET_ASSERT(body->size() <= kLimit);
  const Bytes packed = wire::compress_body(*body);
  const wire::Frame again{{.flags = wire::kFlagZstd}, packed};
  Bytes other_storage;
  MARTLET_ASSERT(wire::open_body(again, kLimit, other_storage) == *body);
}

class Reader {
 public:
  void feed(BytesView chunk) {
    received_ += chunk.size();
    while (!outcome_.error.has_value()) {
      const auto frame = decoder_.next(chunk);
      MARTLET_ASSERT(decoder_.buffered_bytes() <= wire::kIdleBufferBytes + 2 * received_);
      if (!frame) outcome_.error = frame.error().code;
      if (!frame || !frame->has_value()) break;
      MARTLET_ASSERT((*frame)->body.size() <= kLimit);
      wire::append_frame(outcome_.frames, (*frame)->header, (*frame)->body);
      open(**frame);
    }
    MARTLET_ASSERT(outcome_.error.has_value() || chunk.empty());
  }

  Outcome outcome() {
    outcome_.header = decoder_.header();
    outcome_.inside = decoder_.is_inside_frame();
    if (outcome_.error.has_value()) MARTLET_ASSERT(wire::is_fatal(*outcome_.error));
    return outcome_;
  }

 private:
  wire::FrameDecoder decoder_{kLimit};
  std::size_t received_ = 0;
  Outcome outcome_;
};

}  // namespace

void frame_stream(BytesView bytes) {
  Input input(bytes);
  const BytesView sizes = input.take(input.byte() % 16);
  const BytesView stream = input.rest();

  Reader whole;
  whole.feed(stream);
  const Outcome expected = whole.outcome();
  MARTLET_ASSERT(stream.starts_with(expected.frames));

  Reader parts;
  for (std::size_t i = 0; !input.rest().empty(); ++i) {
    const auto size = sizes.empty() ? 1 : static_cast<unsigned char>(sizes[i % sizes.size()]);
    parts.feed(input.take(std::max<std::size_t>(size, 1)));
  }
  MARTLET_ASSERT(parts.outcome() == expected || stream.empty());
}

}  // namespace martlet::fuzz
