#include "persist/log_check.h"

#include <optional>

#include "base/log.h"
#include "persist/limits.h"
#include "persist/tail_verdict.h"

namespace martlet::persist {

// Kept alive by the checker; callbacks hold it weakly.
struct LogCheck::State : std::enable_shared_from_this<State> {
  State(const Parts& p, ShardId s, LogPosition k, Done d)
      : parts(p), shard(s), known(k), done(std::move(d)), pause(p.loop, [this] { look(); }) {}

  void load() {
    parts.store.load_shards([self = weak_from_this()](Result<store::ShardStates> states) {
      if (const auto here = self.lock()) here->loaded(std::move(states));
    });
  }
  void loaded(Result<store::ShardStates> states) {
    if (!states) return done(tl::unexpected(states.error()));
    if (shard.value() >= states->size()) return done(fail(ErrorCode::kBadRange, "no such shard"));
    row = (*states)[shard.value()];
    look();
  }
  void look() {
    parts.log.info(shard, kInfoTimeout, [self = weak_from_this()](Result<bus::LogInfo> info) {
      if (const auto here = self.lock()) here->looked(std::move(info));
    });
  }
  void looked(Result<bus::LogInfo> info) {
    if (!info) return done(tl::unexpected(info.error()));
    const TailVerdict verdict = judge_tail(row, known, info->last);
    if (verdict == TailVerdict::kWhole) return done(Inspection{row, *info});
    if (!seen || seen->last != info->last) {
      seen = *info;
      pause.start_once(kTailConfirmation);
      return;
    }
    if (verdict == TailVerdict::kNotStored) return done(not_stored(info->last));
    raise(info->last.value());
  }
  tl::unexpected<Error> not_stored(bus::LogSequence last) const {
    MARTLET_LOG(warn, "lost_tail_waits_for_the_rest shard={} stored={} log_end={} known={}",
                shard.value(), row.watermark.value(), row.base + last.value(), known.value());
    return fail(ErrorCode::kUnavailable, "the log lost its tail; the rest is not stored yet");
  }
  void raise(std::uint64_t last) {
    parts.store.raise_base(
        shard, row, last, known,
        [self = weak_from_this(), last](const Result<store::RaisedBase>& raised) {
          if (const auto here = self.lock()) here->raised(last, raised);
        });
  }
  // One of those who look at a shard at the same time changes it, and tells.
  void raised(std::uint64_t last, const Result<store::RaisedBase>& result) {
    if (!result) return done(tl::unexpected(result.error()));
    const store::ShardState& now = result->state;
    if (result->changed) {
      MARTLET_LOG(error,
                  "log_lost_its_tail shard={} stored={} log_end={} known={} base={} "
                  "generation={}",
                  shard.value(), row.watermark.value(), row.base + last, known.value(), now.base,
                  now.generation.value());
      parts.metrics.base_raised();
    }
    // Somebody else may have stored or raised meanwhile: look again at what is now.
    row = now;
    seen.reset();
    look();
  }

  Parts parts;
  const ShardId shard;
  const LogPosition known;
  Done done;
  event::Timer pause;
  store::ShardState row;
  std::optional<bus::LogInfo> seen;
};

LogCheck::LogCheck(const Parts& parts, ShardId shard, LogPosition known, Done done)
    : state_(std::make_shared<State>(parts, shard, known, std::move(done))) {
  state_->load();
}

LogCheck::~LogCheck() = default;

}  // namespace martlet::persist
