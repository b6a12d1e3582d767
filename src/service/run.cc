#include "service/run.h"

#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <optional>

#include "base/log.h"
#include "config/help.h"
#include "config/load.h"
#include "service/check.h"
#include "service/describe.h"
#include "service/findings.h"
#include "service/lifecycle.h"
#include "service/limits.h"
#include "service/memory.h"
#include "service/process_metrics.h"
#include "service/ready_file.h"
#include "service/version.h"

namespace martlet::service {
namespace {

// Standard error has the line even if the log is a file, so that whoever started us sees it.
int start_error(const Definition& definition, const std::string& line) {
  std::fprintf(stderr, "martlet-%s: %s\n", definition.name.c_str(), line.c_str());
  return 1;
}

// Without destructors, since what hangs may hang in one.
[[noreturn]] void exit_now(const std::string& line) {
  MARTLET_LOG(error, "service_gave_up why=\"{}\"", line);
  spdlog::default_logger()->flush();
  std::fflush(nullptr);
  std::_Exit(1);
}

extern "C" void on_exit_timeout(int) {
  constexpr char kLine[] = "service_gave_up why=\"threads did not end in time\"\n";
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, kLine, sizeof kLine - 1);
  std::_Exit(1);
}

// Counts on the loop's thread from the first moment on.
struct ShellMetrics {
  ShellMetrics(event::Loop& loop, metrics::Registry& registry, const std::string& service,
               std::function<bool()> ready)
      : probe(loop, registry) {
    registry.gauge_from({"martlet_ready", "none", "1 while /readyz answers 200."},
                        [ready = std::move(ready)] { return ready() ? 1.0 : 0.0; });
    registry.constant({"martlet_build_info", "none", "Always 1; which service of which version."},
                      {{"service", service}, {"version", std::string(version())}});
    add_process_metrics(registry, loop.wall_ms());
  }
  LoopProbe probe;
};

std::vector<std::string> metric_names(const metrics::Registry& registry) {
  std::vector<std::string> names;
  for (const auto& metric : registry.describe()) names.push_back(metric.info.name);
  std::sort(names.begin(), names.end());
  return names;
}

// What --describe promises must be what the service has.
std::optional<std::string> undeclared_metric(const metrics::Registry& declared,
                                             const metrics::Registry& real) {
  const auto want = metric_names(declared);
  const auto got = metric_names(real);
  std::vector<std::string> differ;
  std::set_symmetric_difference(want.begin(), want.end(), got.begin(), got.end(),
                                std::back_inserter(differ));
  if (differ.empty()) return std::nullopt;
  return differ.front();
}

// The process while it runs. Members are destroyed from the last to the first: the application
// before what it uses.
class Shell {
 public:
  Shell(const Definition& definition, const CommonOptions& common)
      : definition_(definition),
        common_(common),
        metrics_(loop_, registry_, definition.name,
                 [this] { return lifecycle_ && lifecycle_->ready().has_value(); }),
        http_(loop_, http_limits()),
        context_{loop_,
                 registry_,
                 http_,
                 common,
                 {},
                 [this](std::string line) { fail(line); },
                 [this] { return metrics_.probe.take_load(); },
                 [this](const std::string& why) {
                   loop_.post([this, why] { lifecycle_->stop_by_request(why); });
                 }} {}

  int run() {
    add_pages();
    const auto bound = http_.listen(common_.http_listen);
    if (!bound) return report("http.listen: " + bound.error().detail);
    context_.http_address = config::to_string(*bound);
    // Before create(), so that it is not the end of a process that starts; it is dealt with later.
    on_hup_.emplace(loop_, SIGHUP, [this] { application_->reload(); });
    auto application = definition_.create(context_);
    if (!application) return report(application.error().detail);
    application_ = std::move(*application);
    metrics::Registry declared;
    const ShellMetrics shell(loop_, declared, definition_.name, [] { return false; });
    definition_.declare_metrics(declared);
    if (const auto name = undeclared_metric(declared, registry_)) {
      return report("metric " + *name +
                    " is not in both of declare_metrics "
                    "and create: a bug");
    }
    lifecycle_.emplace(loop_, *application_, common_.stop_timeout, events());
    // Not before: create() may wait for servers, and a signal then simply ends the process.
    on_term_.emplace(loop_, SIGTERM, [this] { lifecycle_->stop("SIGTERM"); });
    on_int_.emplace(loop_, SIGINT, [this] { lifecycle_->stop("SIGINT"); });
    metrics_.probe.start();
    loop_.post([this] { lifecycle_->start(); });
    loop_.run();
    ::alarm(kExitTimeoutS);
    return exit_code_;
  }

