#include <arpa/inet.h>
#include <gtest/gtest.h>

#include <optional>

#include "loop_test_support.h"
#include "net/address_range.h"
#include "net/proxy_reader.h"

namespace martlet::net {
namespace {

const std::string kSignature("\r\n\r\n\0\r\nQUIT\n", 12);

std::string header(std::uint8_t command, std::uint8_t family, const std::string& rest) {
  return kSignature +
         std::string{char(command), char(family), char(rest.size() >> 8), char(rest.size())} + rest;
}

// From 192.0.2.7:4660 to 198.51.100.1:7400.
const std::string kV4("\xC0\0\2\7\xC6\x33\x64\1\x12\x34\x1C\xE8", 12);
const std::string kV6 = std::string("\x20\1\x0D\xB8", 4) + std::string(11, '\0') + "\1" +
                        std::string(16, '\2') + std::string("\x12\x34\x1C\xE8", 4);

std::optional<std::string> from(const std::string& bytes) {
  const auto parsed = parse_proxy_header(bytes);
  if (!parsed) return std::nullopt;
  return parsed->from ? parsed->from->address().str() : "";
}

SocketAddress numeric(const std::string& host) {
  return *resolve({host, 1});
}

TEST(ProxyHeaderTest, NamesTheClient) {
  EXPECT_EQ(from(header(0x21, 0x11, kV4)), "192.0.2.7:4660");
  EXPECT_EQ(from(header(0x21, 0x21, kV6)), "[2001:db8::1]:4660");
}

TEST(ProxyHeaderTest, WhatAProxySaysBesidesIsLeftOut) {
  EXPECT_EQ(from(header(0x21, 0x11, kV4 + std::string("\x03\0\4abcd", 7))), "192.0.2.7:4660");
}

TEST(ProxyHeaderTest, AProxyThatSpeaksForItselfNamesNobody) {
  EXPECT_EQ(from(header(0x20, 0x00, "")), "");
  EXPECT_EQ(from(header(0x20, 0x11, kV4)), "");
  EXPECT_EQ(from(header(0x21, 0x00, "")), "");
  EXPECT_EQ(from(header(0x21, 0x31, std::string(216, 'x'))), "") << "a socket of Unix";
}

TEST(ProxyHeaderTest, RefusesWhatIsNone) {
  EXPECT_FALSE(from(header(0x11, 0x11, kV4))) << "version 1";
  EXPECT_FALSE(from(header(0x22, 0x11, kV4))) << "an unknown command";
  EXPECT_FALSE(from(header(0x21, 0x12, kV4))) << "datagrams";
  EXPECT_FALSE(from(header(0x21, 0x41, kV4))) << "an unknown family";
  EXPECT_FALSE(from(header(0x21, 0x11, kV4.substr(1)))) << "an address too short";
  EXPECT_FALSE(from(header(0x21, 0x21, kV6.substr(1))));
  EXPECT_FALSE(from(header(0x21, 0x11, kV4) + "x")) << "more than the header";
  EXPECT_FALSE(from(header(0x21, 0x11, kV4).substr(0, 20)));
  EXPECT_FALSE(from("PROXY TCP4 192.0.2.7 198.51.100.1 4660 7400\r\n"));
  EXPECT_FALSE(from(""));
}

TEST(ProxyHeaderTest, HasALimit) {
  const std::size_t most = kMaxProxyHeaderBytes - kProxyFixedBytes;
  EXPECT_EQ(from(header(0x20, 0, std::string(most, 'x'))), "");
  EXPECT_FALSE(from(header(0x20, 0, std::string(most + 1, 'x'))));
}

TEST(AddressRangeTest, HoldsItsNeighbours) {
  const auto ten = AddressRange::parse("10.0.0.0/8");
  ASSERT_TRUE(ten);
  EXPECT_TRUE(ten->contains(numeric("10.255.1.2")));
  EXPECT_TRUE(ten->contains(numeric("::ffff:10.1.2.3")));
  EXPECT_FALSE(ten->contains(numeric("11.0.0.0")));
  EXPECT_FALSE(ten->contains(numeric("::1")));
  EXPECT_FALSE(ten->contains({}));
  const auto odd = AddressRange::parse("172.16.0.0/12");
  ASSERT_TRUE(odd);
  EXPECT_TRUE(odd->contains(numeric("172.31.255.255")));
  EXPECT_FALSE(odd->contains(numeric("172.32.0.0")));
  const auto one = AddressRange::parse("::1");
  ASSERT_TRUE(one);
  EXPECT_TRUE(one->contains(numeric("::1")));
  EXPECT_FALSE(one->contains(numeric("::2")));
  EXPECT_TRUE(AddressRange::parse("0.0.0.0/0")->contains(numeric("1.2.3.4")));
  EXPECT_FALSE(AddressRange::parse("0.0.0.0/0")->contains(numeric("fd00::1")));
  EXPECT_TRUE(AddressRange::parse("fd00::/8")->contains(numeric("fdff::1")));
}

TEST(AddressRangeTest, RefusesWhatIsNone) {
  for (const char* text : {"", "10", "10.0.0.0/33", "10.0.0.1/8", "10.0.0.0/", "10.0.0.0/x",
                           "::/129", "edge", "10.0.0.0/8/8", "10.0.0.0/-1", "[::1]"}) {
    EXPECT_FALSE(AddressRange::parse(text)) << text;
  }
}

class ProxyReaderTest : public testing::Test {
 protected:
  void open(Duration timeout = std::chrono::seconds(20)) {
    SocketPair pair = make_socket_pair();
    peer_ = std::move(pair.peer);
    reader_ = std::make_unique<ProxyReader>(loop_, std::move(pair.ours), timeout,
                                            [this](Result<ProxyHeader> result, UniqueFd fd) {
                                              ++calls_;
                                              fd_ = std::move(fd);
                                              result_ = std::move(result);
                                              loop_.defer_delete(std::move(reader_));
                                            });
  }
  void write(const std::string& bytes) {
    ASSERT_EQ(::send(peer_.get(), bytes.data(), bytes.size(), 0), ssize_t(bytes.size()));
  }

