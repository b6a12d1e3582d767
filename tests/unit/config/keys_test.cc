#include "config/keys.h"

#include <gtest/gtest.h>

#include <fstream>

namespace martlet::config {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

bool set(Keys& keys, std::string_view key, std::string_view value) {
  return keys.find(key)->set(value).has_value();
}

TEST(Keys, IntegersAreBoundedOnBothSides) {
  std::uint32_t value = 7;
  Keys keys;
  keys.integer("a", &value, {2, 9, "things"}, "A.");
  EXPECT_TRUE(set(keys, "a", "2"));
  EXPECT_TRUE(set(keys, "a", "9"));
  EXPECT_EQ(value, 9U);
  EXPECT_FALSE(set(keys, "a", "1"));
  EXPECT_FALSE(set(keys, "a", "10"));
  EXPECT_EQ(value, 9U);
}

TEST(Keys, IntegersTakeNothingBesideDigits) {
  int value = 7;
  Keys keys;
  keys.integer("a", &value, {-5, 9}, "A.");
  EXPECT_TRUE(set(keys, "a", "-5"));
  for (const char* text : {"", "1x", " 1", "0x1", "1.0", "+1", "99999999999999999999"}) {
    EXPECT_FALSE(set(keys, "a", text)) << text;
  }
}

TEST(Keys, ADurationsUnitIsTheEndOfItsName) {
  Duration ms = milliseconds(10);
  Duration s = seconds(3);
  Keys keys;
  keys.duration("wait_ms", &ms, {milliseconds(1), seconds(5)}, "A.");
  keys.duration("wait_s", &s, {seconds(1), seconds(60)}, "B.");
  EXPECT_TRUE(set(keys, "wait_ms", "5000"));
  EXPECT_EQ(ms, seconds(5));
  EXPECT_FALSE(set(keys, "wait_ms", "5001"));
  EXPECT_FALSE(set(keys, "wait_ms", "0"));
  EXPECT_TRUE(set(keys, "wait_s", "60"));
  EXPECT_EQ(s, seconds(60));
  EXPECT_EQ(keys.describe()[0].default_text, "10");
  EXPECT_EQ(keys.describe()[1].bounds, "1 to 60");
  EXPECT_DEATH(keys.duration("wait", &s, {seconds(1), seconds(2)}, "C."), "");
}

TEST(Keys, BytesTakeEndings) {
  std::size_t value = 256UL << 20;
  Keys keys;
  keys.bytes("size", &value, {1024, 1LL << 40}, "A.");
  EXPECT_EQ(keys.describe()[0].default_text, "256MiB");
  EXPECT_TRUE(set(keys, "size", "1KiB"));
  EXPECT_EQ(value, 1024U);
  EXPECT_TRUE(set(keys, "size", "2 GiB"));
  EXPECT_EQ(value, 2UL << 30);
  EXPECT_TRUE(set(keys, "size", "1024"));
  EXPECT_FALSE(set(keys, "size", "1023"));
  EXPECT_FALSE(set(keys, "size", "1025GiB"));
  EXPECT_FALSE(set(keys, "size", "9999999999GiB"));
  EXPECT_FALSE(set(keys, "size", "1KB"));
  EXPECT_FALSE(set(keys, "size", "-1"));
}

TEST(Keys, StringsAreBoundedInLength) {
  std::string value = "ab";
  Keys keys;
  keys.string("a", &value, {2, 3}, "A.");
  EXPECT_TRUE(set(keys, "a", "abc"));
  EXPECT_FALSE(set(keys, "a", "abcd"));
  EXPECT_FALSE(set(keys, "a", "a"));
}

TEST(Keys, StringsHoldNoControlCharacters) {
  std::string value;
  Keys keys;
  keys.string("a", &value, {}, "A.");
  EXPECT_FALSE(set(keys, "a", "x\ny"));
  EXPECT_FALSE(set(keys, "a", std::string_view("x\0y", 3)));
  EXPECT_TRUE(set(keys, "a", "h\xC3\xA9 \xE4\xB8\xAD"));
}

TEST(Keys, ChoicesAreClosed) {
  std::string value = "info";
  Keys keys;
  keys.choice("level", &value, {"debug", "info"}, "A.");
  EXPECT_TRUE(set(keys, "level", "debug"));
  EXPECT_FALSE(set(keys, "level", "Debug"));
}

TEST(Keys, BooleansAreTrueOrFalse) {
  bool value = true;
  Keys keys;
  keys.boolean("on", &value, "A.");
  EXPECT_TRUE(set(keys, "on", "false"));
  EXPECT_FALSE(value);
  EXPECT_FALSE(set(keys, "on", "0"));
}

TEST(Keys, AnOptionalAddressMayBeEmpty) {
  Address needed{"a", 1};
  Address optional;
  Keys keys;
  keys.address("needed", &needed, "A.");
  keys.optional_address("optional", &optional, "B.");
  EXPECT_FALSE(set(keys, "needed", ""));
  EXPECT_TRUE(set(keys, "optional", "b:2"));
  EXPECT_TRUE(set(keys, "optional", ""));
  EXPECT_TRUE(optional.empty());
}

TEST(Keys, AddressListsAreBoundedInNumber) {
  std::vector<Address> value{{"a", 1}};
  Keys keys;
  keys.addresses("list", &value, {1, 2}, "A.");
  EXPECT_TRUE(set(keys, "list", "a:1,[::1]:2"));
  EXPECT_EQ(value.size(), 2U);
  EXPECT_FALSE(set(keys, "list", ""));
  EXPECT_FALSE(set(keys, "list", "a:1,b:2,c:3"));
  EXPECT_FALSE(set(keys, "list", "a:1,"));
  EXPECT_FALSE(set(keys, "list", "a:1,,b:2"));
}

TEST(Keys, ListsAreBoundedInNumberAndCheckedByWhoDeclaresThem) {
  std::vector<std::string> value;
  Keys keys;
  keys.list(
      "list", "WORD", {0, 2},
      [&value](const auto& texts) -> Result<void> {
        for (const std::string_view text : texts) {
          if (text.empty()) return fail(ErrorCode::kBadContent);
        }
        value.assign(texts.begin(), texts.end());
        return {};
      },
      "A.");
  EXPECT_TRUE(set(keys, "list", "a,b"));
  EXPECT_EQ(value, (std::vector<std::string>{"a", "b"}));
  EXPECT_FALSE(set(keys, "list", "a,b,c"));
  EXPECT_FALSE(set(keys, "list", "a,"));
  EXPECT_FALSE(set(keys, "list", ",a"));
  EXPECT_EQ(value.size(), 2U);
  EXPECT_TRUE(set(keys, "list", ""));
  EXPECT_TRUE(value.empty());
}

TEST(Keys, PathsMayHaveToExist) {
  const std::string directory = testing::TempDir();
  const std::string file = directory + "/martlet_keys_test";
  std::ofstream(file) << "x";
  std::string a;
  std::string b;
  Keys keys;
  keys.path("file", &a, PathRule::kExistingFile, "A.");
  keys.path("dir", &b, PathRule::kExistingDirectory, "B.");
  EXPECT_TRUE(set(keys, "file", file));
  EXPECT_FALSE(set(keys, "file", directory));
  EXPECT_TRUE(set(keys, "dir", directory));
  EXPECT_FALSE(set(keys, "dir", file + "/none"));
}

TEST(Keys, ABadEmptyDefaultMakesAKeyRequired) {
  std::string directory;
  std::string free;
  Keys keys;
  keys.path("dir", &directory, PathRule::kExistingDirectory, "A.");
  keys.string("free", &free, {}, "B.");
  EXPECT_TRUE(keys.describe()[0].required);
  EXPECT_FALSE(keys.describe()[1].required);
}

TEST(Keys, RefusesBadDeclarations) {
  int value = 100;
  EXPECT_DEATH(Keys().integer("a", &value, {0, 9}, "Default out of bounds."), "");
  EXPECT_DEATH(Keys().integer("A-b", &value, {0, 900}, "Bad name."), "");
  EXPECT_DEATH(
      {
        Keys keys;
        keys.integer("a", &value, {0, 900}, "Twice.");
        keys.integer("a", &value, {0, 900}, "Twice.");
      },
      "");
}

}  // namespace
}  // namespace martlet::config
