// Not in a build with a sanitizer, which has an allocator of its own.
#include "service/memory.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <string>
#include <vector>

namespace martlet::service {
namespace {

constexpr std::size_t kPieces = 500;
constexpr std::size_t kPieceBytes = 16 * 1024;
constexpr long kPageBytes = 4096;

void turn() {
  std::vector<std::string> pieces;
  for (std::size_t i = 0; i < kPieces; ++i) pieces.emplace_back(kPieceBytes, 'x');
}

long page_faults() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return usage.ru_minflt;
}

TEST(Memory, ATurnTakesWhatTheOneBeforeItFreed) {
  keep_freed_memory();
  turn();
  const long before = page_faults();
  for (int i = 0; i < 20; ++i) turn();
  // All of them together less than one that gets its pages from the kernel.
  EXPECT_LT(page_faults() - before, static_cast<long>(kPieces * kPieceBytes) / kPageBytes);
}

}  // namespace
}  // namespace martlet::service
