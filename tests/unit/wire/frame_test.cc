#include "wire/frame.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/random.h"
#include "wire/commands.h"
#include "wire/limits.h"

namespace martlet::wire {
namespace {

constexpr FrameHeader kPing{.codec = Codec::kJson, .command = 1, .request_id = 0x01020304};

// What a decoder made of a whole input: the bodies, and the error that ended it.
struct Outcome {
  std::vector<FrameHeader> headers;
  std::vector<std::string> bodies;
  std::optional<Error> error;
};

void take_all(FrameDecoder& decoder, BytesView input, Outcome& outcome) {
  while (!outcome.error) {
    auto frame = decoder.next(input);
    if (!frame) {
      outcome.error = frame.error();
    } else if (!frame->has_value()) {
      EXPECT_TRUE(input.empty());
      return;
    } else {
      outcome.headers.push_back((*frame)->header);
      outcome.bodies.emplace_back((*frame)->body);
    }
  }
}

Outcome decode(BytesView input, std::size_t max_body = kMaxBodyBytes) {
  FrameDecoder decoder(max_body);
  Outcome outcome;
  take_all(decoder, input, outcome);
  return outcome;
}

ErrorCode error_of(BytesView input) {
  const Outcome outcome = decode(input);
  return outcome.error ? outcome.error->code : ErrorCode::kNone;
}

// A frame with one byte of its header replaced.
Bytes with_byte(std::size_t index, char value) {
  Bytes frame = encode_frame(kPing, "{}");
  frame[index] = value;
  return frame;
}

TEST(Frame, HeaderIsSixteenBytesBigEndian) {
  EXPECT_EQ(base::to_hex(encode_frame(kPing, "{}")),
            "4d540101000100000102030400000002"
            "7b7d");
}

TEST(Frame, HeaderComesBack) {
  const FrameHeader header{Codec::kFlatBuffers, 0x8001, kFlagZstd, 0xFFFFFFFF, 17};
  EXPECT_EQ(decode_header(encode_header(header), 17).value(), header);
}

TEST(Frame, SeveralFramesInOneChunk) {
  Bytes input;
  for (const auto* body : {"one", "", "three"}) append_frame(input, kPing, body);
  EXPECT_EQ(decode(input).bodies, (std::vector<std::string>{"one", "", "three"}));
}

TEST(Frame, ByteByByte) {
  Bytes input;
  append_frame(input, kPing, "first");
  append_frame(input, kPing, std::string(5000, 'x'));
  FrameDecoder decoder(kMaxBodyBytes);
  Outcome outcome;
  for (const char& byte : input) take_all(decoder, BytesView(&byte, 1), outcome);
  EXPECT_EQ(outcome.bodies, (std::vector<std::string>{"first", std::string(5000, 'x')}));
}

TEST(Frame, ChunksOfAnySizeGiveTheSameFrames) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    SCOPED_TRACE(seed);
    SeededRandom random(seed);
    Bytes input;
    std::vector<std::string> bodies;
    for (int i = 0; i < 20; ++i) {
      bodies.push_back(random.bytes(random.below(random.below(10) == 0 ? 60000 : 200)));
      append_frame(input, kPing, bodies.back());
    }
    FrameDecoder decoder(kMaxBodyBytes);
    Outcome outcome;
    for (BytesView rest = input; !rest.empty();) {
      const std::size_t n = std::min<std::size_t>(rest.size(), 1 + random.below(4096));
      take_all(decoder, rest.substr(0, n), outcome);
      rest.remove_prefix(n);
    }
    EXPECT_EQ(outcome.bodies, bodies);
    EXPECT_FALSE(decoder.is_inside_frame());
  }
}

TEST(Frame, WrongMagicIsFatal) {
  EXPECT_EQ(error_of("GET / HTTP/1.1\r\n"), ErrorCode::kBadMagic);
}

TEST(Frame, WrongVersionIsFatal) {
  EXPECT_EQ(error_of(with_byte(2, 2)), ErrorCode::kBadVersion);
}

