#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/finding.h"
#include "config/keys.h"
#include "metrics/registry.h"
#include "service/application.h"
#include "service/limit.h"

namespace martlet::service {

// A flag that does one thing instead of running the service: --init-keys DIR.
struct Command {
  std::string flag;      // without --
  std::string argument;  // what the help calls it
  std::string text;
  std::function<Result<void>(const std::string& argument)> run;
};

// What a service is, told by its main.cc.
struct Definition {
  std::string name;  // "edge"; the program is martlet-edge
  // Declares the service's own keys, bound to fields that live as long as run().
  std::function<void(config::Keys&)> declare_keys;
  // Registers every metric that create() will register. run() compares.
  std::function<void(metrics::Registry&)> declare_metrics;
  // May block, e.g. to wait for servers: nothing runs yet, and a signal ends the process.
  std::function<Result<std::unique_ptr<Application>>(Context&)> create;
  std::vector<Limit> limits;
  std::vector<Command> commands;
  // --check: what the service needs, looked at from where it would run, with its configuration.
  // May block for some seconds; changes nothing.
  std::function<Findings(const CommonOptions&)> check = [](const CommonOptions&) {
    return Findings();
  };
};

// The process shell: reads the configuration, starts the log, the loop and the HTTP endpoint, runs
// the application until SIGTERM or SIGINT, stops it in two phases. Returns the exit code: 0 after
// an orderly stop; 1 after a start-up error (one line on standard error). A second signal, a stop
// that exceeds its deadline or Context::fail end the process with exit code 1 at once.
//
// Call it once, from main, before any thread exists.
int run(int argc, char** argv, const Definition& definition);

}  // namespace martlet::service
