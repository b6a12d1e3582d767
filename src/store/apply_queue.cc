#include "store/apply_queue.h"

#include <utility>

#include "base/assert.h"
#include "store/limits.h"

namespace martlet::store {
namespace {

std::size_t bytes_of(const ApplyRequest& request) {
  std::size_t bytes = 0;
  for (const LoggedBatch& batch : request.batches) bytes += batch.bytes.size();
  return bytes;
}

// Of several requests. The others were rolled back for reasons that are one's own, or nobody's.
bool is_verdict(const ApplyResult& result) {
  return result.outcome == ApplyOutcome::kCommitted || result.outcome == ApplyOutcome::kUnknown;
}

}  // namespace

void ApplyQueue::add(ApplyRequest request, Done done) {
  const std::size_t bytes = bytes_of(request);
  waiting_.push_back({std::move(request), std::move(done), bytes});
}

bool ApplyQueue::goes_alone(const Waiting& waiting) const {
  return waiting.request.one_by_one || failed_.contains(waiting.request.shard);
}

// A shard that was let go and taken again has a new follower while the former one's is under way.
bool ApplyQueue::is_under_way(const Waiting& waiting) const {
  return under_way_.contains(waiting.request.shard);
}

// What waits fills a transaction.
bool ApplyQueue::is_full() const {
  std::size_t bytes = 0;
  for (const Waiting& one : waiting_) bytes += goes_alone(one) ? 0 : one.bytes;
  return bytes >= kMaxTogetherBytes;
}

ApplyQueue::Together ApplyQueue::take(MonotonicTime now) {
  if (transactions_ == max_under_way_) return {};
  // Those that fail may take every connection but one.
  const bool is_time = shared_ == 0 && now >= not_before_;
  Together together = is_time ? take_shared() : Together();
  if (together.requests.empty()) together = take_alone();
  if (together.requests.empty() && is_full()) together = take_shared();
  if (together.requests.empty()) {
    const bool waits_for_time = !waiting_.empty() && shared_ == 0 && now < not_before_;
    if (waits_for_time) together.again = not_before_ - now;
    return together;
  }
  ++transactions_;
  for (const ApplyRequest& request : together.requests) under_way_.insert(request.shard);
  if (together.is_alone) return together;
  ++shared_;
  not_before_ = now + kApplyPause;
  return together;
}

ApplyQueue::Together ApplyQueue::take_alone() {
  Together together;
  together.is_alone = true;
  for (auto one = waiting_.begin(); one != waiting_.end(); ++one) {
    if (!goes_alone(*one) || is_under_way(*one)) continue;
    together.requests.push_back(std::move(one->request));
    together.dones.push_back(std::move(one->done));
    waiting_.erase(one);
    break;
  }
  return together;
}

ApplyQueue::Together ApplyQueue::take_shared() {
  Together together;
  std::deque<Waiting> left;
  std::set<ShardId> taken;
  std::size_t bytes = 0;
  bool full = false;
  for (Waiting& one : waiting_) {
    const bool is_first = together.requests.empty();
    const bool may_go =
        !goes_alone(one) && !is_under_way(one) && !taken.contains(one.request.shard);
    full = full || (may_go && !is_first && bytes + one.bytes > kMaxTogetherBytes);
    if (!may_go || full) {
      left.push_back(std::move(one));
      continue;
    }
    taken.insert(one.request.shard);
    bytes += one.bytes;
    together.requests.push_back(std::move(one.request));
    together.dones.push_back(std::move(one.done));
  }
  waiting_.swap(left);
  return together;
}

void ApplyQueue::ended(Together together, const std::vector<ApplyResult>& results) {
  const std::size_t size = together.requests.size();
  MARTLET_ASSERT(size > 0 && results.size() == size && transactions_ > 0);
  --transactions_;
  if (!together.is_alone) --shared_;
  std::vector<std::pair<Done, const ApplyResult*>> told;
  for (std::size_t i = 0; i < size; ++i) {
    ApplyRequest& request = together.requests[i];
    under_way_.erase(request.shard);
    if (results[i].outcome == ApplyOutcome::kCommitted) {
      failed_.erase(request.shard);
    } else {
      failed_.insert(request.shard);
    }
    if (size == 1 || is_verdict(results[i])) {
      told.emplace_back(std::move(together.dones[i]), &results[i]);
    } else {
      add(std::move(request), std::move(together.dones[i]));
    }
  }
  for (const auto& [done, result] : told) done(*result);
}

}  // namespace martlet::store
