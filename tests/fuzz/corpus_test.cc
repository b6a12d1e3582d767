// Feeds each target the inputs of its corpus, as an ordinary test.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <vector>

#include "targets.h"

namespace martlet::fuzz {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> corpus_of(const Target& target) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(fs::path(MARTLET_FUZZ_CORPUS) / target.name)) {
    files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

// A block of its own that ends where the input does, so that a sanitizer sees who reads on.
std::vector<char> bytes_of(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::vector<char> bytes{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  bytes.shrink_to_fit();
  return bytes;
}

class FuzzCorpus : public testing::TestWithParam<Target> {};

TEST_P(FuzzCorpus, Holds) {
  const auto files = corpus_of(GetParam());
  ASSERT_FALSE(files.empty());
  for (const fs::path& file : files) {
    // A failed assertion ends the process: the last line says which input it was.
    std::cout << GetParam().name << '/' << file.filename().string() << std::endl;
    const std::vector<char> bytes = bytes_of(file);
    GetParam().run(BytesView(bytes.data(), bytes.size()));
  }
}

TEST_P(FuzzCorpus, EmptyInputAndOneByte) {
  GetParam().run({});
  for (int byte = 0; byte < 256; ++byte) {
    const char one = static_cast<char>(byte);
    GetParam().run(BytesView(&one, 1));
  }
}

INSTANTIATE_TEST_SUITE_P(All, FuzzCorpus, testing::ValuesIn(kTargets),
                         [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace martlet::fuzz
