#include "base/error.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "base/assert.h"
#include "base/result.h"

namespace martlet {
namespace {

TEST(ErrorCodes, NumbersGrowAndNamesAreUnique) {
  std::set<std::string_view> names;
  ErrorCode last = ErrorCode::kNone;
  for (const ErrorCode code : all_error_codes()) {
    EXPECT_GT(code, last);
    EXPECT_TRUE(names.insert(error_name(code)).second) << error_name(code);
    EXPECT_FALSE(error_text(code).empty());
    last = code;
  }
}

TEST(ErrorCodes, NamesAreUpperCaseWords) {
  for (const ErrorCode code : all_error_codes()) {
    for (const char c : error_name(code)) {
      EXPECT_TRUE((c >= 'A' && c <= 'Z') || c == '_') << error_name(code);
    }
  }
}

TEST(ErrorCodes, NumberOfANewerVersionIsUnknownAndFinal) {
  const auto code = static_cast<ErrorCode>(9999);
  EXPECT_EQ(error_name(code), "UNKNOWN");
  EXPECT_FALSE(is_retryable(code));
}

TEST(ErrorCodes, RetryableOnesAreThoseOfTheServersState) {
  EXPECT_TRUE(is_retryable(ErrorCode::kBusy));
  EXPECT_TRUE(is_retryable(ErrorCode::kOutOfOrder));
  EXPECT_TRUE(is_retryable(ErrorCode::kShuttingDown));
  EXPECT_FALSE(is_retryable(ErrorCode::kConflict));
  EXPECT_FALSE(is_retryable(ErrorCode::kForbidden));
  EXPECT_FALSE(is_retryable(ErrorCode::kInternal));
  EXPECT_FALSE(is_retryable(ErrorCode::kNone));
}

TEST(ResultType, CarriesAValueOrAnError) {
  const Result<int> good = 7;
  const Result<int> bad = fail(ErrorCode::kBusy, "later", 50);
  EXPECT_EQ(*good, 7);
  EXPECT_EQ(bad.error().code, ErrorCode::kBusy);
  EXPECT_EQ(bad.error().detail, "later");
  EXPECT_EQ(bad.error().retry_after_ms, 50U);
}

TEST(AssertDeathTest, EndsTheProcessAndSaysWhere) {
  EXPECT_DEATH(MARTLET_ASSERT(1 + 1 == 3), "1 \\+ 1 == 3 file=.*error_test.cc");
}

}  // namespace
}  // namespace martlet
