// In a build with a sanitizer: it finds what it is there to find, and says so the way in which
// scripts/martlet_test/sanitizers.py expects it. The bugs are in processes of their own.
#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <memory>
#include <thread>

extern "C" void __sanitizer_set_report_path(const char* path);

namespace martlet {
namespace {

// What scripts/martlet_test/sanitizers.py asks for.
constexpr int kExitCode = 86;

// Hides from the compiler what it would warn of or take for granted.
template <class T>
T hidden(T value) {
  volatile T copy = value;
  return copy;
}

// The report belongs to the test and is no complaint about it.
void expect_report(void (*bug)(), const char* report) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  const auto run = [bug] {
    __sanitizer_set_report_path("stderr");
    bug();
    std::exit(0);
  };
  EXPECT_EXIT(run(), testing::ExitedWithCode(kExitCode), report);
}

#if MARTLET_SANITIZE_THREAD

TEST(Sanitizers, FindARace) {
  expect_report(
      [] {
        int shared = 0;
        std::thread other([&shared] { ++shared; });
        ++shared;
        other.join();
      },
      "data race");
}

#else

TEST(Sanitizers, FindAUseAfterFree) {
  expect_report(
      [] {
        auto number = std::make_unique<int>(1);
        int* const gone = number.get();
        number.reset();
        *hidden(gone) = 2;
      },
      "heap-use-after-free");
}

TEST(Sanitizers, FindALeak) {
  expect_report([] { hidden(new int(1)); }, "detected memory leaks");
}

TEST(Sanitizers, FindAnOverflow) {
  expect_report([] { hidden(hidden(std::numeric_limits<int>::max()) + 1); },
                "signed integer overflow");
}

#endif

}  // namespace
}  // namespace martlet
