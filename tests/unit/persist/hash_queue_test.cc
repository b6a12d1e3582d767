#include "persist/hash_queue.h"

#include <gtest/gtest.h>

#include <string>

namespace martlet::persist {
namespace {

using namespace std::chrono_literals;

class HashQueueTest : public testing::Test {
 protected:
  bool push(const std::string& name, Duration wanted_for = 10s) {
    HashQueue::Job job{[this, name] { trace_ += name; },
                       [this, name] { trace_ += "late:" + name; }};
    return queue_.push(std::move(job), now_ + wanted_for, now_);
  }
  // Starts the next job, if there is one, and ends it `took` later.
  bool run_one(Duration took = 0s) {
    const auto job = queue_.pop(now_);
    if (!job) return false;
    job->work();
    now_ += took;
    queue_.finished(took);
    return true;
  }
  void tell_late() {
    for (const HashQueue::Job& job : queue_.take_late(now_)) job.too_late();
  }

  MonotonicTime now_{1h};
  HashQueue queue_{{.max_jobs = 3, .threads = 2, .max_wait = 5s}};
  std::string trace_;
};

TEST_F(HashQueueTest, FirstComeFirstServed) {
  EXPECT_TRUE(push("a"));
  EXPECT_TRUE(push("b"));
  while (run_one()) {
  }
  EXPECT_EQ(trace_, "ab");
}

TEST_F(HashQueueTest, AFullQueueTakesNoMore) {
  EXPECT_TRUE(push("a"));
  EXPECT_TRUE(push("b"));
  EXPECT_TRUE(push("c"));
  EXPECT_FALSE(push("d"));
  EXPECT_TRUE(run_one());
  EXPECT_TRUE(push("e"));
}

TEST_F(HashQueueTest, AJobThatWaitedTooLongIsNeverStarted) {
  push("a");
  now_ += 4s;
  push("b");
  now_ += 1s;
  EXPECT_TRUE(run_one());
  EXPECT_FALSE(run_one());
  EXPECT_EQ(trace_, "b");
  tell_late();
  EXPECT_EQ(trace_, "blate:a");
  tell_late();
  EXPECT_EQ(trace_, "blate:a") << "each once";
}

TEST_F(HashQueueTest, AJobThatWouldEndAfterItsAskerLeftIsNeverStarted) {
  push("usual", 10s);
  ASSERT_TRUE(run_one(2s));  // from now on a hash takes longer than 200 ms, as far as one can tell
  push("hurried", 200ms);
  push("patient", 10s);
  EXPECT_TRUE(run_one());
  EXPECT_FALSE(run_one());
  EXPECT_EQ(trace_, "usualpatient");
}

TEST_F(HashQueueTest, LateJobsMakeRoomForNewOnes) {
  for (const char* name : {"a", "b", "c"}) push(name);
  now_ += 5s;
  EXPECT_TRUE(push("d"));
  EXPECT_TRUE(run_one());
  tell_late();
  EXPECT_EQ(trace_, "dlate:alate:blate:c");
}

TEST_F(HashQueueTest, TheExpectedWaitGrowsWithTheQueueAndWithWhatAHashTakes) {
  const Duration empty = queue_.expected_wait();
  EXPECT_EQ(empty, 0s);
  push("a");
  push("b");
  const Duration two = queue_.expected_wait();
  EXPECT_GT(two, empty);
  run_one(3s);
  push("c");
  EXPECT_GT(queue_.expected_wait(), two);
}

// However many come and whatever a hash takes, nothing is hashed that nobody waits for.
TEST_F(HashQueueTest, AStormHashesOnlyWhatIsWaitedFor) {
  HashQueue queue({.max_jobs = 64, .threads = 1, .max_wait = 5s});
  constexpr Duration kHash = 700ms;
  int refused = 0;
  int useful = 0;
  int useless = 0;
  int dropped = 0;
  MonotonicTime start_of_work{};
  for (int i = 0; i < 100; ++i) {
    const MonotonicTime wanted_until = now_ + 10s;
    HashQueue::Job job{
        [&, wanted_until] { ++(start_of_work + kHash < wanted_until ? useful : useless); },
        [&] { ++dropped; }};
    refused += queue.push(std::move(job), wanted_until, now_) ? 0 : 1;
  }
  for (; queue.size() > 0; now_ += kHash) {
    const auto job = queue.pop(now_);
    if (!job) break;
    start_of_work = now_;
    job->work();
    queue.finished(kHash);
  }
  for (const HashQueue::Job& job : queue.take_late(now_)) job.too_late();
  EXPECT_EQ(refused, 36);
  EXPECT_EQ(useless, 0);
  EXPECT_EQ(useful, 8) << "as many as one thread starts in 5 s";
  EXPECT_EQ(dropped, 64 - useful);
}

}  // namespace
}  // namespace martlet::persist
