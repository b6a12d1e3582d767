#include "persist/applier_core.h"

#include <algorithm>

#include "base/assert.h"
#include "base/planted.h"
#include "persist/limits.h"

namespace martlet::persist {

using store::ApplyOutcome;

ApplierCore::Actions ApplierCore::begin() {
  MARTLET_ASSERT(phase_ == Phase::kNew);
  phase_ = Phase::kInspecting;
  actions_.inspect = true;
  return take();
}

ApplierCore::Actions ApplierCore::inspected(const Result<Inspection>& result, MonotonicTime now) {
  if (phase_ != Phase::kInspecting) return {};
  if (!result) {
    pause(Phase::kPaused, now);
    return take();
  }
  state_ = result->state;
  const std::uint64_t stored = state_.watermark.value();
  MARTLET_ASSERT(stored >= state_.base);
  next_ = bus::LogSequence(stored - state_.base + 1);
  if (result->log.first > next_) {
    if (!stuck_) {
      raise(Alarm::kGap, "the log begins at sequence " + std::to_string(result->log.first.value()) +
                             ", the next one to store is " + std::to_string(next_.value()));
    }
    stuck_ = true;
    pause(Phase::kPaused, now);
    return take();
  }
  stuck_ = false;
  phase_ = Phase::kFollowing;
  actions_.stored = Stored{state_, 0, 0};
  actions_.open_reader = next_;
  go_on();
  return take();
}

ApplierCore::Actions ApplierCore::fetched(Result<std::vector<bus::LogRecord>> result,
                                          MonotonicTime now) {
  fetching_ = false;
  if (phase_ != Phase::kFollowing && phase_ != Phase::kRetrying) return {};
  if (!result) {
    start_anew(now);
    return take();
  }
  for (bus::LogRecord& record : *result) {
    if (record.sequence != next_) {
      start_anew(now);
      return take();
    }
    ready_.push_back({LogPosition(state_.base + next_.value()), std::move(record.batch)});
    next_ = next_.next();
  }
  go_on();
  return take();
}

ApplierCore::Actions ApplierCore::applied(const store::ApplyResult& result, MonotonicTime now) {
  MARTLET_ASSERT(applying_);
  applying_ = false;
  if (result.outcome == ApplyOutcome::kCommitted) committed(result);
  if (phase_ == Phase::kReleased) return take();
  if (result.outcome == ApplyOutcome::kDuplicate) {
    phase_ = Phase::kStopped;
    raise(Alarm::kDuplicate, result.detail);
  } else if (restart_wanted_) {
    start_anew(now);
  } else {
    after_apply(result, now);
  }
  return take();
}

void ApplierCore::after_apply(const store::ApplyResult& result, MonotonicTime now) {
  switch (result.outcome) {
    case ApplyOutcome::kCommitted:
      return go_on();
    case ApplyOutcome::kRefused:
      if (!one_by_one_) {
        one_by_one_ = true;
        return go_on();
      }
      stuck_ = true;
      raise(Alarm::kRefused, result.detail);
      return pause(Phase::kRetrying, now);
    case ApplyOutcome::kRetry:
      return pause(Phase::kRetrying, now);
    case ApplyOutcome::kUnknown:
      if (is_planted(Planted::kApplyTwice)) return pause(Phase::kRetrying, now);
      return start_anew(now);
    case ApplyOutcome::kFenced:
    case ApplyOutcome::kDuplicate:
      return start_anew(now);
  }
}

void ApplierCore::committed(const store::ApplyResult& result) {
  MARTLET_ASSERT(applied_batches_ > 0 && applied_batches_ <= current_.size());
  state_.watermark = current_[applied_batches_ - 1].position;
  current_.erase(current_.begin(),
                 current_.begin() + static_cast<std::ptrdiff_t>(applied_batches_));
  if (current_.empty()) one_by_one_ = false;
  stuck_ = false;
  backoff_ = Duration(0);
  if (result.dead > 0) raise(Alarm::kDead, std::to_string(result.dead) + " entries put aside");
  actions_.stored = Stored{state_, applied_batches_, result.messages};
}

ApplierCore::Actions ApplierCore::row_seen(const store::ShardState& row, LogPosition watermark_then,
                                           MonotonicTime now) {
  if (phase_ != Phase::kFollowing && phase_ != Phase::kRetrying) return {};
  const bool same_log = row.base == state_.base && row.generation == state_.generation;
  if (!same_log || row.watermark < watermark_then) start_anew(now);
  return take();
}

ApplierCore::Actions ApplierCore::tick(MonotonicTime now) {
  if (now < not_before_) return {};
  if (phase_ == Phase::kPaused) {
    phase_ = Phase::kInspecting;
    actions_.inspect = true;
  } else if (phase_ == Phase::kRetrying) {
    phase_ = Phase::kFollowing;
    go_on();
  }
  return take();
}

// Everything that is not in the store is read again.
void ApplierCore::start_anew(MonotonicTime now) {
  if (applying_) {
    restart_wanted_ = true;
    return;
  }
  restart_wanted_ = false;
  one_by_one_ = false;
  fetching_ = false;
  current_.clear();
  ready_.clear();
  pause(Phase::kPaused, now);
}

void ApplierCore::pause(Phase phase, MonotonicTime now) {
  phase_ = phase;
  backoff_ = std::clamp(backoff_ * 2, kMinBackoff, kMaxBackoff);
  not_before_ = now + random_.jitter(backoff_, 0.3);
}

// Applies what is here, and fetches the next part meanwhile.
void ApplierCore::go_on() {
  if (phase_ != Phase::kFollowing || restart_wanted_) return;
  if (!applying_) {
    if (current_.empty()) current_.swap(ready_);
    if (!current_.empty()) {
      applying_ = true;
      applied_batches_ = one_by_one_ ? 1 : current_.size();
      const auto end = current_.begin() + static_cast<std::ptrdiff_t>(applied_batches_);
      actions_.apply = store::ApplyRequest{shard_, state_, {current_.begin(), end}, one_by_one_};
    }
  }
  if (!fetching_ && ready_.empty()) {
    fetching_ = true;
    actions_.fetch = true;
  }
}

void ApplierCore::raise(Alarm alarm, std::string detail) {
  actions_.alarms.push_back({alarm, std::move(detail)});
}

}  // namespace martlet::persist
