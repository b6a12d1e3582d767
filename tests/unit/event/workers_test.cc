#include "event/workers.h"

#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <optional>
#include <thread>

namespace martlet::event {
namespace {

// Says on which thread it ended.
struct Held {
  explicit Held(std::optional<std::thread::id>& out) : ended_on(out) {}
  ~Held() { ended_on = std::this_thread::get_id(); }
  Held(const Held&) = delete;
  Held& operator=(const Held&) = delete;
  std::optional<std::thread::id>& ended_on;
};

class WorkersTest : public testing::Test {
 protected:
  std::unique_ptr<Workers> make(std::size_t threads) {
    return std::make_unique<Workers>(loop_, threads, [this]() -> Workers::Job {
      if (jobs_.empty()) return {};
      Workers::Job job = std::move(jobs_.front());
      jobs_.pop_front();
      return job;
    });
  }
  void add(Workers& workers, Workers::Job job) {
    workers.locked([&] { jobs_.push_back(std::move(job)); });
    workers.wake();
  }

  Loop loop_;
  std::deque<Workers::Job> jobs_;
};

TEST_F(WorkersTest, AJobRunsOnAThreadAndItsResultOnTheLoop) {
  const auto workers = make(1);
  std::optional<std::thread::id> worked_on;
  std::optional<std::thread::id> answered_on;
  add(*workers, [&](std::size_t thread) {
    EXPECT_EQ(thread, 0U);
    worked_on = std::this_thread::get_id();
    workers->post([&] {
      answered_on = std::this_thread::get_id();
      loop_.stop();
    });
  });
  loop_.run();
  EXPECT_EQ(answered_on, std::this_thread::get_id());
  EXPECT_NE(worked_on, std::this_thread::get_id());
}

TEST_F(WorkersTest, WhatAJobHoldsEndsOnTheLoop) {
  const auto workers = make(1);
  std::optional<std::thread::id> ended_on;
  add(*workers, [held = std::make_shared<Held>(ended_on)](std::size_t) {});
  while (!ended_on) {
    workers->post([this] { loop_.stop(); });
    loop_.run();
  }
  EXPECT_EQ(ended_on, std::this_thread::get_id());
}

TEST_F(WorkersTest, WhatWasPostedEndsWithTheWorkersAndIsNotRun) {
  auto workers = make(1);
  std::optional<std::thread::id> ended_on;
  bool ran = false;
  workers->post([&ran, held = std::make_shared<Held>(ended_on)] { ran = true; });
  workers.reset();
  EXPECT_EQ(ended_on, std::this_thread::get_id()) << "and does not stay with the loop";
  loop_.post([this] { loop_.stop(); });
  loop_.run();
  EXPECT_FALSE(ran);
}

TEST_F(WorkersTest, APostedTaskMayEndTheWorkers) {
  auto workers = make(1);
  bool ran = false;
  workers->post([&] { workers.reset(); });
  workers->post([&] { ran = true; });
  loop_.post([this] { loop_.stop(); });
  loop_.run();
  EXPECT_EQ(workers, nullptr);
  EXPECT_FALSE(ran);
}

}  // namespace
}  // namespace martlet::event