TEST(Frame, UnknownCodecIsFatal) {
  EXPECT_EQ(error_of(with_byte(3, 2)), ErrorCode::kBadCodec);
}

TEST(Frame, EachUndefinedFlagIsFatal) {
  for (int bit = 1; bit < 16; ++bit) {
    const auto flags = static_cast<std::uint16_t>(1U << bit);
    const FrameHeader header{.command = 1, .flags = flags};
    EXPECT_EQ(error_of(encode_frame(header, "")), ErrorCode::kBadFlags) << bit;
  }
}

TEST(Frame, BodyOfTheLimitPasses) {
  EXPECT_EQ(decode(encode_frame(kPing, std::string(100, 'x')), 100).bodies.size(), 1U);
}

TEST(Frame, BodyOverTheLimitIsFatalBeforeItComes) {
  FrameHeader header = kPing;
  header.body_bytes = kMaxBodyBytes + 1;
  const HeaderBytes bytes = encode_header(header);
  EXPECT_EQ(error_of(BytesView(bytes.data(), bytes.size())), ErrorCode::kBodyTooLarge);
}

TEST(Frame, TheLimitMayChangeBetweenFrames) {
  FrameDecoder decoder(10);
  const Bytes frames =
      encode_frame({.command = 1}, "0123456789") + encode_frame({.command = 2}, "0123456789a");
  BytesView input(frames);
  ASSERT_TRUE(decoder.next(input).value().has_value());
  decoder.limit(11);
  EXPECT_EQ(decoder.next(input).value()->body, "0123456789a");
  decoder.limit(10);
  BytesView again(frames);
  ASSERT_TRUE(decoder.next(again).value().has_value());
  EXPECT_EQ(decoder.next(again).error().code, ErrorCode::kBodyTooLarge);
}

TEST(Frame, FatalErrorStays) {
  FrameDecoder decoder(kMaxBodyBytes);
  Outcome outcome;
  take_all(decoder, with_byte(2, 9), outcome);
  const Bytes good = encode_frame(kPing, "{}");
  BytesView input = good;
  EXPECT_EQ(decoder.next(input).error().code, ErrorCode::kBadVersion);
}

TEST(Frame, FatalErrorKeepsRequestIdWhereItCanBeRead) {
  FrameDecoder decoder(kMaxBodyBytes);
  Outcome outcome;
  take_all(decoder, with_byte(6, 1), outcome);
  EXPECT_EQ(decoder.header().request_id, kPing.request_id);
  EXPECT_EQ(decoder.header().codec, Codec::kJson);
}

TEST(Frame, UnknownCommandIsNoErrorOfTheDecoder) {
  const FrameHeader header{.command = 0x1234};
  EXPECT_EQ(decode(encode_frame(header, "")).headers.at(0).command, 0x1234);
}

TEST(Frame, OnlyTheFirstFiveCodesAreFatal) {
  for (const ErrorCode code : all_error_codes()) {
    EXPECT_EQ(is_fatal(code), static_cast<int>(code) <= 5) << error_name(code);
  }
}

TEST(Frame, MemoryGrowsWithWhatCameNotWithWhatWasAnnounced) {
  FrameDecoder decoder(kMaxBodyBytes);
  FrameHeader header = kPing;
  header.body_bytes = kMaxBodyBytes;
  const HeaderBytes bytes = encode_header(header);
  Outcome outcome;
  take_all(decoder, BytesView(bytes.data(), bytes.size()), outcome);
  take_all(decoder, std::string(10, 'x'), outcome);
  EXPECT_LE(decoder.buffered_bytes(), 64U);
  for (std::size_t i = 10; i < kMaxBodyBytes; ++i) {
    take_all(decoder, "x", outcome);
    ASSERT_LE(decoder.buffered_bytes(), kMaxBodyBytes);
  }
  EXPECT_EQ(outcome.bodies.at(0).size(), kMaxBodyBytes);
}

