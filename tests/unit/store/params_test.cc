#include "lib/pg/params.h"

#include <gtest/gtest.h>

namespace martlet::pg {
namespace {

TEST(Params, KeepsTextAsItIs) {
  EXPECT_EQ(Params().text("it's \"so\" \\").values().at(0), "it's \"so\" \\");
}

TEST(Params, WritesNumbersWithTheirSign) {
  EXPECT_EQ(Params().number(-9'223'372'036'854'775'807 - 1).values().at(0), "-9223372036854775808");
}

TEST(Params, WritesBytesAsHexadecimalDigits) {
  EXPECT_EQ(Params().bytes(BytesView("\0\xff", 2)).values().at(0), "\\x00ff");
}

TEST(Params, QuotesTheElementsOfAnArray) {
  EXPECT_EQ(Params().texts({"a", "", "b\"c\\d", "NULL", "{,}"}).values().at(0),
            "{\"a\",\"\",\"b\\\"c\\\\d\",\"NULL\",\"{,}\"}");
  EXPECT_EQ(Params().numbers({1, -2}).values().at(0), "{1,-2}");
  EXPECT_EQ(Params().byte_strings({"a"}).values().at(0), "{\"\\\\x61\"}");
}

TEST(Params, AnEmptyArrayIsEmpty) {
  EXPECT_EQ(Params().texts({}).values().at(0), "{}");
}

TEST(CopyLine, SeparatesItsFieldsAndEnds) {
  std::string out = "before\n";
  append_copy_line(out, {"1", "", "-3"});
  EXPECT_EQ(out, "before\n1\t\t-3\n");
}

TEST(CopyLine, EscapesWhatWouldEndAFieldOrTheData) {
  std::string out;
  append_copy_line(out, {"a\tb\nc\rd", "\\.", "\\N", "\\x00"});
  EXPECT_EQ(out, "a\\tb\\nc\\rd\t\\\\.\t\\\\N\t\\\\x00\n");
}

}  // namespace
}  // namespace martlet::pg
