#include "persist/follower.h"

#include <utility>

#include "base/log.h"
#include "base/planted.h"
#include "persist/limits.h"

namespace martlet::persist {

Follower::Follower(const Parts& parts, ShardId shard)
    : parts_(parts), shard_(shard), core_(shard, parts.random), purge_(parts.keep) {}

Follower::~Follower() {
  *self_ = nullptr;
}

void Follower::start() {
  run(core_.begin());
}

void Follower::tick(MonotonicTime now) {
  // Also while nothing comes: what is stored is stored for longer and longer.
  if (core_.is_following()) purge_.stored(core_.state().watermark, now);
  run(core_.tick(now));
}

void Follower::row_seen(const store::ShardState& row, LogPosition watermark_then,
                        MonotonicTime now) {
  run(core_.row_seen(row, watermark_then, now));
}

void Follower::release(std::function<void()> done) {
  if (std::exchange(releasing_, true)) return;
  core_.release();
  check_.reset();
  reader_.reset();
  ++reader_number_;
  if (!core_.is_applying()) return done();
  released_ = std::move(done);
}

void Follower::run(ApplierCore::Actions actions) {
  for (const auto& raised : actions.alarms) alarm(raised);
  if (actions.stored) stored(*actions.stored);
  if (actions.inspect) inspect();
  if (actions.open_reader) open_reader(*actions.open_reader);
  if (actions.fetch) fetch();
  if (actions.apply) apply(std::move(*actions.apply));
}

void Follower::inspect() {
  reader_.reset();
  ++reader_number_;
  // The check that ends calls back from inside itself: it is let go when the next one begins.
  check_ = std::make_unique<LogCheck>(
      LogCheck::Parts{parts_.loop, parts_.store, parts_.log, parts_.metrics}, shard_, LogPosition(),
      [this](const Result<Inspection>& result) {
        if (!result)
          MARTLET_LOG(debug, "shard_not_inspected shard={} error=\"{}\"", shard_.value(),
                      result.error().detail);
        run(core_.inspected(result, parts_.loop.now()));
      });
}

void Follower::open_reader(bus::LogSequence from) {
  MARTLET_LOG(info, "shard_followed shard={} from={} watermark={} generation={}", shard_.value(),
              from.value(), core_.state().watermark.value(), core_.state().generation.value());
  ++reader_number_;
  reader_ = parts_.log.read(shard_, from);
}

void Follower::fetch() {
  reader_->next(
      kFetchBytes, kFetchWait,
      [self = self_, number = reader_number_](Result<std::vector<bus::LogRecord>> records) {
        Follower* here = *self;
        if (here == nullptr || number != here->reader_number_) return;
        if (!records)
          MARTLET_LOG(info, "log_reader_ended shard={} error=\"{}\"", here->shard_.value(),
                      records.error().detail);
        here->run(here->core_.fetched(std::move(records), here->parts_.loop.now()));
      });
}

void Follower::apply(store::ApplyRequest request) {
  if (is_planted(Planted::kStoredBeforeCommit)) {
    store::ShardState hoped = request.expected;
    hoped.watermark = request.batches.back().position;
    parts_.watermarks.learn(shard_, hoped);
    parts_.stored(shard_);
  }
  parts_.store.apply(std::move(request),
                     [self = self_, started = parts_.loop.now()](const store::ApplyResult& result) {
                       if (*self != nullptr) (*self)->applied(result, started);
                     });
}

void Follower::applied(const store::ApplyResult& result, MonotonicTime started) {
  if (result.outcome == store::ApplyOutcome::kCommitted) {
    parts_.metrics.apply_took(parts_.loop.now() - started);
    parts_.metrics.repeats_put_aside(result.repeats);
    if (result.repeats > 0)
      MARTLET_LOG(warn, "repeats_put_aside shard={} messages={}", shard_.value(), result.repeats);
  } else {
    parts_.metrics.apply_failed(result.outcome);
    MARTLET_LOG(warn, "apply_failed shard={} outcome={} detail=\"{}\"", shard_.value(),
                static_cast<int>(result.outcome), result.detail);
  }
  run(core_.applied(result, parts_.loop.now()));
  if (released_ && !core_.is_applying()) std::exchange(released_, nullptr)();
}

void Follower::stored(const ApplierCore::Stored& what) {
  if (what.batches > 0) parts_.metrics.batches_applied(what.batches, what.messages);
  purge_.stored(what.state.watermark, parts_.loop.now());
  parts_.watermarks.learn(shard_, what.state);
  parts_.stored(shard_);
}

void Follower::alarm(const ApplierCore::AlarmRaised& raised) {
  parts_.metrics.alarmed(raised.alarm);
  MARTLET_LOG(error, "alarm shard={} kind={} detail=\"{}\"", shard_.value(),
              static_cast<int>(raised.alarm), raised.detail);
}

void Follower::purge(const store::ShardState& row, const bus::LogInfo& log, MonotonicTime now) {
  if (purging_ || !core_.is_following()) return;
  const store::ShardState& known = core_.state();
  if (row.base != known.base || row.generation != known.generation) return;
  const auto keep_from = purge_.keep_from(core_.state(), log, now);
  if (!keep_from) return;
  purging_ = true;
  parts_.log.purge_below(shard_, *keep_from, log, [self = self_](const Result<void>& done) {
    Follower* here = *self;
    if (here == nullptr) return;
    here->purging_ = false;
    if (done) {
      here->parts_.metrics.purged();
    } else {
      MARTLET_LOG(info, "purge_failed shard={} error=\"{}\"", here->shard_.value(),
                  done.error().detail);
    }
  });
}

}  // namespace martlet::persist