TEST(Frame, BufferOfALongBodyIsGivenBack) {
  FrameDecoder decoder(kMaxBodyBytes);
  Outcome outcome;
  take_all(decoder, encode_frame(kPing, std::string(50000, 'x')), outcome);
  EXPECT_LE(decoder.buffered_bytes(), kIdleBufferBytes);
}

TEST(Frame, RandomChangesGiveFramesOrAClearError) {
  for (std::uint64_t seed = 1; seed <= 2000; ++seed) {
    SCOPED_TRACE(seed);
    SeededRandom random(seed);
    Bytes input;
    append_frame(input, kPing, random.bytes(random.below(100)));
    append_frame(input, kPing, random.bytes(random.below(100)));
    const std::uint64_t changes = 1 + random.below(3);
    for (std::uint64_t i = 0; i < changes; ++i) {
      input[random.below(input.size())] = static_cast<char>(random.next());
    }
    const Outcome outcome = decode(input);
    if (outcome.error) {
      EXPECT_TRUE(is_fatal(outcome.error->code));
      EXPECT_FALSE(outcome.error->detail.empty());
    }
  }
}

// ---- compression --------------------------------------------------------------------------

Frame compressed(BytesView body) {
  return Frame{{.command = 1, .flags = kFlagZstd}, body};
}

ErrorCode open_error(BytesView body, std::size_t max_body = kMaxBodyBytes) {
  Bytes storage;
  const auto opened = open_body(compressed(body), max_body, storage);
  return opened ? ErrorCode::kNone : opened.error().code;
}

TEST(Compression, PlainBodyIsNotTouched) {
  const std::string body = "plain";
  Bytes storage;
  const auto opened = open_body(Frame{{.command = 1}, body}, kMaxBodyBytes, storage);
  EXPECT_EQ(opened->data(), body.data());
}

TEST(Compression, CompressedBodyComesBack) {
  const std::string body(30000, 'y');
  const Bytes small = compress_body(body);
  EXPECT_LT(small.size(), 100U);
  Bytes storage;
  EXPECT_EQ(open_body(compressed(small), kMaxBodyBytes, storage).value(), body);
}

TEST(Compression, EmptyBodyComesBack) {
  Bytes storage;
  EXPECT_EQ(open_body(compressed(compress_body("")), kMaxBodyBytes, storage).value(), "");
}

TEST(Compression, TheLimitHoldsAfterDecompression) {
  EXPECT_EQ(open_error(compress_body(std::string(1000, 'z')), 1000), ErrorCode::kNone);
  EXPECT_EQ(open_error(compress_body(std::string(1001, 'z')), 1000), ErrorCode::kBodyTooLarge);
}

TEST(Compression, BombIsRefused) {
  EXPECT_EQ(open_error(compress_body(std::string(64 << 20, '\0'))), ErrorCode::kBodyTooLarge);
}

TEST(Compression, GarbageAndCutFramesAreBadBodies) {
  const Bytes good = compress_body("some text that is long enough to be cut somewhere");
  EXPECT_EQ(open_error("garbage"), ErrorCode::kBadBody);
  EXPECT_EQ(open_error(""), ErrorCode::kBadBody);
  EXPECT_EQ(open_error(BytesView(good).substr(0, good.size() - 1)), ErrorCode::kBadBody);
}

TEST(Compression, TwoFramesInOneBodyAreRefused) {
  EXPECT_EQ(open_error(compress_body("one") + compress_body("two")), ErrorCode::kBadBody);
}

TEST(Compression, RandomChangesNeverCrash) {
  const Bytes good = compress_body(std::string(500, 'a') + std::string(500, 'b') + "tail");
  for (std::uint64_t seed = 1; seed <= 2000; ++seed) {
    SeededRandom random(seed);
    Bytes bad = good;
    bad[random.below(bad.size())] = static_cast<char>(random.next());
    const ErrorCode code = open_error(bad);
    EXPECT_TRUE(code == ErrorCode::kNone || code == ErrorCode::kBadBody ||
                code == ErrorCode::kBodyTooLarge);
  }
}

}  // namespace
}  // namespace martlet::wire
