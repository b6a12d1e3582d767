#include "service/run.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/log.h"

// Each test lets run() end a child process, and looks at its exit code and standard error.
namespace martlet::service {
namespace {

struct Behaviour {
  Result<void> start;
  bool signal_at_start = true;
  bool finish_phase_one = true;
  bool second_signal = false;
  bool fail_while_serving = false;
  bool undeclared_metric = false;
  bool signal_at_create = false;
};

void say(const char* word) {
  std::fprintf(stderr, "[%s]", word);
}

class TestApplication final : public Application {
 public:
  TestApplication(Context& context, Behaviour behaviour)
      : context_(context), behaviour_(std::move(behaviour)) {
    context.registry.gauge({"test_gauge", "none", "A gauge."});
    if (behaviour_.undeclared_metric) context.registry.gauge({"secret_gauge", "none", "Another."});
  }
  ~TestApplication() override { say("gone"); }

  void start(Started on_started) override {
    say("start");
    on_started(behaviour_.start);
    if (behaviour_.fail_while_serving) context_.fail("broken beyond repair");
    if (behaviour_.signal_at_start) ::raise(SIGTERM);
  }
  Result<void> ready() const override { return {}; }
  std::string listen_address() const override { return "127.0.0.1:7"; }
  void stop_phase_one(Done on_done) override {
    say("one");
    if (behaviour_.second_signal) ::raise(SIGINT);
    if (behaviour_.finish_phase_one) on_done();
  }
  void stop_phase_two(Done on_done) override {
    say("two");
    on_done();
  }

