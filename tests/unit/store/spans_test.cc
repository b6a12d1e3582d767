#include "store/spans.h"

#include <gtest/gtest.h>

#include <set>

#include "base/random.h"

namespace martlet::store {

// What a failed expectation prints.
void PrintTo(const Spans::Piece& piece, std::ostream* out) {
  *out << piece.from << ".." << piece.to << (piece.is_visible ? " visible" : " withheld");
}

namespace {

using Pieces = std::vector<Spans::Piece>;

TEST(Spans, AStrangerSeesNothing) {
  const Spans spans;
  EXPECT_TRUE(spans.empty());
  EXPECT_FALSE(spans.is_member());
  EXPECT_EQ(spans.cut(1, 5), (Pieces{{1, 5, false}}));
}

TEST(Spans, AMemberSeesEverythingFromTheirBeginning) {
  Spans spans;
  spans.add(4, 0);
  EXPECT_TRUE(spans.is_member());
  EXPECT_EQ(spans.cut(1, 9), (Pieces{{1, 3, false}, {4, 9, true}}));
  EXPECT_EQ(spans.cut(4, 4), (Pieces{{4, 4, true}}));
  EXPECT_EQ(spans.cut(3, 3), (Pieces{{3, 3, false}}));
  EXPECT_EQ(spans.cut(5, 4), Pieces());
}

TEST(Spans, WhoCameBackSeesBothStaysAndNothingBetween) {
  Spans spans;
  spans.add(3, 6);
  EXPECT_FALSE(spans.is_member());
  EXPECT_EQ(spans.end(), 6u);
  spans.add(9, 0);
  EXPECT_EQ(spans.cut(1, 12), (Pieces{{1, 2, false}, {3, 6, true}, {7, 8, false}, {9, 12, true}}));
  EXPECT_EQ(spans.cut(7, 8), (Pieces{{7, 8, false}}));
}

TEST(Spans, AShownPastCoversWhatWasBetween) {
  Spans spans;
  spans.add(1, 6);
  spans.add(1, 0);
  EXPECT_EQ(spans.cut(1, 12), (Pieces{{1, 12, true}}));
}

TEST(Spans, StaysThatTouchAreOne) {
  Spans spans;
  spans.add(3, 6);
  spans.add(7, 8);
  EXPECT_EQ(spans.cut(3, 8), (Pieces{{3, 8, true}}));
}

TEST(Spans, NoMoreIsCutThanIsAskedFor) {
  Spans spans;
  spans.add(3, 6);
  spans.add(9, 0);
  EXPECT_EQ(spans.cut(1, 12, 0), Pieces());
  EXPECT_EQ(spans.cut(1, 12, 3), (Pieces{{1, 2, false}, {3, 6, true}, {7, 8, false}}));
  EXPECT_EQ(spans.cut(8, 12, 1), (Pieces{{8, 8, false}}));
}

TEST(Spans, EarlierStaysAndTheNewestAreOne) {
  Spans earlier, newest;
  newest.add(9, 0);
  earlier.add(3, 6);
  earlier.add(9, 0);
  earlier.add(newest);
  EXPECT_TRUE(earlier.is_member());
  EXPECT_EQ(earlier.cut(3, 12), (Pieces{{3, 6, true}, {7, 8, false}, {9, 12, true}}));
}

// Against a set of the seqs that may be seen.
TEST(Spans, PiecesCoverTheRangeAndSayOfEachSeqWhatIsTrue) {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    SeededRandom random(seed);
    Spans spans;
    std::set<std::uint64_t> visible;
    std::uint64_t next = 1;
    for (std::uint64_t stays = random.below(4); stays > 0; --stays) {
      const std::uint64_t from = next + random.below(5);
      const std::uint64_t to = from + random.below(5);
      const bool is_open = stays == 1 && random.below(2) == 0;
      spans.add(from, is_open ? 0 : to);
      for (std::uint64_t seq = from; seq <= (is_open ? 50 : to); ++seq) visible.insert(seq);
      next = to + 1;
    }
    const std::uint64_t first = 1 + random.below(20);
    const std::uint64_t last = first + random.below(20);
    std::uint64_t seq = first;
    for (const Spans::Piece& piece : spans.cut(first, last)) {
      ASSERT_EQ(piece.from, seq) << "seed " << seed;
      for (; seq <= piece.to; ++seq) {
        ASSERT_EQ(piece.is_visible, visible.contains(seq)) << "seed " << seed << " seq " << seq;
      }
    }
    ASSERT_EQ(seq, last + 1) << "seed " << seed;
  }
}

}  // namespace
}  // namespace martlet::store
