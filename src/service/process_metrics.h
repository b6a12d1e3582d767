#pragma once

#include <string>

#include "event/loop.h"
#include "metrics/registry.h"
#include "service/application.h"

namespace martlet::service {

// Raises the soft limit of open files to `wanted`, or to the hard limit if that is lower. Returns
// the soft limit in effect.
std::uint64_t raise_open_files(std::uint64_t wanted);

// Memory, processor time, open files and start time of this process, read when rendered.
void add_process_metrics(metrics::Registry& registry, WallMs started_ms);

// How late the loop runs its timers, how long its turns take and how much of the time it is busy.
// Loop thread; outlives the loop's run.
class LoopProbe {
 public:
  LoopProbe(event::Loop& loop, metrics::Registry& registry);
  void start();
  LoopLoad take_load();

 private:
  void tick();

  event::Loop& loop_;
  metrics::Histogram& lag_;
  metrics::Histogram& turn_;
  metrics::Histogram& busy_;
  event::Timer timer_;
  MonotonicTime due_;
  MonotonicTime last_tick_;
  Duration last_cpu_{};
  // Since take_load().
  MonotonicTime taken_;
  Duration taken_cpu_{};
  Duration worst_lag_{};
  // The worst of the present second, and of the one before.
  Duration lag_now_{};
  Duration lag_before_{};
  MonotonicTime second_{};
};

}  // namespace martlet::service