 private:
  Context& context_;
  Behaviour behaviour_;
};

Definition definition_of(const Behaviour& behaviour) {
  Definition definition;
  definition.name = "test";
  definition.declare_keys = [](config::Keys& keys) {
    static std::uint32_t depth = 5;
    keys.integer("test.depth", &depth, {1, 9, "frames"}, "How deep.");
  };
  definition.declare_metrics = [](metrics::Registry& registry) {
    registry.gauge({"test_gauge", "none", "A gauge."});
  };
  definition.create = [behaviour](Context& context) -> Result<std::unique_ptr<Application>> {
    if (behaviour.signal_at_create) ::raise(SIGTERM);
    return std::make_unique<TestApplication>(context, behaviour);
  };
  definition.limits = {{"kDepth", 9, "frames", "How deep at most."}};
  definition.commands = {{"greet", "NAME", "greets", [](const std::string& name) -> Result<void> {
                            if (name == "nobody") return fail(ErrorCode::kBadContent, "who?");
                            std::fprintf(stderr, "hello %s\n", name.c_str());
                            return {};
                          }}};
  return definition;
}

[[noreturn]] void run_and_exit(const Behaviour& behaviour, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "martlet-test");
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  std::exit(run(static_cast<int>(argv.size()), argv.data(), definition_of(behaviour)));
}

TEST(Run, SigtermStopsInTwoPhasesWithCodeZero) {
  EXPECT_EXIT(run_and_exit({}, {}), testing::ExitedWithCode(0),
              "service_serving.*\n?.*\\[one\\]\\[two\\](.|\n)*service_stopped(.|\n)*\\[gone\\]");
}

TEST(Run, SigtermWhileItIsBeingCreatedEndsItAtOnce) {
  Behaviour behaviour;
  behaviour.signal_at_create = true;
  EXPECT_EXIT(run_and_exit(behaviour, {}), testing::KilledBySignal(SIGTERM), "");
}

TEST(Run, AStartThatFailsIsOneLineAndCodeOne) {
  Behaviour behaviour;
  behaviour.start = fail(ErrorCode::kUnavailable, "no broker at nats://x after 30 s");
  behaviour.signal_at_start = false;
  EXPECT_EXIT(run_and_exit(behaviour, {"--log.level=error"}), testing::ExitedWithCode(1),
              "^\\[start\\]martlet-test: no broker at nats://x after 30 s\n\\[gone\\]$");
}

TEST(Run, AStopThatTakesTooLongEndsWithCodeOne) {
  Behaviour behaviour;
  behaviour.finish_phase_one = false;
  EXPECT_EXIT(run_and_exit(behaviour, {"--stop_timeout_ms=100"}), testing::ExitedWithCode(1),
              "service_gave_up why=\"the stop took longer than its deadline");
}

TEST(Run, ASecondSignalEndsAtOnceWithCodeOne) {
  Behaviour behaviour;
  behaviour.finish_phase_one = false;
  behaviour.second_signal = true;
  EXPECT_EXIT(run_and_exit(behaviour, {}), testing::ExitedWithCode(1),
              "service_gave_up why=\"told to stop again: SIGINT");
}

TEST(Run, TheApplicationMayEndTheProcess) {
  Behaviour behaviour;
  behaviour.fail_while_serving = true;
  behaviour.signal_at_start = false;
  EXPECT_EXIT(run_and_exit(behaviour, {}), testing::ExitedWithCode(1),
              "martlet-test: broken beyond repair");
}

TEST(Run, ABadValueIsOneLineAndCodeOne) {
  EXPECT_EXIT(
      run_and_exit({}, {"--test.depth=10"}), testing::ExitedWithCode(1),
      "^martlet-test: key 'test.depth' = '10' \\(--test.depth\\): must be 1 to 9 frames\n$");
}

TEST(Run, AnHttpPortThatIsTakenIsNamed) {
  event::Loop loop;
  HttpServer server(loop);
  const auto bound = server.listen({"127.0.0.1", 0});
  ASSERT_TRUE(bound);
  EXPECT_EXIT(run_and_exit({}, {"--http.listen=" + config::to_string(*bound)}),
              testing::ExitedWithCode(1),
              "martlet-test: http.listen: can't listen on 127.0.0.1:.*: Address already in use");
}

TEST(Run, ALogFileThatCannotBeOpenedIsNamed) {
  EXPECT_EXIT(run_and_exit({}, {"--log.file=/dev/null/log"}), testing::ExitedWithCode(1),
              "^martlet-test: log.file '/dev/null/log' can't be opened\n$");
}

TEST(Run, AMetricThatIsNotDeclaredIsABug) {
  Behaviour behaviour;
  behaviour.undeclared_metric = true;
  EXPECT_EXIT(run_and_exit(behaviour, {}), testing::ExitedWithCode(1), "metric secret_gauge");
}

TEST(Run, TheReadyFileIsThereWhileServingOnly) {
  const std::string path = testing::TempDir() + "/martlet_run_ready";
  std::ofstream(path) << "stale";
  EXPECT_EXIT(run_and_exit({}, {"--ready_file=" + path}), testing::ExitedWithCode(0), "");
  EXPECT_NE(::access(path.c_str(), F_OK), 0);
}

TEST(Run, SecretsAreMaskedInTheLog) {
  EXPECT_EXIT(run_and_exit({}, {"--nats.url=nats://u:hunter2@h:1"}), testing::ExitedWithCode(0),
              "nats.url=nats://u:\\*\\*\\*@h:1");
}

TEST(Run, ACommandRunsInsteadOfTheService) {
  EXPECT_EXIT(run_and_exit({}, {"--greet", "bob"}), testing::ExitedWithCode(0), "^hello bob\n$");
  EXPECT_EXIT(run_and_exit({}, {"--greet", "nobody"}), testing::ExitedWithCode(1),
              "^martlet-test: who\\?\n$");
  EXPECT_EXIT(run_and_exit({}, {"--greet"}), testing::ExitedWithCode(1),
              "^martlet-test: usage: --greet NAME\n$");
}

TEST(Run, DescribeTellsKeysMetricsLimitsAndErrors) {
  char name[] = "martlet-test";
  char flag[] = "--describe";
  char* argv[] = {name, flag};
  testing::internal::CaptureStdout();
  EXPECT_EQ(run(2, argv, definition_of({})), 0);
  const auto json = nlohmann::json::parse(testing::internal::GetCapturedStdout());
  const auto has = [&](const char* table, const std::string& wanted) {
    for (const auto& row : json.at(table)) {
      if (row.at("name") == wanted) return true;
    }
    return false;
  };
  EXPECT_EQ(json.at("service"), "test");
  EXPECT_TRUE(has("keys", "test.depth"));
  EXPECT_TRUE(has("keys", "nats.url"));
  EXPECT_TRUE(has("metrics", "test_gauge"));
  EXPECT_TRUE(has("metrics", "martlet_loop_lag_seconds"));
  EXPECT_TRUE(has("limits", "kDepth"));
  EXPECT_TRUE(has("limits", "kMaxHttpConnections"));
  EXPECT_TRUE(has("errors", "LOG_FULL"));
}

}  // namespace
}  // namespace martlet::service
