#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "base/random.h"
#include "bus/log.h"
#include "event/loop.h"
#include "persist/applier_core.h"
#include "persist/log_check.h"
#include "persist/metrics.h"
#include "persist/purge_plan.h"
#include "persist/watermarks.h"
#include "store/store.h"

namespace martlet::persist {

// Stores one shard's log for as long as the shard is ours: carries out what an ApplierCore decides,
// and purges. Loop thread. Destroying it drops everything; a transaction under way ends by itself,
// and the next persist's first one waits for it or is fenced.
class Follower {
 public:
  struct Parts {
    event::Loop& loop;
    store::MessageStore& store;
    bus::Log& log;
    Watermarks& watermarks;
    PersistMetrics& metrics;
    Random& random;
    Duration keep;
    std::function<void(ShardId)> stored;  // a commit: announce it
  };
  Follower(const Parts& parts, ShardId shard);
  ~Follower();
  Follower(const Follower&) = delete;
  Follower& operator=(const Follower&) = delete;

  void start();
  void tick(MonotonicTime now);
  // A look at the logs' ends, made for other reasons. It is purged by it once the row has been read
  // again: whoever found meanwhile that the log lost its tail has raised base, and counted by the
  // old one, entries that nobody has stored would go.
  void log_seen(const bus::LogInfo& info) { log_ = info; }
  std::optional<bus::LogInfo> take_log() { return std::exchange(log_, std::nullopt); }
  void row_seen(const store::ShardState& row, LogPosition watermark_then, MonotonicTime now);
  // row: asked for after the log was seen.
  void purge(const store::ShardState& row, const bus::LogInfo& log, MonotonicTime now);
  // Ends what is under way, then calls back once. Later calls change nothing.
  void release(std::function<void()> done);

  const ApplierCore& core() const { return core_; }
  ShardId shard() const { return shard_; }

 private:
  void run(ApplierCore::Actions actions);
  void inspect();
  void open_reader(bus::LogSequence from);
  void fetch();
  void apply(store::ApplyRequest request);
  void stored(const ApplierCore::Stored& what);
  void alarm(const ApplierCore::AlarmRaised& raised);
  void applied(const store::ApplyResult& result, MonotonicTime started);

  Parts parts_;
  const ShardId shard_;
  ApplierCore core_;
  PurgePlan purge_;
  std::optional<bus::LogInfo> log_;  // as it was seen last
  bool purging_ = false;
  std::unique_ptr<LogCheck> check_;
  std::unique_ptr<bus::LogReader> reader_;
  std::uint64_t reader_number_ = 0;
  bool releasing_ = false;
  std::function<void()> released_;
  // Callbacks of the store and the log outlive the follower; they look here first.
  std::shared_ptr<Follower*> self_ = std::make_shared<Follower*>(this);
};

}  // namespace martlet::persist
