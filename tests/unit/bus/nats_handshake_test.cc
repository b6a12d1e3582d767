#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <thread>

#include "lib/nats/native/handshake.h"
#include "net/tls.h"

namespace martlet::nats::native {
namespace {

// A broker that says one thing to whoever comes, keeps what it hears, and takes one client.
class OneWordBroker {
 public:
  explicit OneWordBroker(std::string word)
      : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* raw = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(::bind(socket_.get(), raw, size), 0);
    EXPECT_EQ(::listen(socket_.get(), 1), 0);
    EXPECT_EQ(::getsockname(socket_.get(), raw, &size), 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this, word = std::move(word)] { serve(word); });
  }
  ~OneWordBroker() { thread_.join(); }
  OneWordBroker(const OneWordBroker&) = delete;
  OneWordBroker& operator=(const OneWordBroker&) = delete;

  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  // After the client has gone.
  std::string heard() {
    if (thread_.joinable()) thread_.join();
    thread_ = std::thread([] {});
    return heard_;
  }

 private:
  void serve(const std::string& word) {
    const net::UniqueFd client(::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    ::send(client.get(), word.data(), word.size(), MSG_NOSIGNAL);
    char buffer[4096];
    for (ssize_t got = 1; got > 0;) {
      got = ::recv(client.get(), buffer, sizeof buffer, 0);
      if (got > 0) heard_.append(buffer, static_cast<std::size_t>(got));
    }
  }

  net::UniqueFd socket_;
  int port_ = 0;
  std::string heard_;
  std::thread thread_;
};

class NatsHandshakeTest : public testing::Test {
 protected:
  Error error_with(const std::string& url) {
    ConnectionOptions options;
    options.url = url;
    options.connect_timeout = std::chrono::milliseconds(300);
    options.tls = trust(options).value();
    const auto opened = open_connection(options, "test");
    EXPECT_FALSE(opened);
    return opened ? Error{} : opened.error();
  }
};

TEST_F(NatsHandshakeTest, NoPasswordGoesToAServerWithoutTlsIfTheUrlWantsIt) {
  OneWordBroker broker("INFO {\"max_payload\":1048576,\"headers\":true}\r\n");
  const Error error = error_with("tls://im:secret@" + broker.address());
  EXPECT_EQ(error.code, ErrorCode::kUnavailable);
  EXPECT_NE(error.detail.find("does not speak TLS"), std::string::npos) << error.detail;
  EXPECT_EQ(broker.heard(), "");
}

TEST_F(NatsHandshakeTest, WhatStandsInPlainTextWhereTlsBeginsIsNotTakenForTheServers) {
  OneWordBroker broker(
      "INFO {\"max_payload\":1048576,\"headers\":true,\"tls_required\":true}\r\nPONG\r\n");
  const Error error = error_with("nats://im:secret@" + broker.address());
  EXPECT_NE(error.detail.find("plain text"), std::string::npos) << error.detail;
  EXPECT_EQ(broker.heard().find("secret"), std::string::npos);
}

TEST_F(NatsHandshakeTest, ABrokerThatDoesNotGoOnIsGivenUp) {
  OneWordBroker broker("INFO {\"max_payload\":1048576,\"headers\":true,\"tls_required\":true}\r\n");
  const Error error = error_with("nats://im:secret@" + broker.address());
  EXPECT_NE(error.detail.find("no answer in time"), std::string::npos) << error.detail;
  EXPECT_EQ(broker.heard().find("secret"), std::string::npos);
}

TEST(NatsTrustTest, AFileThatCanNotBeReadIsNamed) {
  ConnectionOptions options;
  options.tls_ca = "/nowhere/ca.pem";
  const auto tls = trust(options);
  ASSERT_FALSE(tls);
  EXPECT_NE(tls.error().detail.find("/nowhere/ca.pem"), std::string::npos);
}

}  // namespace
}  // namespace martlet::nats::native