 private:
  static HttpLimits http_limits() {
    return {kMaxHttpConnections, kMaxHttpHeaderBytes, kMaxHttpBodyBytes,
            std::chrono::milliseconds(kHttpIdleMs),
            std::chrono::milliseconds(kHttpConnectionAgeMs)};
  }

  void add_pages() {
    http_.route("/healthz",
                [](const HttpRequest&, const HttpReply& reply) { reply.text(200, "ok\n"); });
    http_.route("/readyz", [this](const HttpRequest&, const HttpReply& reply) {
      const Result<void> ready = lifecycle_->ready();
      ready ? reply.text(200, "ok\n") : reply.text(503, ready.error().detail + "\n");
    });
    http_.route("/metrics", [this](const HttpRequest&, const HttpReply& reply) {
      reply.send(200, "text/plain; version=0.0.4; charset=utf-8", registry_.render());
    });
  }

  Lifecycle::Events events() {
    return {[this] { serving(); }, [this](const Error& error) { fail(error.detail); },
            [this] {
              MARTLET_LOG(info, "service_stopped");
              end(0);
            },
            [this](const std::string& why) {
              if (!common_.ready_file.empty()) remove_ready_file(common_.ready_file);
              exit_now(why);
            }};
  }

  void serving() {
    const std::string listen = application_->listen_address();
    MARTLET_LOG(info, "service_serving http={} listen={}", context_.http_address, listen);
    if (common_.ready_file.empty()) return;
    const auto written = write_ready_file(
        common_.ready_file, {common_.name, ::getpid(), context_.http_address, listen});
    if (!written) fail(written.error().detail);
  }

  // A start that failed, or Context::fail: one line, and the loop ends after this turn.
  void fail(const std::string& line) { end(report(line)); }

  int report(const std::string& line) {
    if (!common_.log_file.empty()) MARTLET_LOG(error, "service_failed why=\"{}\"", line);
    return start_error(definition_, line);
  }

  void end(int exit_code) {
    exit_code_ = std::max(exit_code_, exit_code);
    if (!common_.ready_file.empty()) remove_ready_file(common_.ready_file);
    loop_.stop();
  }

