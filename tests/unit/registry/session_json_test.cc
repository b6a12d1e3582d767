#include "registry/session_json.h"

#include <gtest/gtest.h>

namespace martlet::registry {
namespace {

const SessionRecord kRecord{.user = UserId::trusted("ann"),
                            .device = DeviceId::trusted("phone"),
                            .session = {0x0123456789abcdef, 0xfedcba9876543210},
                            .edge = EdgeId::trusted("e1"),
                            .address = "127.0.0.1:7000",
                            .since_ms = 17};

TEST(SessionJson, ComesBackAsItWas) {
  EXPECT_EQ(from_json(kRecord.user, "phone", to_json(kRecord, 1000), 999), kRecord);
}

TEST(SessionJson, HasRunOutAtItsMillisecond) {
  EXPECT_FALSE(from_json(kRecord.user, "phone", to_json(kRecord, 1000), 1000));
}

TEST(SessionJson, HoldsTheSessionAsTextThatRemovalLooksFor) {
  EXPECT_NE(to_json(kRecord, 1000).find(to_string(kRecord.session)), std::string::npos);
}

TEST(SessionJson, WhatSomebodyElseWroteIsLeftOut) {
  for (const char* text :
       {"", "{", "[]", "17", "{}", R"({"expires_ms":9999})",
        R"({"expires_ms":"9999","session":"00","edge":"e"})",
        R"({"expires_ms":9999,"session":"0123456789abcdeffedcba987654321g","edge":"e"})",
        R"({"expires_ms":9999,"session":"0123456789abcdeffedcba9876543210","edge":"a.b"})"}) {
    EXPECT_FALSE(from_json(kRecord.user, "phone", text, 1)) << text;
  }
  EXPECT_FALSE(from_json(kRecord.user, "no device", to_json(kRecord, 1000), 1));
}

}  // namespace
}  // namespace martlet::registry
