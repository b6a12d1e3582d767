#include "event/loop.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace martlet::event {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(Loop, PostedTasksRunInOrder) {
  Loop loop;
  std::string trace;
  loop.post([&] { trace += 'a'; });
  loop.post([&] { trace += 'b'; });
  loop.post([&] { loop.stop(); });
  loop.run();
  EXPECT_EQ(trace, "ab");
}

TEST(Loop, TaskPostedByATaskRunsLater) {
  Loop loop;
  std::string trace;
  loop.post([&] {
    loop.post([&] {
      trace += 'c';
      loop.stop();
    });
    trace += 'a';
  });
  loop.post([&] { trace += 'b'; });
  loop.run();
  EXPECT_EQ(trace, "abc");
}

TEST(Loop, TasksOfOtherThreadsRunInsideInTheirOrder) {
  Loop loop;
  constexpr int kThreads = 4;
  constexpr int kTasks = 2000;
  std::vector<std::vector<int>> seen(kThreads);
  int left = kThreads * kTasks;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kTasks; ++i) {
        loop.post([&, t, i] {
          EXPECT_TRUE(loop.is_inside());
          seen[static_cast<std::size_t>(t)].push_back(i);
          if (--left == 0) loop.stop();
        });
      }
    });
  }
  loop.run();
  for (std::thread& thread : threads) thread.join();
  for (const auto& tasks : seen) {
    ASSERT_EQ(tasks.size(), static_cast<std::size_t>(kTasks));
    EXPECT_TRUE(std::is_sorted(tasks.begin(), tasks.end()));
  }
}

TEST(Loop, OtherThreadsAreOutside) {
  Loop loop;
  std::atomic<bool> other_was_inside{true};
  loop.post([&] {
    EXPECT_TRUE(loop.is_inside());
    std::thread([&] { other_was_inside = loop.is_inside(); }).join();
    loop.stop();
  });
  loop.run();
  EXPECT_FALSE(other_was_inside);
}

TEST(Loop, MayRunAgainAfterStop) {
  Loop loop;
  int runs = 0;
  for (int i = 0; i < 3; ++i) {
    loop.post([&] {
      ++runs;
      loop.stop();
    });
    loop.run();
  }
  EXPECT_EQ(runs, 3);
}

TEST(Loop, TurnEndComesOnceAfterAllThatIsReady) {
  Loop loop;
  std::string trace;
  loop.post([&] {
    loop.at_turn_end([&] { trace += '1'; });
    trace += 'a';
  });
  loop.post([&] {
    loop.at_turn_end([&] {
      trace += '2';
      loop.stop();
    });
    trace += 'b';
  });
  loop.run();
  EXPECT_EQ(trace, "ab12");
}

TEST(Loop, TurnEndMayAskForAnother) {
  Loop loop;
  int ends = 0;
  std::function<void()> again = [&] {
    if (++ends < 3) {
      loop.at_turn_end(again);
    } else {
      loop.stop();
    }
  };
  loop.post([&] { loop.at_turn_end(again); });
  loop.run();
  EXPECT_EQ(ends, 3);
}

TEST(Loop, DeferredObjectLivesUntilTheTurnEnds) {
  struct Noisy {
    std::string& trace;
    ~Noisy() { trace += 'd'; }
  };
  Loop loop;
  std::string trace;
  loop.post([&] {
    loop.defer_delete(std::unique_ptr<Noisy>(new Noisy{trace}));
    trace += 'a';
  });
  loop.post([&] {
    trace += 'b';
    loop.stop();
  });
  loop.run();
  EXPECT_EQ(trace, "abd");
}

TEST(Loop, TasksThatNeverRanAreDestroyedWithIt) {
  auto kept = std::make_shared<int>(1);
  {
    Loop loop;
    loop.post([kept] {});
    loop.at_turn_end([kept] {});
    EXPECT_EQ(kept.use_count(), 3);
  }
  EXPECT_EQ(kept.use_count(), 1);
}

TEST(Loop, ClockIsThatOfTheSystem) {
  Loop loop;
  const LoopClock clock(loop);
  const SystemClock system;
  const auto before = system.now();
  EXPECT_GE(clock.now(), before);
  EXPECT_NEAR(static_cast<double>(clock.wall_ms()), static_cast<double>(system.wall_ms()), 5000);
}

TEST(Timer, OnceFiresOnce) {
  Loop loop;
  int fired = 0;
  Timer once(loop, [&] { ++fired; });
  Timer end(loop, [&] { loop.stop(); });
  once.start_once(milliseconds(1));
  EXPECT_TRUE(once.is_scheduled());
  end.start_once(milliseconds(30));
  loop.run();
  EXPECT_EQ(fired, 1);
  EXPECT_FALSE(once.is_scheduled());
}

TEST(Timer, NotBeforeItsTime) {
  Loop loop;
  const auto started = loop.now();
  Timer timer(loop, [&] { loop.stop(); });
  timer.start_once(milliseconds(20));
  loop.run();
  EXPECT_GE(loop.now() - started, milliseconds(20));
}

TEST(Timer, EveryRepeatsUntilCancelled) {
  Loop loop;
  int fired = 0;
  Timer timer(loop, [&] {
    if (++fired < 3) return;
    timer.cancel();
    loop.stop();
  });
  timer.start_every(milliseconds(1));
  loop.run();
  EXPECT_EQ(fired, 3);
  EXPECT_FALSE(timer.is_scheduled());
}

TEST(Timer, NewStartReplacesTheOld) {
  Loop loop;
  int fired = 0;
  Timer timer(loop, [&] { ++fired; });
  Timer end(loop, [&] { loop.stop(); });
  timer.start_every(milliseconds(1));
  timer.start_once(milliseconds(2));
  end.start_once(milliseconds(40));
  loop.run();
  EXPECT_EQ(fired, 1);
}

TEST(Timer, MayStartAgainInItsCallback) {
  Loop loop;
  int fired = 0;
  Timer timer(loop, [&] {
    if (++fired == 3) return loop.stop();
    timer.start_once(milliseconds(1));
  });
  timer.start_once(Duration(0));
  loop.run();
  EXPECT_EQ(fired, 3);
}

TEST(Timer, MayBeDestroyedInItsCallback) {
  Loop loop;
  auto timer = std::make_unique<Timer>(loop, [] {});
  timer = std::make_unique<Timer>(loop, [&] {
    timer.reset();
    loop.stop();
  });
  timer->start_every(milliseconds(1));
  loop.run();
  EXPECT_EQ(timer, nullptr);
}

TEST(Timer, DestroyedOneNeverFires) {
  Loop loop;
  bool fired = false;
  {
    Timer timer(loop, [&] { fired = true; });
    timer.start_once(Duration(0));
  }
  Timer end(loop, [&] { loop.stop(); });
  end.start_once(milliseconds(5));
  loop.run();
  EXPECT_FALSE(fired);
}

TEST(Timer, NegativeDelayFiresAtOnce) {
  Loop loop;
  Timer timer(loop, [&] { loop.stop(); });
  timer.start_once(-seconds(1));
  loop.run();
}

}  // namespace
}  // namespace martlet::event
