// martlet-swarm CONFIG: see swarm.h and config.h.

#include <csignal>
#include <cstdio>

#include "base/log.h"
#include "support/swarm/swarm.h"

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: martlet-swarm CONFIG.json\n");
    return 2;
  }
  auto config = martlet::swarm::read_config(argv[1]);
  if (!config) {
    std::fprintf(stderr, "swarm: %s\n", config.error().detail.c_str());
    return 1;
  }
  std::signal(SIGPIPE, SIG_IGN);
  martlet::base::start_logging({"swarm", "warn", ""});
  martlet::event::Loop loop;
  martlet::swarm::Swarm swarm(loop, std::move(*config));
  swarm.start();
  loop.run();
  return 0;
}
