#pragma once

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <deque>
#include <optional>
#include <string_view>
#include <utility>

#include "net/fd.h"
#include "wire/bodies.h"
#include "wire/commands.h"
#include "wire/frame.h"
#include "wire/limits.h"

namespace martlet::test {

// What came to a client.
struct Received {
  wire::FrameHeader header;
  Bytes body;
  wire::Command command() const { return static_cast<wire::Command>(header.command); }
};

// The far end of a client's connection.
class TestClient {
 public:
  explicit TestClient(net::UniqueFd fd) : fd_(std::move(fd)) {}

  void write(BytesView bytes) {
    ASSERT_EQ(::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL), ssize_t(bytes.size()));
  }
  void send(wire::Command command, std::uint32_t id, BytesView body) {
    write(wire::encode_frame({.command = std::uint16_t(command), .request_id = id}, body));
  }
  template <class Body>
  void send(wire::Command command, std::uint32_t id, const Body& body) {
    send(command, id, BytesView(wire::encode(body)));
  }
  void send_json(wire::Command command, std::uint32_t id, std::string_view json) {
    write(wire::encode_frame(
        {.codec = wire::Codec::kJson, .command = std::uint16_t(command), .request_id = id}, json));
  }
  void poll() {
    char buffer[65536];
    while (!eof_) {
      const ssize_t got = ::recv(fd_.get(), buffer, sizeof buffer, MSG_DONTWAIT);
      if (got == 0) eof_ = true;
      if (got <= 0) return;
      BytesView input(buffer, std::size_t(got));
      while (true) {
        const auto frame = decoder_.next(input);
        ASSERT_TRUE(frame.has_value()) << frame.error().detail;
        if (!*frame) break;
        frames_.push_back({(*frame)->header, Bytes((*frame)->body)});
      }
    }
  }
  bool is_closed() {
    poll();
    return eof_;
  }
  std::optional<Received> take() {
    poll();
    if (frames_.empty()) return std::nullopt;
    Received first = std::move(frames_.front());
    frames_.pop_front();
    return first;
  }
  void close() { fd_.reset(); }

 private:
  net::UniqueFd fd_;
  wire::FrameDecoder decoder_{wire::kMaxJsonAnswerBytes};
  std::deque<Received> frames_;
  bool eof_ = false;
};

}  // namespace martlet::test