  const Definition& definition_;
  const CommonOptions& common_;
  event::Loop loop_;
  metrics::Registry registry_;
  ShellMetrics metrics_;
  HttpServer http_;
  Context context_;
  int exit_code_ = 0;
  std::unique_ptr<Application> application_;
  std::optional<Lifecycle> lifecycle_;
  std::optional<event::SignalWatch> on_hup_;
  std::optional<event::SignalWatch> on_term_;
  std::optional<event::SignalWatch> on_int_;
};

bool has_argument(const config::Sources& sources, std::string_view argument) {
  const auto& all = sources.arguments;
  return std::find(all.begin(), all.end(), argument) != all.end();
}

int print_description(const Definition& definition, const config::Keys& keys) {
  event::Loop loop;
  metrics::Registry registry;
  const ShellMetrics shell(loop, registry, definition.name, [] { return false; });
  definition.declare_metrics(registry);
  Definition all = definition;
  for (Limit& limit : common_limits()) all.limits.push_back(std::move(limit));
  std::printf("%s\n", describe(all, keys, registry).c_str());
  return 0;
}

int print_help(const Definition& definition, const config::Keys& keys) {
  std::fputs(config::help("martlet-" + definition.name, keys).c_str(), stdout);
  std::printf(
      "  --check, --check=json\n      instead of serving: look whether all that it needs is there; "
      "1: something is not\n");
  for (const Command& command : definition.commands) {
    std::printf("  --%s %s\n      instead of serving: %s\n", command.flag.c_str(),
                command.argument.c_str(), command.text.c_str());
  }
  return 0;
}

// --help and its like, which do one thing and end; nothing: serve.
std::optional<int> run_command(const Definition& definition, const config::Sources& sources,
                               const config::Keys& keys) {
  if (has_argument(sources, "--help") || has_argument(sources, "-h")) {
    return print_help(definition, keys);
  }
  if (has_argument(sources, "--version")) {
    std::printf("martlet-%s %s\n", definition.name.c_str(), std::string(version()).c_str());
    return 0;
  }
  if (has_argument(sources, "--describe")) return print_description(definition, keys);
  for (const Command& command : definition.commands) {
    if (!has_argument(sources, "--" + command.flag)) continue;
    if (sources.arguments.size() != 2 || sources.arguments[0] != "--" + command.flag) {
      return start_error(definition, "usage: --" + command.flag + " " + command.argument);
    }
    const auto done = command.run(sources.arguments[1]);
    return done ? 0 : start_error(definition, done.error().detail);
  }
  return std::nullopt;
}

// True: it was among the arguments; now it is not.
bool take_argument(config::Sources& sources, std::string_view argument) {
  return std::erase(sources.arguments, argument) > 0;
}

enum class Form { kText, kJson };

// A configuration that is refused is the only finding: the rest would be about another one.
int check(const Definition& definition, CommonOptions& common, config::Keys& keys,
          const config::Sources& sources, Form form) {
  base::start_logging({definition.name, "error", ""});
  Findings findings;
  if (const auto loaded = config::load(keys, sources); !loaded) {
    findings.push_back({"config", Verdict::kFail, loaded.error().detail,
                        "See docs/operations.md, or --help, for what is allowed."});
  } else {
    if (common.name.empty()) common.name = definition.name;
    findings.push_back({"config", Verdict::kOk, "every key is known and good", ""});
    const auto append = [&](const Findings& more) {
      findings.insert(findings.end(), more.begin(), more.end());
    };
    append(check_secret_files(keys));
    append(definition.check(common));
  }
  std::fputs((form == Form::kJson ? findings_json(findings) : findings_text(findings)).c_str(),
             stdout);
  return exit_code(findings);
}

int serve(const Definition& definition, const CommonOptions& common, const config::Keys& keys) {
  if (!base::start_logging({common.name, common.log_level, common.log_file})) {
    return start_error(definition, "log.file '" + common.log_file + "' can't be opened");
  }
  MARTLET_LOG(info, "service_starting service={} version={} pid={} open_files={}", definition.name,
              version(), ::getpid(), raise_open_files(kWantedOpenFiles));
  MARTLET_LOG(info, "configuration {}", config::effective(keys));
  // One that an earlier process left behind would speak of it.
  if (!common.ready_file.empty()) remove_ready_file(common.ready_file);
  Shell shell(definition, common);
  return shell.run();
}

}  // namespace

std::vector<Limit> common_limits() {
  return {
      {"kWantedOpenFiles", kWantedOpenFiles, "files",
       "the soft limit of open files is raised to this, if the hard limit allows it"},
      {"kMaxHttpConnections", kMaxHttpConnections, "connections",
       "to the HTTP endpoint; more wait in the kernel's queue"},
      {"kMaxHttpHeaderBytes", kMaxHttpHeaderBytes, "bytes", "of one HTTP request"},
      {"kMaxHttpBodyBytes", kMaxHttpBodyBytes, "bytes", "of one HTTP request"},
      {"kMaxHttpUnsentBytes", kMaxHttpUnsentBytes, "bytes",
       "wait for who listens to a stream; then its connection is closed"},
      {"kHttpIdleMs", kHttpIdleMs, "ms", "an HTTP connection without a byte is closed"},
      {"kHttpConnectionAgeMs", kHttpConnectionAgeMs, "ms",
       "an HTTP connection is closed, whatever it does"},
      {"kExitTimeoutS", kExitTimeoutS, "s", "for threads to end after the loop has"},
      {"kKeptFreeBytes", kKeptFreeBytes, "bytes",
       "of freed memory stay in the process; what is above goes back to the kernel"},
      {"kOwnMappingBytes", kOwnMappingBytes, "bytes",
       "and more in one piece is taken from the kernel, and goes back when it is freed"},
  };
}

int run(int argc, char** argv, const Definition& definition) {
  keep_freed_memory();
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGALRM, on_exit_timeout);
  CommonOptions common;
  config::Keys keys;
  declare(keys, common);
  definition.declare_keys(keys);
  config::Sources sources = config::process_sources(argc, argv);
  if (const auto done = run_command(definition, sources, keys)) return *done;
  const bool wants_json = take_argument(sources, "--check=json");
  if (take_argument(sources, "--check") || wants_json) {
    return check(definition, common, keys, sources, wants_json ? Form::kJson : Form::kText);
  }
  const auto loaded = config::load(keys, sources);
  if (!loaded) return start_error(definition, loaded.error().detail);
  if (common.name.empty()) common.name = definition.name;
  return serve(definition, common, keys);
}

}  // namespace martlet::service
