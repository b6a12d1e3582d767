#include "wire/status.h"

#include <gtest/gtest.h>

#include <limits>

#include "wire/limits.h"

namespace martlet::wire {
namespace {

ServiceStatus full() {
  return {"dispatcher",
          "dispatcher-1",
          "0123456789abcdef",
          "1.2.3",
          1,
          16,
          1'000,
          2'000,
          false,
          "why",
          true,
          {{"a_total", std::nullopt, 1.5}, {"b", 0, -2}, {"b", 1'023, 3}}};
}

TEST(Status, ComesBackAsItWas) {
  const auto read = parse_service_status(encode(full()));
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->kind, "dispatcher");
  EXPECT_EQ(read->name, "dispatcher-1");
  EXPECT_EQ(read->instance, "0123456789abcdef");
  EXPECT_EQ(read->version, "1.2.3");
  EXPECT_EQ(read->protocol, 1);
  EXPECT_EQ(read->shards, 16);
  EXPECT_EQ(read->started_ms, 1'000U);
  EXPECT_EQ(read->now_ms, 2'000U);
  EXPECT_FALSE(read->ready);
  EXPECT_EQ(read->why, "why");
  EXPECT_TRUE(read->stopped);
  ASSERT_EQ(read->values.size(), 3U);
  EXPECT_FALSE(read->values[0].shard.has_value());
  EXPECT_EQ(read->values[2].shard, 1'023);
  EXPECT_EQ(read->values[1].value, -2);
}

TEST(Status, LeavesOutWhatIsTooMuchAndRefusesIt) {
  ServiceStatus status = full();
  status.values.assign(kMaxStatusValues + 1, {"n", 3, 1});
  const Bytes most = encode(status);
  EXPECT_EQ(parse_service_status(most)->values.size(), kMaxStatusValues);
  EXPECT_LE(most.size(), kMaxStatusBytes);
  EXPECT_FALSE(parse_service_status(most + Bytes(kMaxStatusBytes, '\0')).has_value());
}

TEST(Status, RefusesWhatOneOfOursWouldNotSay) {
  EXPECT_FALSE(parse_service_status("nonsense").has_value());
  ServiceStatus status = full();
  status.values[0].value = std::numeric_limits<double>::infinity();
  EXPECT_FALSE(parse_service_status(encode(status)).has_value());
  status = full();
  status.instance.clear();
  EXPECT_FALSE(parse_service_status(encode(status)).has_value());
  status = full();
  status.version = std::string(kMaxLabelBytes + 1, 'v');
  EXPECT_FALSE(parse_service_status(encode(status)).has_value());
}

}  // namespace
}  // namespace martlet::wire
