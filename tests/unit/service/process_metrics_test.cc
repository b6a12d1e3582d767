#include "service/process_metrics.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>

namespace martlet::service {
namespace {

double value_of(const metrics::Registry& registry, const std::string& name) {
  const std::string text = registry.render();
  const std::size_t at = text.find("\n" + name + " ");
  return at == std::string::npos ? -1 : std::atof(text.c_str() + at + name.size() + 2);
}

TEST(ProcessMetrics, TellMemoryAndStartTime) {
  metrics::Registry registry;
  add_process_metrics(registry, 1'500);
  EXPECT_GT(value_of(registry, "process_resident_memory_bytes"), 100'000);
  EXPECT_EQ(value_of(registry, "process_start_time_seconds"), 1.5);
}

TEST(ProcessMetrics, CountOpenFiles) {
  metrics::Registry registry;
  add_process_metrics(registry, 0);
  const double before = value_of(registry, "process_open_fds");
  const int fd = ::open("/dev/null", O_RDONLY);
  EXPECT_EQ(value_of(registry, "process_open_fds"), before + 1);
  ::close(fd);
}

TEST(ProcessMetrics, TheSoftLimitOfOpenFilesIsNotLowered) {
  const std::uint64_t now = raise_open_files(0);
  EXPECT_EQ(raise_open_files(1), now);
}

TEST(LoopProbe, CountsTurnsAndLag) {
  event::Loop loop;
  metrics::Registry registry;
  LoopProbe probe(loop, registry);
  probe.start();
  event::Timer end(loop, [&] { loop.stop(); });
  end.start_once(std::chrono::milliseconds(150));
  loop.run();
  EXPECT_GE(value_of(registry, "martlet_loop_lag_seconds_count"), 1);
  EXPECT_GE(value_of(registry, "martlet_loop_turn_seconds_count"), 1);
  EXPECT_GE(value_of(registry, "martlet_loop_busy_ratio_count"), 1);
}

}  // namespace
}  // namespace martlet::service
