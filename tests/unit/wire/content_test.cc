#include "wire/content.h"

#include <gtest/gtest.h>

#include <string>

#include "samples.h"
#include "wire/limits.h"

namespace martlet::wire {
namespace {

using samples::code_of;

Content file_content() {
  Content content{.kind = ContentKind::File};
  content.file = FileRef{.url = "https://example.org/a.png", .size = 7, .mime = "image/png"};
  return content;
}

ErrorCode error_of(const Content& content) {
  return code_of(parse_content(encode(content)));
}

TEST(Content, TextComesBack) {
  const Bytes bytes = encode_text("h\xC3\xA9llo \xE4\xBD\xA0\xE5\xA5\xBD\n\t\"");
  const auto content = parse_content(bytes);
  ASSERT_TRUE(content) << samples::detail_of(content);
  EXPECT_EQ(content->kind, ContentKind::Text);
  EXPECT_EQ(content->text, "h\xC3\xA9llo \xE4\xBD\xA0\xE5\xA5\xBD\n\t\"");
}

TEST(Content, EmptyTextIsAText) {
  EXPECT_EQ(code_of(parse_content(encode_text(""))), ErrorCode::kNone);
}

TEST(Content, CustomComesBack) {
  const std::string data("\0\xFF\x01", 3);
  const Bytes bytes =
      encode(Content{.kind = ContentKind::Custom, .type_name = "app/x", .data = data});
  const auto content = parse_content(bytes);
  ASSERT_TRUE(content) << samples::detail_of(content);
  EXPECT_EQ(content->type_name, "app/x");
  EXPECT_EQ(content->data, data);
}

TEST(Content, FileComesBackWithCaption) {
  const std::string sha256(32, '\x07');
  Content sent = file_content();
  sent.text = "look";
  sent.file->sha256 = sha256;
  sent.file->name = "a.png";
  const Bytes bytes = encode(sent);
  const auto content = parse_content(bytes);
  ASSERT_TRUE(content) << samples::detail_of(content);
  EXPECT_EQ(content->text, "look");
  EXPECT_EQ(content->file->url, "https://example.org/a.png");
  EXPECT_EQ(content->file->size, 7U);
  EXPECT_EQ(content->file->sha256, sha256);
  EXPECT_EQ(content->file->mime, "image/png");
  EXPECT_EQ(content->file->name, "a.png");
}

TEST(Content, UnknownKindIsRefused) {
  EXPECT_EQ(error_of({.kind = ContentKind::Unknown, .text = "x"}), ErrorCode::kBadContent);
  EXPECT_EQ(error_of({.kind = static_cast<ContentKind>(9), .text = "x"}), ErrorCode::kBadContent);
}

TEST(Content, FieldsOfAnotherKindAreRefused) {
  EXPECT_EQ(error_of({.kind = ContentKind::Text, .text = "x", .data = "y"}),
            ErrorCode::kBadContent);
  EXPECT_EQ(error_of({.kind = ContentKind::Text, .text = "x", .type_name = "y"}),
            ErrorCode::kBadContent);
  EXPECT_EQ(error_of({.kind = ContentKind::Custom, .text = "x", .type_name = "y"}),
            ErrorCode::kBadContent);
  Content both = file_content();
  both.kind = ContentKind::Text;
  EXPECT_EQ(error_of(both), ErrorCode::kBadContent);
}

TEST(Content, MissingFieldsAreRefused) {
  EXPECT_EQ(error_of({.kind = ContentKind::Custom, .data = "x"}), ErrorCode::kBadContent);
  EXPECT_EQ(error_of({.kind = ContentKind::File}), ErrorCode::kBadContent);
}

TEST(Content, TextWithU0000IsRefused) {
  EXPECT_EQ(error_of({.kind = ContentKind::Text, .text = std::string_view("a\0b", 3)}),
            ErrorCode::kBadContent);
}

TEST(Content, TextThatIsNoUtf8IsABadBody) {
  EXPECT_EQ(error_of({.kind = ContentKind::Text, .text = "\xC3\x28"}), ErrorCode::kBadBody);
  EXPECT_EQ(error_of({.kind = ContentKind::Text, .text = "\xED\xA0\x80"}), ErrorCode::kBadBody);
}

TEST(Content, LabelsHaveALimit) {
  const std::string name(kMaxLabelBytes, 'x');
  EXPECT_EQ(error_of({.kind = ContentKind::Custom, .type_name = name}), ErrorCode::kNone);
  EXPECT_EQ(error_of({.kind = ContentKind::Custom, .type_name = name + "x"}),
            ErrorCode::kBadContent);
}

TEST(Content, HashOfAFileHasItsSize) {
  Content content = file_content();
  content.file->sha256 = "too short";
  EXPECT_EQ(error_of(content), ErrorCode::kBadContent);
}

TEST(Content, RandomChangesNeverCrash) {
  Content content = file_content();
  content.text = "caption";
  const Bytes good = encode(content);
  for (std::uint64_t seed = 1; seed <= 5000; ++seed) {
    SeededRandom random(seed);
    const Bytes bad = samples::mutate(good, random);
    const auto parsed = parse_content(bad);
    if (!parsed) {
      EXPECT_FALSE(parsed.error().detail.empty()) << seed;
    }
  }
}

}  // namespace
}  // namespace martlet::wire
