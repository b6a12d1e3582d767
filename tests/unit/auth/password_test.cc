#include "auth/password.h"

#include <gtest/gtest.h>

#include "model/limits.h"

namespace martlet::auth {
namespace {

// Cheap enough for tests.
constexpr PasswordCost kCheap{kMinPasswordOperations, kMinPasswordMemoryBytes};

TEST(Password, IsKnownAgain) {
  const auto hash = hash_password("correct horse", kCheap);
  ASSERT_TRUE(hash);
  EXPECT_TRUE(is_password(*hash, "correct horse"));
  EXPECT_FALSE(is_password(*hash, "correct horsf"));
}

TEST(Password, TheSameOneHasAnotherHashEachTime) {
  EXPECT_NE(*hash_password("correct horse", kCheap), *hash_password("correct horse", kCheap));
}

TEST(Password, IsHashedWithArgon2id) {
  EXPECT_EQ(hash_password("correct horse", kCheap)->rfind("$argon2id$", 0), 0U);
}

TEST(Password, MayHoldAnyBytes) {
  const std::string password("\0\xFF 8 bytes", 10);
  const auto hash = hash_password(password, kCheap);
  EXPECT_TRUE(is_password(*hash, password));
  EXPECT_FALSE(is_password(*hash, std::string("\0\xFE 8 bytes", 10)));
}

TEST(Password, IsBoundedInLength) {
  EXPECT_TRUE(hash_password(std::string(kMinPasswordBytes, 'x'), kCheap));
  EXPECT_TRUE(hash_password(std::string(kMaxPasswordBytes, 'x'), kCheap));
  const auto is_bad = [](std::size_t size) {
    const auto hash = hash_password(std::string(size, 'x'), kCheap);
    return !hash && hash.error().code == ErrorCode::kBadPassword;
  };
  EXPECT_TRUE(is_bad(kMinPasswordBytes - 1));
  EXPECT_TRUE(is_bad(kMaxPasswordBytes + 1));
}

TEST(Password, AHashThatIsNoneFitsNothing) {
  EXPECT_FALSE(is_password("", "correct horse"));
  EXPECT_FALSE(is_password("$argon2id$garbage", "correct horse"));
  EXPECT_FALSE(is_password(std::string(10'000, 'x'), "correct horse"));
}

TEST(Password, NobodyHasOne) {
  EXPECT_FALSE(is_nobodys_password("correct horse", kCheap));
}

}  // namespace
}  // namespace martlet::auth
