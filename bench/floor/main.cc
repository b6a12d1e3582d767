// martlet-bench-floor URL IN_FLIGHT USERS TEXT_BYTES WARM_UP_S SECONDS: what the broker allows.
// Prints one line of JSON.

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <future>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/log.h"
#include "bench/floor/raw_core.h"
#include "bench/floor/roles.h"

namespace {

using namespace martlet;
using namespace martlet::bench;

// A role on a thread of its own.
class Running {
 public:
  explicit Running(Role& role) : role_(role), thread_([&role] { role.loop().run(); }) {}
  ~Running() {
    role_.loop().stop();
    thread_.join();
  }
  void wait_ready() {
    std::promise<void> ready;
    role_.loop().post([&] { role_.start([&ready] { ready.set_value(); }); });
    ready.get_future().wait();
  }
  void run(const std::function<void()>& task) {
    std::promise<void> done;
    role_.loop().post([&] {
      task();
      done.set_value();
    });
    done.get_future().wait();
  }

 private:
  Role& role_;
  std::thread thread_;
};

struct Counts {
  std::uint64_t answered = 0, received = 0;
};

nlohmann::json measure(const FloorOptions& options, double warm_up_s, double seconds) {
  FloorDispatcher dispatcher(options);
  FloorReader reader(options);
  FloorEdge first(options, 0), second(options, 1);
  Running dispatching(dispatcher), sending_first(first), sending_second(second);
  dispatching.wait_ready();
  Running reading(reader);
  reading.wait_ready();
  sending_first.wait_ready();
  sending_second.wait_ready();
  const auto both = [&](const std::function<void(FloorEdge&)>& task) {
    sending_first.run([&] { task(first); });
    sending_second.run([&] { task(second); });
  };
  const auto counts = [&] {
    return Counts{first.answered + second.answered, first.received + second.received};
  };
  both([](FloorEdge& edge) { edge.begin(); });
  std::this_thread::sleep_for(std::chrono::duration<double>(warm_up_s));
  both([](FloorEdge& edge) { edge.measure(true); });
  const Counts before = counts();
  const auto begin = std::chrono::steady_clock::now();
  const std::clock_t cpu_before = std::clock();
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
  const Counts after = counts();
  const auto cpu_s = static_cast<double>(std::clock() - cpu_before) / CLOCKS_PER_SEC;
  const double took =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  nlohmann::json result;
  both([](FloorEdge& edge) {
    edge.measure(false);
    edge.stop();
  });
  sending_first.run([&] {
    result["p50_ms"] = first.latencies().percentile_ms(0.5).value_or(0);
    result["p99_ms"] = first.latencies().percentile_ms(0.99).value_or(0);
  });
  result["answered_per_s"] = static_cast<double>(after.answered - before.answered) / took;
  result["received_per_s"] = static_cast<double>(after.received - before.received) / took;
  result["seconds"] = took;
  result["cpu_us"] =
      1e6 * cpu_s /
      static_cast<double>(std::max(after.answered - before.answered, std::uint64_t{1}));
  return result;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 7) {
    std::fprintf(stderr,
                 "usage: martlet-bench-floor URL IN_FLIGHT USERS TEXT_BYTES WARM_UP_S SECONDS\n");
    return 2;
  }
  std::signal(SIGPIPE, SIG_IGN);
  base::start_logging({"bench", "warn", ""});
  FloorOptions options;
  options.url = argv[1];
  options.in_flight = std::strtoul(argv[2], nullptr, 10);
  options.users = std::strtoul(argv[3], nullptr, 10);
  options.sizes = sizes_of(std::strtoul(argv[4], nullptr, 10));
  nlohmann::json result = measure(options, std::atof(argv[5]), std::atof(argv[6]));
  result["raw_core_per_s"] = raw_core(options.url, std::atof(argv[6]) / 2);
  const Sizes& sizes = options.sizes;
  result["bytes"] = {{"frame", sizes.frame},
                     {"entry", sizes.entry},
                     {"answer", sizes.answer},
                     {"event", sizes.event}};
  std::printf("%s\n", result.dump().c_str());
  return 0;
}
