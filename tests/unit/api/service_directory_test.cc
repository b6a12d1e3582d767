#include "api/service_directory.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "api/limits.h"
#include "api/pages.h"

namespace martlet::api {
namespace {

using std::chrono::milliseconds;

wire::ServiceStatus status(const std::string& instance, const std::string& name = "edge-1") {
  wire::ServiceStatus status;
  status.kind = "edge";
  status.name = name;
  status.instance = instance;
  status.version = "1.0";
  status.ready = true;
  return status;
}

class Directory : public testing::Test {
 protected:
  bool hear(const wire::ServiceStatus& said) {
    return directory_.heard(said, wire::encode(said), {now_, 1'000});
  }

  ServiceDirectory directory_;
  MonotonicTime now_{std::chrono::hours(1)};
};

TEST_F(Directory, KeepsTheNewestOfEachProcess) {
  EXPECT_TRUE(hear(status("a")));
  auto later = status("a");
  later.ready = false;
  EXPECT_TRUE(hear(later));
  EXPECT_TRUE(hear(status("b", "edge-0")));
  const auto all = directory_.all(now_);
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].status.name, "edge-0");
  EXPECT_FALSE(all[1].status.ready);
  EXPECT_EQ(directory_.bytes(),
            wire::encode(later).size() + wire::encode(status("b", "edge-0")).size());
}

TEST_F(Directory, WhoFallsSilentIsGoneAndThenForgotten) {
  hear(status("a"));
  now_ += milliseconds(kStatusSilenceMs - 1);
  EXPECT_FALSE(directory_.all(now_).at(0).is_gone);
  now_ += milliseconds(1);
  EXPECT_TRUE(directory_.all(now_).at(0).is_gone);
  now_ += milliseconds(kStatusKeptMs - kStatusSilenceMs - 1);
  directory_.expire(now_);
  EXPECT_EQ(directory_.size(), 1U);
  now_ += milliseconds(1);
  directory_.expire(now_);
  EXPECT_EQ(directory_.size(), 0U);
  EXPECT_EQ(directory_.bytes(), 0U);
}

TEST_F(Directory, WhoStopsIsForgottenAtOnce) {
  hear(status("a"));
  auto last = status("a");
  last.stopped = true;
  EXPECT_TRUE(hear(last));
  EXPECT_EQ(directory_.size(), 0U);
  EXPECT_EQ(directory_.bytes(), 0U);
}

TEST_F(Directory, HasALimitOfProcesses) {
  for (std::size_t i = 0; i < kMaxServices; ++i) EXPECT_TRUE(hear(status(std::to_string(i))));
  EXPECT_FALSE(hear(status("one more")));
  EXPECT_TRUE(hear(status("7")));  // known
  EXPECT_EQ(directory_.size(), kMaxServices);
}

TEST_F(Directory, HasALimitOfBytes) {
  auto large = status("x");
  for (int i = 0; i < 4'000; ++i) large.values.push_back({"name" + std::to_string(i), {}, 1});
  std::size_t heard = 0;
  for (large.instance = "a"; hear(large); large.instance += "a") ++heard;
  EXPECT_GT(heard, 10U);
  EXPECT_LE(directory_.bytes(), kMaxStatusMemoryBytes);
  EXPECT_GT(directory_.bytes() + wire::encode(large).size(), kMaxStatusMemoryBytes);
}

TEST_F(Directory, ThePageHasValuesOfTheProcessAndOfItsShards) {
  auto said = status("a");
  said.values = {{"n", {}, 3}, {"half", {}, 0.5}, {"end", 7, 12}, {"end", 9, 13}, {"epoch", 7, 2}};
  hear(said);
  now_ += milliseconds(250);
  const auto page = nlohmann::json::parse(status_page(directory_.all(now_), 5'000, "why"));
  EXPECT_EQ(page.at("now_ms"), 5'000);
  EXPECT_EQ(page.at("trouble"), "why");
  const auto& one = page.at("services").at(0);
  EXPECT_EQ(one.at("silence_ms"), 250);
  EXPECT_EQ(one.at("heard_ms"), 1'000);
  EXPECT_EQ(one.at("values").dump(), R"({"half":0.5,"n":3})");
  EXPECT_EQ(one.at("shards").dump(),
            R"([{"shard":7,"values":{"end":12,"epoch":2}},{"shard":9,"values":{"end":13}}])");
}

}  // namespace
}  // namespace martlet::api
