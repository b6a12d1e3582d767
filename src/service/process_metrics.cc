#include "service/process_metrics.h"

#include <dirent.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <utility>

namespace martlet::service {
namespace {

constexpr Duration kProbePeriod = std::chrono::milliseconds(100);

Duration cpu_time(int who) {
  rusage usage{};
  ::getrusage(who, &usage);
  const auto duration = [](const timeval& time) -> Duration {
    return std::chrono::seconds(time.tv_sec) + std::chrono::microseconds(time.tv_usec);
  };
  return duration(usage.ru_utime) + duration(usage.ru_stime);
}

double resident_bytes() {
  std::ifstream file("/proc/self/statm");
  std::uint64_t total_pages = 0;
  std::uint64_t resident_pages = 0;
  file >> total_pages >> resident_pages;
  return static_cast<double>(resident_pages) * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

double open_files() {
  // Newer kernels tell the number as the directory's size; older ones make us count.
  struct stat status {};
  if (::stat("/proc/self/fd", &status) == 0 && status.st_size > 0) {
    return static_cast<double>(status.st_size);
  }
  DIR* directory = ::opendir("/proc/self/fd");
  if (directory == nullptr) return 0;
  double count = -3;  // ".", ".." and the directory itself
  while (::readdir(directory) != nullptr) ++count;
  ::closedir(directory);
  return count;
}

double open_files_limit() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  return static_cast<double>(limit.rlim_cur);
}

}  // namespace

std::uint64_t raise_open_files(std::uint64_t wanted) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  const rlim_t goal = std::min<rlim_t>(limit.rlim_max, wanted);
  if (limit.rlim_cur < goal) {
    rlimit raised = limit;
    raised.rlim_cur = goal;
    if (::setrlimit(RLIMIT_NOFILE, &raised) == 0) limit = raised;
  }
  return limit.rlim_cur;
}

void add_process_metrics(metrics::Registry& registry, WallMs started_ms) {
  registry.counter_from(
      {"process_cpu_seconds_total", "seconds", "Processor time used by all threads."},
      [] { return std::chrono::duration<double>(cpu_time(RUSAGE_SELF)).count(); });
  registry.gauge_from({"process_resident_memory_bytes", "bytes", "Memory in use."}, resident_bytes);
  registry.gauge_from({"process_open_fds", "files", "Open files and sockets."}, open_files);
  registry.gauge_from({"process_max_fds", "files", "How many may be open."}, open_files_limit);
  registry.gauge_from(
      {"process_start_time_seconds", "seconds", "When the process started, since 1970 UTC."},
      [started_ms] { return static_cast<double>(started_ms) / 1000; });
}

LoopProbe::LoopProbe(event::Loop& loop, metrics::Registry& registry)
    : loop_(loop),
      lag_(registry.histogram(
          {"martlet_loop_lag_seconds", "seconds", "How late the loop ran a timer."},
          metrics::Buckets::seconds())),
      turn_(registry.histogram(
          {"martlet_loop_turn_seconds", "seconds", "How long a turn of the loop took."},
          metrics::Buckets::seconds())),
      busy_(registry.histogram({"martlet_loop_busy_ratio", "ratio",
                                "Share of the time that the loop's thread used the processor, "
                                "over 100 ms."},
                               metrics::Buckets::fixed({0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5,
                                                        0.6, 0.7, 0.8, 0.9, 0.95, 1}))),
      timer_(loop, [this] { tick(); }) {
  registry.gauge_from(
      {"martlet_loop_worst_lag_seconds", "seconds",
       "The latest that the loop ran a timer in the last one to two seconds."},
      [this] { return std::chrono::duration<double>(std::max(lag_now_, lag_before_)).count(); });
}

void LoopProbe::start() {
  loop_.on_turn([this](Duration duration) { turn_.observe(duration); });
  last_tick_ = loop_.now();
  taken_ = last_tick_;
  taken_cpu_ = last_cpu_ = cpu_time(RUSAGE_THREAD);
  due_ = last_tick_ + kProbePeriod;
  timer_.start_once(kProbePeriod);
}

LoopLoad LoopProbe::take_load() {
  const MonotonicTime now = loop_.now();
  const Duration cpu = cpu_time(RUSAGE_THREAD);
  const double share = std::chrono::duration<double>(cpu - taken_cpu_) /
                       std::chrono::duration<double>(std::max(now - taken_, Duration(1)));
  const LoopLoad load{static_cast<std::uint32_t>(std::clamp(share, 0.0, 1.0) * 1000), worst_lag_};
  taken_ = now;
  taken_cpu_ = cpu;
  worst_lag_ = {};
  return load;
}

void LoopProbe::tick() {
  const MonotonicTime now = loop_.now();
  const Duration lag = std::max(now - due_, Duration(0));
  lag_.observe(lag);
  worst_lag_ = std::max(worst_lag_, lag);
  if (now - second_ >= std::chrono::seconds(1)) {
    second_ = now;
    lag_before_ = std::exchange(lag_now_, Duration(0));
  }
  lag_now_ = std::max(lag_now_, lag);
  const Duration cpu = cpu_time(RUSAGE_THREAD);
  busy_.observe(std::chrono::duration<double>(cpu - last_cpu_) /
                std::chrono::duration<double>(std::max(now - last_tick_, Duration(1))));
  last_cpu_ = cpu;
  last_tick_ = now;
  due_ = now + kProbePeriod;
  timer_.start_once(kProbePeriod);
}

}  // namespace martlet::service
