#include "net/tls.h"

#include <gtest/gtest.h>

#include "base/clock.h"
#include "tls_fixture.h"

namespace martlet::net {
namespace {

std::string ticket_key(char fill) {
  return base::to_base64(Bytes(TicketKey::kBytes, fill)) + "\n";
}

class TlsContextTest : public TlsTest {
 protected:
  std::string write(const std::string& name, const std::string& text) const {
    const std::string path = directory_ + "/" + name;
    std::ofstream(path, std::ios::trunc) << text;
    return path;
  }
  // A new connection of the same client to this server. True: it was resumed.
  bool connect_to(std::unique_ptr<TlsServer>& server) {
    at_server_ = {};
    at_client_ = {};
    server_.reset();
    client_.reset();
    std::swap(tls_server_, server);
    open_both();
    shake_hands();
    const bool resumed = server_->tls()->is_resumed();
    EXPECT_EQ(client_->tls()->is_resumed(), resumed);
    server_.reset();
    client_.reset();
    std::swap(tls_server_, server);
    return resumed;
  }
  static std::string problem(const Result<std::unique_ptr<TlsServer>>& server) {
    return server ? "" : server.error().detail;
  }
};

TEST_F(TlsContextTest, ASessionIsResumedOnTheSameServer) {
  auto server = open_server();
  EXPECT_FALSE(connect_to(server));
  EXPECT_TRUE(connect_to(server));
  EXPECT_TRUE(connect_to(server)) << "each connection leaves a ticket for the next";
}

TEST_F(TlsContextTest, ASessionIsResumedWhereTheTicketKeysAreTheSame) {
  auto alone = open_server();
  auto one = open_server(write("one", "# of today\n" + ticket_key('a')));
  auto two = open_server(write("two", ticket_key('a') + ticket_key('b')));
  EXPECT_FALSE(connect_to(one));
  EXPECT_TRUE(connect_to(two));
  EXPECT_FALSE(connect_to(alone));
  EXPECT_FALSE(connect_to(one));
}

TEST_F(TlsContextTest, AnOlderTicketKeyIsGoodWhileItIsInTheFile) {
  const std::string path = write("keys", ticket_key('a'));
  auto server = open_server(path);
  EXPECT_FALSE(connect_to(server));
  write("keys", ticket_key('b') + ticket_key('a'));
  ASSERT_TRUE(server->reload());
  EXPECT_TRUE(connect_to(server));
  write("keys", ticket_key('b'));
  ASSERT_TRUE(server->reload());
  EXPECT_TRUE(connect_to(server)) << "the ticket was renewed with the newer key";
  write("keys", ticket_key('c'));
  ASSERT_TRUE(server->reload());
  EXPECT_FALSE(connect_to(server));
}

TEST_F(TlsContextTest, WithoutAFileSessionsOutliveOneReload) {
  auto server = open_server();
  EXPECT_FALSE(connect_to(server));
  ASSERT_TRUE(server->reload());
  EXPECT_TRUE(connect_to(server));
}

TEST_F(TlsContextTest, ABadFileKeepsWhatThereWas) {
  auto server = open_server();
  const std::int64_t expires_s = server->expires_s();
  write("cert.pem", "half a certificate");
  const auto reloaded = server->reload();
  ASSERT_FALSE(reloaded);
  EXPECT_EQ(reloaded.error().detail.find("tls_cert '" + certificate_.file + "': "), 0u);
  EXPECT_EQ(server->expires_s(), expires_s);
  tls_server_ = std::move(server);
  tls_client_.reset();
  const auto old = test::make_certificate(directory_ + "/unused", "DNS:edge.test");
  SocketPair pair = make_socket_pair();
  EXPECT_NE(tls_server_->accept(), nullptr);
}

TEST_F(TlsContextTest, AConnectionKeepsItsCertificateAndANewOneGetsTheNew) {
  auto old_client = open_client();
  tls_client_ = std::move(old_client);
  open_both();
  shake_hands();
  test::make_certificate(directory_, "DNS:edge.test", 7200);
  const std::int64_t before = tls_server_->expires_s();
  ASSERT_TRUE(tls_server_->reload());
  EXPECT_NEAR(double(tls_server_->expires_s() - before), 3600, 10);
  client_->send("still here");
  carry_until([this] { return at_server_.bytes == "still here"; });
  client_.reset();
  server_.reset();
  at_server_ = {};
  at_client_ = {};
  tls_client_ = open_client();  // trusts the new one only
  open_both();
  shake_hands();
}

TEST_F(TlsContextTest, TheEndOfTheCertificateIsKnown) {
  const auto server = open_server();
  const std::int64_t now_s = SystemClock().wall_ms() / 1000;
  EXPECT_NEAR(double(server->expires_s() - now_s), 3600, 60);
}

TEST_F(TlsContextTest, AnErrorNamesWhatIsWrong) {
  const auto other = test::make_certificate(directory_ + "/other", "DNS:edge.test");
  const auto open = [this](const TlsFiles& files) {
    return problem(TlsServer::open(loop_, files));
  };
  EXPECT_EQ(open({"/none", certificate_.key_file, ""}),
            "tls_cert '/none': No such file or directory");
  EXPECT_EQ(open({certificate_.file, "/none", ""}), "tls_key '/none': No such file or directory");
  EXPECT_EQ(open({certificate_.file, other.key_file, ""}),
            "tls_key '" + other.key_file + "': key values mismatch");
  EXPECT_EQ(open({certificate_.key_file, certificate_.key_file, ""}),
            "tls_cert '" + certificate_.key_file + "': no start line");
  const std::string keys = write("keys", ticket_key('a') + "half");
  EXPECT_EQ(open({certificate_.file, certificate_.key_file, keys}),
            "tls_ticket_keys '" + keys + "': line 2 is not the base64 of 80 bytes");
  EXPECT_EQ(open({certificate_.file, certificate_.key_file, "/none"}),
            "tls_ticket_keys '/none': can't be read");
}

TEST_F(TlsContextTest, TicketKeysHaveALimit) {
  std::string text;
  for (std::size_t i = 0; i < kMaxTicketKeys; ++i) text += ticket_key(char('a' + i));
  EXPECT_EQ(parse_ticket_keys(text)->size(), kMaxTicketKeys);
  EXPECT_FALSE(parse_ticket_keys(text + ticket_key('z')));
  EXPECT_FALSE(parse_ticket_keys("# none\n\n"));
  EXPECT_TRUE(parse_ticket_keys("\r\n" + base::to_base64(Bytes(80, 'x')) + "\r\n"));
}

TEST_F(TlsContextTest, AClientSaysWhichFileItCantRead) {
  const auto client = TlsClient::open({"/none", ""});
  ASSERT_FALSE(client);
  EXPECT_EQ(client.error().detail, "'/none': No such file or directory");
}

}  // namespace
}  // namespace martlet::net
