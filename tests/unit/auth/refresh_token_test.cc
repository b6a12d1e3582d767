#include "auth/refresh_token.h"

#include <gtest/gtest.h>

namespace martlet::auth {
namespace {

TEST(RefreshToken, HasAPrefixAnd32RandomBytes) {
  SeededRandom random(1);
  const std::string token = make_refresh_token(random);
  EXPECT_EQ(token.rfind("mr1_", 0), 0U);
  EXPECT_EQ(token.size(), 4U + 43U);
  EXPECT_NE(token, make_refresh_token(random));
}

TEST(RefreshToken, HashIsSha256OfTheText) {
  const std::string token = "mr1_" + std::string(43, 'A');
  const auto hash = hash_refresh_token(token);
  ASSERT_TRUE(hash);
  EXPECT_EQ(base::to_hex(*hash),
            "ec50427d8eee79147170696bac6f42c031f04539663d4d6919c6765e7a5010c5");
}

TEST(RefreshToken, AnotherFormIsInvalid) {
  const std::string good = "mr1_" + std::string(43, 'A');
  for (const std::string& bad :
       {std::string(), std::string("mr1_"), good.substr(0, 46), good + "A", good + "=",
        "mr2_" + good.substr(4), good.substr(4), "mr1_" + std::string(42, 'A') + "B",
        "mr1_" + std::string(100'000, 'A')}) {
    const auto hash = hash_refresh_token(bad);
    ASSERT_FALSE(hash) << bad.substr(0, 60);
    EXPECT_EQ(hash.error().code, ErrorCode::kTokenInvalid);
  }
}

}  // namespace
}  // namespace martlet::auth
