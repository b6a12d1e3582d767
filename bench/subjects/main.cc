// martlet-bench-subjects CONFIG: see subjects.h. ./dev bench subjects starts it.

#include <csignal>
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/log.h"
#include "bench/subjects/subjects.h"

int main(int argc, char** argv) {
  using namespace martlet;
  const auto config =
      nlohmann::json::parse(std::ifstream(argc == 2 ? argv[1] : ""), nullptr, false);
  if (!config.is_object()) {
    std::fprintf(stderr, "usage: martlet-bench-subjects CONFIG.json\n");
    return 2;
  }
  std::signal(SIGPIPE, SIG_IGN);
  base::start_logging({"bench", "warn", ""});
  martlet::event::Loop loop;
  bench::Subjects subjects(
      loop, {.url = config.at("url"),
             .subjects = config.at("subjects"),
             .seconds = std::chrono::duration_cast<Duration>(
                 std::chrono::duration<double>(config.at("seconds").get<double>()))});
  subjects.start();
  if (!subjects.has_failed()) loop.run();
  return subjects.has_failed() ? 1 : 0;
}
