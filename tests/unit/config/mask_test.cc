#include "config/mask.h"

#include <gtest/gtest.h>

namespace martlet::config {
namespace {

TEST(MaskUrl, LeavesAUrlWithoutLoginAsItIs) {
  EXPECT_EQ(mask_url("nats://127.0.0.1:4222"), "nats://127.0.0.1:4222");
}

TEST(MaskUrl, HidesThePasswordAndKeepsTheUser) {
  EXPECT_EQ(mask_url("nats://bob:secret@host:4222"), "nats://bob:***@host:4222");
  EXPECT_EQ(mask_url("redis://:secret@host:6379/0"), "redis://:***@host:6379/0");
}

TEST(MaskUrl, HidesATokenWithoutColon) {
  EXPECT_EQ(mask_url("nats://token@host"), "nats://***@host");
}

TEST(MaskUrl, HidesAPasswordWithAtSignsAndCommas) {
  EXPECT_EQ(mask_url("nats://bob:a@b,c@host"), "nats://bob:***@host");
}

TEST(MaskUrl, HidesThePasswordsOfAList) {
  EXPECT_EQ(mask_url("nats://a:x@one,nats://b:y@two"), "nats://a:***@one,nats://b:***@two");
}

TEST(MaskUrl, HidesPasswordsInTheQuery) {
  EXPECT_EQ(mask_url("postgresql://host/db?password=x&sslmode=off"),
            "postgresql://host/db?password=***&sslmode=off");
}

TEST(MaskUrl, HidesKeywordStringsWithAPasswordAltogether) {
  EXPECT_EQ(mask_url("host=a password='b c'"), "***");
}

TEST(MaskUrl, HidesALoginWithoutAScheme) {
  EXPECT_EQ(mask_url("bob:secret@host:4222"), "bob:***@host:4222");
}

}  // namespace
}  // namespace martlet::config
