#pragma once

#include <deque>
#include <functional>
#include <optional>
#include <vector>

#include "base/clock.h"

namespace martlet::persist {

// The passwords that wait for a thread: first come, first served. Bounded in number and in time: a
// job that nobody would wait for any more is never started. Pure; time is an argument. One thread
// at a time.
class HashQueue {
 public:
  struct Limits {
    std::size_t max_jobs = 0;
    std::size_t threads = 0;
    Duration max_wait{};  // for a thread
  };
  struct Job {
    std::function<void()> work;      // on a hash thread
    std::function<void()> too_late;  // instead of it
  };

  explicit HashQueue(const Limits& limits) : limits_(limits) {}

  // wanted_until: then the asker has gone; a job must start so early that it is likely to end by
  // then. False: full of jobs that are still wanted.
  bool push(Job job, MonotonicTime wanted_until, MonotonicTime now);
  // The next one that is still in time; finished() follows.
  std::optional<Job> pop(MonotonicTime now);
  void finished(Duration took);
  // Those whose time has come, each once.
  std::vector<Job> take_late(MonotonicTime now);
  void clear();

  std::size_t size() const { return jobs_.size(); }
  // How long a job that came now would wait, as far as one can tell.
  Duration expected_wait() const;

 private:
  struct Waiting {
    Job job;
    MonotonicTime start_by;
  };
  void set_late_aside(MonotonicTime now);

  const Limits limits_;
  std::deque<Waiting> jobs_;
  std::vector<Job> late_;
  std::size_t running_ = 0;
  Duration usual_ = std::chrono::milliseconds(100);  // of one hash, lately
};

}  // namespace martlet::persist
