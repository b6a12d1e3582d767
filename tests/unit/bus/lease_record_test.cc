#include "bus/lease_record.h"

#include <gtest/gtest.h>

namespace martlet::bus {
namespace {

TEST(LeaseRecord, SurvivesBeingWrittenAndRead) {
  const ShardRecord read =
      decode_record(encode_record({"d1", Epoch(7), LogPosition(9), LogPosition(11)}), 30);
  EXPECT_EQ(read.owner, "d1");
  EXPECT_EQ(read.epoch, Epoch(7));
  EXPECT_EQ(read.published, LogPosition(9));
  EXPECT_EQ(read.reached, LogPosition(11));
}

TEST(LeaseRecord, TheEpochOfTheWriteThatTookItIsItsRevision) {
  EXPECT_EQ(decode_record(encode_record({"d1", Epoch(), LogPosition(9)}), 30).epoch, Epoch(30));
}

TEST(LeaseRecord, WhatCannotBeReadHasNoOwner) {
  for (const char* text : {"", "x", "[]", R"({"owner":1})"}) {
    EXPECT_EQ(decode_record(text, 5).owner, "") << text;
  }
}

TEST(LeaseRecord, KeysAreToldApart) {
  EXPECT_EQ(member_of_beat_key("dispatch", beat_key("dispatch", "d1")), "d1");
  EXPECT_EQ(shard_of_key("persist", shard_key("persist", ShardId(12))), ShardId(12));
  EXPECT_FALSE(member_of_beat_key("persist", beat_key("dispatch", "d1")));
  EXPECT_FALSE(shard_of_key("dispatch", "dispatch.shard.x"));
  EXPECT_FALSE(shard_of_key("dispatch", "dispatch.shard.70000"));
  EXPECT_FALSE(shard_of_key("dispatch", "cluster"));
}

}  // namespace
}  // namespace martlet::bus
