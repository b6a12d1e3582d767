#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/result.h"
#include "event/loop.h"
#include "metrics/registry.h"
#include "service/http_server.h"
#include "service/options.h"

namespace martlet::service {

// What the loop's thread did since it was asked last.
struct LoopLoad {
  std::uint32_t cpu_permille = 0;  // of one core
  Duration worst_lag{};            // how late a timer ran
};

// What the shell lends to the application; all of it outlives it.
struct Context {
  event::Loop& loop;
  metrics::Registry& registry;
  HttpServer& http;  // the application may add routes
  const CommonOptions& common;
  std::string http_address;  // HOST:PORT of the endpoint, as bound
  // Ends the process with exit code 1 and this line, after the present turn: for what can't be
  // repaired while running.
  std::function<void(std::string line)> fail;
  std::function<LoopLoad()> take_load = [] { return LoopLoad(); };
  // Stops the process as SIGTERM does, after the present turn; once is enough.
  std::function<void(std::string why)> stop = [](const std::string&) {};
};

// A service inside the process shell. All calls on the loop, in this order: start, stop_phase_one,
// stop_phase_two, destructor. A stop may come before the start has finished.
class Application {
 public:
  using Done = std::function<void()>;
  using Started = std::function<void(Result<void>)>;
  virtual ~Application() = default;

  // Calls back once: when it serves, or why it can't; the detail is the line that people see.
  virtual void start(Started on_started) = 0;

  // SIGHUP: reads anew what may change without a restart. After the start, any number of times;
  // also while it stops.
  virtual void reload() {}

  // Asked by /readyz after the start: the detail says what is missing.
  virtual Result<void> ready() const = 0;
  // HOST:PORT for clients, as bound; empty: none. Goes into the ready file.
  virtual std::string listen_address() const { return ""; }

  // Take no new work; call back when that is so. Then: finish what is open, close, call back. Both
  // share the deadline stop_timeout_ms.
  virtual void stop_phase_one(Done on_done) = 0;
  virtual void stop_phase_two(Done on_done) = 0;
};

}  // namespace martlet::service
