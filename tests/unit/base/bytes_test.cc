#include "base/bytes.h"

#include <gtest/gtest.h>

#include <string>

#include "base/hash.h"
#include "base/random.h"

namespace martlet::base {
namespace {

TEST(Hex, KnownValues) {
  EXPECT_EQ(to_hex(""), "");
  EXPECT_EQ(to_hex(std::string("\x00\x0f\xa5\xff", 4)), "000fa5ff");
  EXPECT_EQ(from_hex("000Fa5FF"), std::string("\x00\x0f\xa5\xff", 4));
}

TEST(Hex, MalformedTextIsRefused) {
  for (const char* text : {"0", "0g", "g0", " 0", "0x", "00 ", "\xC3\xA9"}) {
    EXPECT_FALSE(from_hex(text).has_value()) << text;
  }
}

TEST(Base64, VectorsOfRfc4648) {
  const std::pair<const char*, const char*> vectors[] = {{"", ""},
                                                         {"f", "Zg=="},
                                                         {"fo", "Zm8="},
                                                         {"foo", "Zm9v"},
                                                         {"foob", "Zm9vYg=="},
                                                         {"fooba", "Zm9vYmE="},
                                                         {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, text] : vectors) {
    EXPECT_EQ(to_base64(plain), text);
    EXPECT_EQ(from_base64(text), plain);
  }
}

TEST(Base64, UrlFormHasNoPadding) {
  const std::string bytes("\xFB\xFF\xFE\x01", 4);
  EXPECT_EQ(to_base64(bytes), "+//+AQ==");
  EXPECT_EQ(to_base64url(bytes), "-__-AQ");
  EXPECT_EQ(from_base64url("-__-AQ"), bytes);
  EXPECT_FALSE(from_base64url("-__-AQ==").has_value());
  EXPECT_FALSE(from_base64url("+//+AQ").has_value());
}

TEST(Base64, MalformedTextIsRefused) {
  for (const char* text : {"Z", "Zg", "Zg=", "Zg===", "====", "=Zg=", "Z===", "Zm9v=", "Zm9v====",
                           "Zg==Zg==", "Zm 9", "Zm9\n", "-_-_"}) {
    EXPECT_FALSE(from_base64(text).has_value()) << text;
  }
}

TEST(Base64, EveryValueHasOneSpelling) {
  EXPECT_FALSE(from_base64("Zh==").has_value());
  EXPECT_FALSE(from_base64("Zm9=").has_value());
  EXPECT_FALSE(from_base64url("Zh").has_value());
}

TEST(Base64, RandomBytesComeBack) {
  SeededRandom random(1);
  for (std::size_t size = 0; size < 200; ++size) {
    const Bytes bytes = random.bytes(size);
    EXPECT_EQ(from_base64(to_base64(bytes)), bytes);
    EXPECT_EQ(from_base64url(to_base64url(bytes)), bytes);
    EXPECT_EQ(from_hex(to_hex(bytes)), bytes);
  }
}

TEST(Utf8, WellFormedTextPasses) {
  for (const char* text :
       {"", "plain", "h\xC3\xA9", "\xE4\xBD\xA0", "\xF0\x9F\x98\x80", "\xC2\x80", "\xE0\xA0\x80",
        "\xED\x9F\xBF", "\xEE\x80\x80", "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF", "\xEF\xBF\xBF"}) {
    EXPECT_TRUE(is_utf8(text)) << to_hex(text);
  }
  EXPECT_TRUE(is_utf8(std::string_view("\0", 1)));
}

TEST(Utf8, MalformedTextIsRefused) {
  for (const char* text : {"\x80",
                           "\xBF",
                           "\xC3",
                           "\xC3(",
                           "\xE4\xBD",
                           "\xE4(\xA0",
                           "\xF0\x9F\x98",  // cut
                           "\xC0\x80",
                           "\xC1\xBF",
                           "\xE0\x80\x80",
                           "\xE0\x9F\xBF",
                           "\xF0\x80\x80\x80",
                           "\xF0\x8F\xBF\xBF",  // overlong
                           "\xED\xA0\x80",
                           "\xED\xBF\xBF",  // surrogates
                           "\xF4\x90\x80\x80",
                           "\xF5\x80\x80\x80",
                           "\xFE",
                           "\xFF",  // past U+10FFFF
                           "good\xC3"}) {
    EXPECT_FALSE(is_utf8(text)) << to_hex(text);
  }
}

TEST(Hash, NeverChanges) {
  EXPECT_EQ(hash64(""), 0x2D06800538D394C2U);
  EXPECT_EQ(hash64("u:alice:bob"), 0x58FA9226CC8D519BU);
}

}  // namespace
}  // namespace martlet::base
