#pragma once

#include <gtest/gtest.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <string>

#include "loop_test_support.h"
#include "net/connection.h"
#include "net/tls.h"
#include "support/certificate.h"

namespace martlet::net {

struct TlsRecorder : ConnectionListener {
  std::string bytes;
  int secured = 0;
  int drained = 0;
  std::vector<CloseCause> closed;
  std::function<void()> then;

  void on_bytes(BytesView chunk) override {
    bytes.append(chunk);
    if (then) then();
  }
  void on_drained() override { ++drained; }
  void on_secured() override { ++secured; }
  void on_closed(CloseCause cause) override { closed.push_back(cause); }
};

// A server's and a client's connection, and a wire between them that the test may slow down or
// change.
class TlsTest : public testing::Test {
 protected:
  TlsTest() {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    directory_ = testing::TempDir() + "/tls-" + test->name() + "-" + std::to_string(::getpid());
    certificate_ = test::make_certificate(directory_, "DNS:edge.test");
  }
  ~TlsTest() override { std::filesystem::remove_all(directory_); }

  std::unique_ptr<TlsServer> open_server(const std::string& ticket_keys = {}) {
    auto server = TlsServer::open(loop_, {certificate_.file, certificate_.key_file, ticket_keys});
    EXPECT_TRUE(server) << server.error().detail;
    return std::move(*server);
  }
  std::unique_ptr<TlsClient> open_client(const std::string& name = "edge.test") {
    auto client = TlsClient::open({certificate_.file, name});
    EXPECT_TRUE(client) << client.error().detail;
    return std::move(*client);
  }

  void open_server_end(const ConnectionOptions& options = {}) {
    if (!tls_server_) tls_server_ = open_server();
    SocketPair pair = make_socket_pair();
    server_wire_ = std::move(pair.peer);
    server_ = std::make_unique<Connection>(loop_, std::move(pair.ours), options, at_server_,
                                           tls_server_->accept());
  }
  void open_client_end() {
    if (!tls_client_) tls_client_ = open_client();
    SocketPair pair = make_socket_pair();
    client_wire_ = std::move(pair.peer);
    client_ = std::make_unique<Connection>(loop_, std::move(pair.ours), ConnectionOptions(),
                                           at_client_, tls_client_->connect("127.0.0.1"));
  }
  void open_both(const ConnectionOptions& server_options = {}) {
    open_server_end(server_options);
    open_client_end();
  }

  // Carries what is on the wire, at most `limit` bytes each way.
  void carry(std::size_t limit = 1 << 20) {
    to_server_ += carry(client_wire_, server_wire_, limit);
    to_client_ += carry(server_wire_, client_wire_, limit);
  }
  void carry_until(const std::function<bool()>& condition, std::size_t limit = 1 << 20) {
    run_until(loop_, [&] {
      carry(limit);
      return condition();
    });
  }
  void shake_hands() {
    carry_until([this] { return at_server_.secured + at_client_.secured == 2; });
    // The ticket, too.
    carry();
    run_turns(loop_, 2);
  }

  static std::string carry(UniqueFd& from, UniqueFd& to, std::size_t limit) {
    char probe = 0;
    const bool ended = from.is_open() && ::recv(from.get(), &probe, 1, MSG_PEEK) == 0;
    const std::string bytes = from.is_open() ? read_available(from.get(), limit) : "";
    std::size_t sent = 0;
    while (sent < bytes.size() && to.is_open()) {
      const ssize_t now = ::send(to.get(), bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
      if (now < 0 && errno == EPIPE) return bytes;  // nobody is there any more
      if (now <= 0) break;
      sent += std::size_t(now);
    }
    EXPECT_TRUE(sent == bytes.size() || !to.is_open()) << "a test that carries too much at once";
    if (ended && to.is_open()) ::shutdown(to.get(), SHUT_WR);
    return bytes;
  }

  // The records in these bytes, by type.
  static std::vector<int> record_types(std::string_view bytes) {
    std::vector<int> types;
    while (bytes.size() >= 5) {
      types.push_back(std::uint8_t(bytes[0]));
      const std::size_t size = std::size_t(std::uint8_t(bytes[3])) << 8 | std::uint8_t(bytes[4]);
      bytes.remove_prefix(std::min(bytes.size(), 5 + size));
    }
    return types;
  }

  event::Loop loop_;
  std::string directory_;
  test::Certificate certificate_;
  std::unique_ptr<TlsServer> tls_server_;
  std::unique_ptr<TlsClient> tls_client_;
  ConnectionTotals totals_;  // before the connections, which it outlives
  TlsRecorder at_server_;
  TlsRecorder at_client_;
  UniqueFd server_wire_;
  UniqueFd client_wire_;
  std::string to_server_;
  std::string to_client_;
  std::unique_ptr<Connection> server_;
  std::unique_ptr<Connection> client_;
};

}  // namespace martlet::net
