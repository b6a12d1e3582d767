#include "store/slices.h"

namespace martlet::store {

SliceWalk::SliceWalk(const std::vector<Slice>& slices, SeqOrder order, SliceRows& out)
    : slices_(slices), order_(order), out_(out) {
  enter(0);
}

void SliceWalk::row(std::size_t slice, std::uint64_t seq) {
  while (index_ < slice) finish_slice();
  if (order_ == SeqOrder::kAscending) {
    if (seq > lo_) withhold(lo_, seq - 1);
    lo_ = seq + 1;
  } else {
    if (seq < hi_) withhold(seq + 1, hi_);
    hi_ = seq - 1;
  }
}

void SliceWalk::finish() {
  while (index_ < slices_.size()) finish_slice();
}

void SliceWalk::cut() {
  for (; index_ < slices_.size(); enter(index_ + 1)) {
    if (lo_ > hi_) continue;
    Slice rest = slices_[index_];
    rest.from = lo_;
    rest.to = hi_;
    out_.rest.push_back(std::move(rest));
  }
}

void SliceWalk::enter(std::size_t index) {
  index_ = index;
  if (index_ >= slices_.size()) return;
  lo_ = slices_[index_].from;
  hi_ = slices_[index_].to;
}

void SliceWalk::finish_slice() {
  if (lo_ <= hi_) withhold(lo_, hi_);
  enter(index_ + 1);
}

void SliceWalk::withhold(std::uint64_t from, std::uint64_t to) {
  out_.withheld.push_back({slices_[index_].conversation, Seq(from), Seq(to)});
}

}  // namespace martlet::store
