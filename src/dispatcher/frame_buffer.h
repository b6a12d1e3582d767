#pragma once

#include <deque>
#include <utility>

#include "base/bytes.h"

namespace martlet::dispatcher {

// Frames that arrive while their shard is being taken over. Bounded; what does not fit is repeated
// by its edge.
class FrameBuffer {
 public:
  FrameBuffer(std::size_t max_frames, std::size_t max_bytes)
      : max_frames_(max_frames), max_bytes_(max_bytes) {}

  // False: no room.
  bool add(BytesView frame) {
    if (frames_.size() >= max_frames_ || bytes_ + frame.size() > max_bytes_) return false;
    bytes_ += frame.size();
    frames_.emplace_back(frame);
    return true;
  }
  std::size_t frames() const { return frames_.size(); }
  std::deque<Bytes> take() {
    bytes_ = 0;
    return std::exchange(frames_, {});
  }

 private:
  std::size_t max_frames_;
  std::size_t max_bytes_;
  std::size_t bytes_ = 0;
  std::deque<Bytes> frames_;
};

}  // namespace martlet::dispatcher
