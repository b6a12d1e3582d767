#include "auth/api_tokens.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace martlet::auth {
namespace {

namespace fs = std::filesystem;

class ApiTokensTest : public testing::Test {
 protected:
  ApiTokensTest() {
    std::string pattern = fs::temp_directory_path() / "tokens-XXXXXX";
    directory_ = ::mkdtemp(pattern.data());
    file_ = directory_ / "api_tokens";
  }
  ~ApiTokensTest() override { fs::remove_all(directory_); }
  std::string add(const std::string& name, Role role) {
    auto token = add_api_token(file_, {name, role}, random_);
    EXPECT_TRUE(token) << token.error().detail;
    return *token;
  }
  void write(const std::string& text) { std::ofstream(file_) << text; }

  SeededRandom random_{1};
  fs::path directory_;
  fs::path file_;
};

TEST_F(ApiTokensTest, ATokenIsFoundWithItsNameAndRole) {
  const std::string ann = add("ann", Role::kViewer);
  const std::string ben = add("ben", Role::kAdmin);
  const auto tokens = ApiTokens::open(file_);
  ASSERT_TRUE(tokens) << tokens.error().detail;
  ASSERT_NE(tokens->find(ann), nullptr);
  EXPECT_EQ(tokens->find(ann)->name, "ann");
  EXPECT_EQ(tokens->find(ann)->role, Role::kViewer);
  EXPECT_EQ(tokens->find(ben)->role, Role::kAdmin);
  EXPECT_EQ(tokens->find(ann + "x"), nullptr);
  EXPECT_EQ(tokens->find(""), nullptr);
}

TEST_F(ApiTokensTest, TheFileHasNoTokenInIt) {
  const std::string token = add("ann", Role::kViewer);
  std::ifstream in(file_);
  const std::string text((std::istreambuf_iterator<char>(in)), {});
  EXPECT_EQ(text.find(token.substr(4)), std::string::npos);
  EXPECT_EQ(fs::status(file_).permissions(), fs::perms::owner_read | fs::perms::owner_write);
}

TEST_F(ApiTokensTest, FollowsItsFile) {
  const std::string ann = add("ann", Role::kViewer);
  auto tokens = ApiTokens::open(file_);
  EXPECT_FALSE(tokens->look().value());
  const std::string ben = add("ben", Role::kAdmin);
  EXPECT_TRUE(tokens->look().value());
  EXPECT_NE(tokens->find(ben), nullptr);
  write("nonsense");
  EXPECT_FALSE(tokens->look());
  EXPECT_NE(tokens->find(ben), nullptr) << "a bad file changes nothing";
  write("# nobody\n\n");
  EXPECT_TRUE(tokens->look().value());
  EXPECT_EQ(tokens->find(ann), nullptr);
}

TEST_F(ApiTokensTest, ABadLineIsNamed) {
  const std::string hash(64, 'a');
  const std::vector<std::string> bad = {"ann viewer", "ann boss " + hash, "a.b viewer " + hash,
                                        "ann viewer abc", "ann viewer " + hash + " more"};
  for (const std::string& line : bad) {
    write("# first\n" + line + "\n");
    const auto tokens = ApiTokens::open(file_);
    ASSERT_FALSE(tokens) << line;
    EXPECT_NE(tokens.error().detail.find("line 2"), std::string::npos) << tokens.error().detail;
  }
}

TEST_F(ApiTokensTest, HasALimit) {
  const auto lines = [](std::size_t count) {
    std::string text;
    for (std::size_t i = 0; i < count; ++i) {
      const std::string number = std::to_string(1000 + i);
      text += "ann viewer " + std::string(60, 'a') + number + "\n";
    }
    return text;
  };
  write(lines(kMaxApiTokens));
  EXPECT_EQ(ApiTokens::open(file_).value().size(), kMaxApiTokens);
  write(lines(kMaxApiTokens + 1));
  EXPECT_FALSE(ApiTokens::open(file_));
  write(std::string(kMaxApiTokenFileBytes + 1, '#'));
  EXPECT_FALSE(ApiTokens::open(file_));
}

TEST_F(ApiTokensTest, NoFileIsAnError) {
  EXPECT_FALSE(ApiTokens::open(file_));
  EXPECT_EQ(ApiTokens().find("ma1_x"), nullptr);
}

}  // namespace
}  // namespace martlet::auth
