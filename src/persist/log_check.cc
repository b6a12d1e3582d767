#include "persist/log_check.h"

#include <optional>

#include "base/log.h"
#include "persist/limits.h"

namespace martlet::persist {

// Kept alive by the checker; callbacks hold it weakly.
struct LogCheck::State : std::enable_shared_from_this<State> {
  State(const Parts& p, ShardId s, Done d)
      : parts(p), shard(s), done(std::move(d)), pause(p.loop, [this] { look(); }) {}

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
    const std::uint64_t end = row.base + info->last.value();
    if (end >= row.watermark.value()) return done(Inspection{row, *info});
    if (!seen || seen->last != info->last) {
      seen = *info;
      pause.start_once(kTailConfirmation);
      return;
    }
    raise(info->last.value());
  }
  void raise(std::uint64_t last) {
    parts.store.raise_base(
        shard, row, last, [self = weak_from_this(), last](const Result<store::RaisedBase>& raised) {
          if (const auto here = self.lock()) here->raised(last, raised);
        });
  }
  // One of those who look at a shard at the same time changes it, and tells.
  void raised(std::uint64_t last, const Result<store::RaisedBase>& result) {
    if (!result) return done(tl::unexpected(result.error()));
    const store::ShardState& now = result->state;
    if (result->changed) {
      MARTLET_LOG(error, "log_lost_its_tail shard={} stored={} log_end={} base={} generation={}",
                  shard.value(), row.watermark.value(), row.base + last, now.base,
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
  Done done;
  event::Timer pause;
  store::ShardState row;
  std::optional<bus::LogInfo> seen;
};

LogCheck::LogCheck(const Parts& parts, ShardId shard, Done done)
    : state_(std::make_shared<State>(parts, shard, std::move(done))) {
  state_->load();
}

LogCheck::~LogCheck() = default;

}  // namespace martlet::persist
