#include "base/random.h"

#include <gtest/gtest.h>

#include <vector>

namespace martlet {
namespace {

// Gives a list of words, then zeros.
class ScriptedRandom final : public Random {
 public:
  explicit ScriptedRandom(std::vector<std::uint64_t> words) : words_(std::move(words)) {}
  std::uint64_t next() override {
    ++taken_;
    return taken_ <= words_.size() ? words_[taken_ - 1] : 0;
  }
  std::size_t taken() const { return taken_; }

 private:
  std::vector<std::uint64_t> words_;
  std::size_t taken_ = 0;
};

TEST(Random, BelowStaysBelow) {
  SeededRandom random(1);
  for (const std::uint64_t bound : {1UL, 2UL, 3UL, 10UL, 1UL << 63, UINT64_MAX}) {
    for (int i = 0; i < 1000; ++i) ASSERT_LT(random.below(bound), bound);
  }
}

TEST(Random, BelowFavoursNoResult) {
  SeededRandom random(1);
  constexpr int kRounds = 60'000;
  std::vector<int> counts(6);
  for (int i = 0; i < kRounds; ++i) ++counts[random.below(6)];
  for (const int count : counts) EXPECT_NEAR(count, kRounds / 6, 500);
}

TEST(Random, BelowThrowsAwayWhatIsPastTheLastMultiple) {
  ScriptedRandom random({UINT64_MAX, 5});
  EXPECT_EQ(random.below(10), 5U);
  EXPECT_EQ(random.taken(), 2U);
}

TEST(RandomDeathTest, BelowZeroIsABug) {
  SeededRandom random(1);
  EXPECT_DEATH(random.below(0), "bound > 0");
}

TEST(Random, JitterStaysInItsBounds) {
  SeededRandom random(1);
  const Duration second = std::chrono::seconds(1);
  Duration low = second;
  Duration high = second;
  for (int i = 0; i < 10'000; ++i) {
    const Duration one = random.jitter(second, 0.25);
    low = std::min(low, one);
    high = std::max(high, one);
  }
  EXPECT_GE(low, std::chrono::milliseconds(750));
  EXPECT_LT(low, std::chrono::milliseconds(760));
  EXPECT_LE(high, std::chrono::milliseconds(1250));
  EXPECT_GT(high, std::chrono::milliseconds(1240));
}

TEST(Random, BytesHaveTheSizeAskedFor) {
  SeededRandom random(1);
  for (std::size_t size = 0; size < 20; ++size) EXPECT_EQ(random.bytes(size).size(), size);
}

TEST(Random, SeedRepeatsItself) {
  SeededRandom first(7);
  SeededRandom second(7);
  SeededRandom other(8);
  EXPECT_EQ(first.bytes(64), second.bytes(64));
  EXPECT_NE(first.bytes(64), other.bytes(64));
}

TEST(Random, SystemDoesNotRepeatItself) {
  SystemRandom random;
  EXPECT_NE(random.bytes(16), random.bytes(16));
}

}  // namespace
}  // namespace martlet
