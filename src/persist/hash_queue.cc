#include "persist/hash_queue.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"

namespace martlet::persist {

bool HashQueue::push(Job job, MonotonicTime wanted_until, MonotonicTime now) {
  if (jobs_.size() >= limits_.max_jobs) set_late_aside(now);
  if (jobs_.size() >= limits_.max_jobs) return false;
  const MonotonicTime start_by = std::min(now + limits_.max_wait, wanted_until - usual_);
  jobs_.push_back({std::move(job), start_by});
  return true;
}

std::optional<HashQueue::Job> HashQueue::pop(MonotonicTime now) {
  set_late_aside(now);
  if (jobs_.empty()) return std::nullopt;
  Job job = std::move(jobs_.front().job);
  jobs_.pop_front();
  ++running_;
  return job;
}

void HashQueue::finished(Duration took) {
  MARTLET_ASSERT(running_ > 0);
  --running_;
  usual_ = (usual_ * 7 + took) / 8;
}

std::vector<HashQueue::Job> HashQueue::take_late(MonotonicTime now) {
  set_late_aside(now);
  return std::exchange(late_, {});
}

void HashQueue::clear() {
  jobs_.clear();
  late_.clear();
}

Duration HashQueue::expected_wait() const {
  return usual_ * static_cast<std::int64_t>(jobs_.size() + running_) /
         static_cast<std::int64_t>(limits_.threads);
}

void HashQueue::set_late_aside(MonotonicTime now) {
  const auto first_late = std::stable_partition(
      jobs_.begin(), jobs_.end(), [now](const Waiting& waiting) { return now < waiting.start_by; });
  for (auto late = first_late; late != jobs_.end(); ++late) late_.push_back(std::move(late->job));
  jobs_.erase(first_late, jobs_.end());
}

}  // namespace martlet::persist
