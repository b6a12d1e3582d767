// martlet-bench CONFIG: see load.h and config.h. ./dev bench starts it.

#include <csignal>
#include <cstdio>

#include "base/log.h"
#include "bench/load.h"

int main(int argc, char** argv) {
  using namespace martlet;
  if (argc != 2) {
    std::fprintf(stderr, "usage: martlet-bench CONFIG.json\n");
    return 2;
  }
  auto config = bench::read_config(argv[1]);
  if (!config) {
    std::fprintf(stderr, "bench: %s\n", config.error().detail.c_str());
    return 1;
  }
  const auto key = auth::SigningKey::load(config->signing_key);
  if (!key) {
    std::fprintf(stderr, "bench: %s\n", key.error().detail.c_str());
    return 1;
  }
  // Each connection makes its own session, as clients who come for the first time do.
  auto tls = net::TlsClient::open({.ca_file = config->tls_ca, .resumes = false});
  if (!tls) {
    std::fprintf(stderr, "bench: %s\n", tls.error().detail.c_str());
    return 1;
  }
  auto workload = bench::make_workload(config->workload, config->people);
  if (workload == nullptr) {
    std::fprintf(stderr, "bench: no workload %s for %zu users\n", config->workload.c_str(),
                 config->people.users.size());
    return 1;
  }
  std::signal(SIGPIPE, SIG_IGN);
  base::start_logging({"bench", "warn", ""});
  martlet::event::Loop loop;
  const bool with_tls = !config->tls_ca.empty();
  bench::Load load(loop, std::move(*config), *key, std::move(workload),
                   with_tls ? tls->get() : nullptr);
  load.start();
  loop.run();
  return load.has_failed() ? 1 : 0;
}
