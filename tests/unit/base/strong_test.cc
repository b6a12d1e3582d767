#include "base/strong.h"

#include <gtest/gtest.h>

#include <type_traits>
#include <unordered_set>

namespace martlet {
namespace {

using Apples = Strong<struct ApplesTag>;
using Pears = Strong<struct PearsTag, std::uint16_t>;

TEST(Strong, ComparesByValue) {
  EXPECT_LT(Apples(1), Apples(2));
  EXPECT_EQ(Apples(3), Apples(3));
  EXPECT_EQ(Apples(3).next(), Apples(4));
  EXPECT_EQ(Apples().value(), 0U);
}

TEST(Strong, IsNotMistakenForAnother) {
  static_assert(!std::is_convertible_v<int, Apples>);
  static_assert(!std::is_convertible_v<Apples, int>);
  static_assert(!std::is_constructible_v<Apples, Pears>);
  static_assert(sizeof(Pears) == 2);
}

TEST(Strong, MayBeAKey) {
  const std::unordered_set<Apples> set{Apples(1), Apples(1), Apples(2)};
  EXPECT_EQ(set.size(), 2U);
}

}  // namespace
}  // namespace martlet