  event::Loop loop_;
  UniqueFd peer_;
  UniqueFd fd_;
  int calls_ = 0;
  Result<ProxyHeader> result_ = fail(ErrorCode::kInternal);
  std::unique_ptr<ProxyReader> reader_;
};

TEST_F(ProxyReaderTest, LeavesWhatStandsBehindTheHeader) {
  open();
  write(header(0x21, 0x11, kV4) + "behind");
  run_until(loop_, [this] { return calls_ == 1; });
  ASSERT_TRUE(result_);
  EXPECT_EQ(result_->from->address().host, "192.0.2.7");
  EXPECT_EQ(read_available(fd_.get()), "behind");
}

TEST_F(ProxyReaderTest, TakesAHeaderByteByByte) {
  open();
  for (const char byte : header(0x21, 0x21, kV6)) {
    EXPECT_EQ(calls_, 0);
    write(std::string(1, byte));
    run_turns(loop_, 1);
  }
  run_until(loop_, [this] { return calls_ == 1; });
  EXPECT_TRUE(result_);
}

TEST_F(ProxyReaderTest, EndsWithWhatIsNoHeader) {
  open();
  write("sixteen bytes of something else");
  run_until(loop_, [this] { return calls_ == 1; });
  EXPECT_FALSE(result_);
}

TEST_F(ProxyReaderTest, EndsWithThePeer) {
  open();
  write(kSignature);
  run_turns(loop_, 2);
  peer_.reset();
  run_until(loop_, [this] { return calls_ == 1; });
  EXPECT_FALSE(result_);
}

TEST_F(ProxyReaderTest, DoesNotWaitForEver) {
  open(std::chrono::milliseconds(20));
  write(kSignature);
  run_until(loop_, [this] { return calls_ == 1; });
  ASSERT_FALSE(result_);
  EXPECT_EQ(result_.error().code, ErrorCode::kTimeout);
}

}  // namespace
}  // namespace martlet::net
