#include "service/http_server.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "service/limits.h"
#include "support/http_client.h"

namespace martlet::service {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test::HttpClient;

class HttpServerTest : public testing::Test {
 protected:
  HttpServerTest() { std::signal(SIGPIPE, SIG_IGN); }  // as the services do

  void listen(HttpLimits limits = {}) {
    server.emplace(loop, limits);
    const auto bound = server->listen({"127.0.0.1", 0});
    ASSERT_TRUE(bound);
    port = bound->port;
  }
  // Runs the loop while the client works on a thread of its own.
  void run(const std::function<void()>& client) {
    std::thread thread([&] {
      client();
      loop.stop();
    });
    loop.run();
    thread.join();
  }

  event::Loop loop;
  std::optional<HttpServer> server;
  std::uint16_t port = 0;
};

TEST_F(HttpServerTest, AnswersARoute) {
  listen();
  server->route("/hello",
                [](const HttpRequest&, const HttpReply& reply) { reply.text(200, "hi"); });
  std::string answer;
  run([&] {
    HttpClient client(port);
    client.get("/hello?x=1");
    answer = client.read_until("hi");
  });
  EXPECT_NE(answer.find("HTTP/1.1 200 OK"), std::string::npos);
  EXPECT_NE(answer.find("Content-Type: text/plain"), std::string::npos);
}

TEST_F(HttpServerTest, TellsTheParametersOfAQuery) {
  listen();
  std::string seen;
  server->route("/route", [&](const HttpRequest& request, const HttpReply& reply) {
    seen = std::string(request.parameter("user")) + "," +
           std::string(request.parameter("strategy")) + "," +
           std::string(request.parameter("none"));
    reply.text(200, "hi");
  });
  run([&] {
    HttpClient client(port);
    client.get("/route?user=a%20b&strategy=best");
    client.read_until("hi");
  });
  EXPECT_EQ(seen, "a b,best,");
}

class HttpStreamTest : public HttpServerTest {
 protected:
  // Every request to /events becomes a stream.
  void serve(HttpLimits limits = {}) {
    listen(limits);
    server->route("/events", [this](const HttpRequest& request, const HttpReply& reply) {
      wanted_events = request.wants_events;
      streams.push_back(reply.stream());
      streams.back().send("first", "{}");
    });
  }
  void ask(HttpClient& client) {
    client.send("GET /events HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n\r\n");
  }

  std::vector<HttpStream> streams;
  bool wanted_events = false;
};

TEST_F(HttpStreamTest, SendsEventsAsTheyCome) {
  serve();
  event::Timer later(loop, [this] {
    for (const HttpStream& stream : streams) stream.beat();
    for (const HttpStream& stream : streams) stream.send("second", "{\"x\":1}");
    streams.clear();
  });
  std::string all;
  later.start_every(milliseconds(50));
  run([&] {
    HttpClient client(port);
    ask(client);
    all = client.read_until("0\r\n\r\n");
  });
  EXPECT_TRUE(wanted_events);
  EXPECT_NE(all.find("Content-Type: text/event-stream"), std::string::npos);
  EXPECT_NE(all.find("event: first\ndata: {}\n\n"), std::string::npos);
  EXPECT_NE(all.find(":\n\n"), std::string::npos);
  EXPECT_NE(all.find("event: second\ndata: {\"x\":1}\n\n"), std::string::npos);
}

TEST_F(HttpStreamTest, OutlivesTheAgeAndTheSilenceOfAnOrdinaryConnection) {
  HttpLimits limits;
  limits.idle = milliseconds(300);
  limits.connection_age = milliseconds(300);
  serve(limits);
  event::Timer later(loop, [this] {
    for (const HttpStream& stream : streams) stream.send("second", "{}");
  });
  later.start_once(milliseconds(1'000));
  std::string all;
  run([&] {
    HttpClient client(port);
    ask(client);
    all = client.read_until("second");
  });
  EXPECT_NE(all.find("second"), std::string::npos);
}

TEST_F(HttpStreamTest, NoticesThatItsReaderHasGone) {
  serve();
  event::Timer poll(loop, [this] {
    if (!streams.empty() && streams.back().is_gone()) loop.stop();
  });
  poll.start_every(milliseconds(5));
  std::thread thread([&] {
    HttpClient client(port);
    ask(client);
    client.read_until("first");
  });
  loop.run();
  thread.join();
  ASSERT_EQ(streams.size(), 1U);
  streams.back().send("late", "{}");  // goes nowhere
}

TEST_F(HttpStreamTest, ClosesOnAReaderThatDoesNotRead) {
  serve();
  const std::string much(64 * 1024, 'x');
  std::size_t sent = 0;
  event::Timer flood(loop, [&] {
    if (streams.empty()) return;
    if (streams.back().is_gone()) return loop.stop();
    streams.back().send("much", much);
    sent += much.size();
  });
  flood.start_every(milliseconds(1));
  HttpClient client(port);
  ask(client);
  loop.run();
  EXPECT_GE(sent, kMaxHttpUnsentBytes);
  EXPECT_LT(sent, 64 * kMaxHttpUnsentBytes) << "what the kernel takes, and the limit";
}

TEST_F(HttpServerTest, StarsOfARouteStandForOnePartOfThePath) {
  listen();
  std::string seen;
  server->route("/v1/users/*/sessions", [&](const HttpRequest& request, const HttpReply& reply) {
    seen = request.stars.at(0);
    reply.text(200, "found");
  });
  std::string good;
  std::string bad;
  run([&] {
    HttpClient client(port);
    client.get("/v1/users/bob/sessions");
    good = client.read_until("found");
    client.get("/v1/users//sessions");
    bad = client.read_until("no such page");
  });
  EXPECT_EQ(seen, "bob");
  EXPECT_NE(bad.find("404"), std::string::npos);
}

TEST_F(HttpServerTest, RefusesOtherMethods) {
  listen();
  server->route("/x", [](const HttpRequest&, const HttpReply& reply) { reply.text(200, "hi"); });
  std::string answer;
  run([&] {
    HttpClient client(port);
    client.send("DELETE /x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    answer = client.read_all();
  });
  EXPECT_NE(answer.find("HTTP/1.1 501"), std::string::npos);
}

TEST_F(HttpServerTest, AnswersLater) {
  listen();
  event::Timer timer(loop, [] {});
  std::optional<HttpReply> kept;
  event::Timer later(loop, [&] { kept->text(200, "late"); });
  server->route("/x", [&](const HttpRequest&, const HttpReply& reply) {
    kept = reply;
    later.start_once(milliseconds(1));
  });
  std::string answer;
  run([&] {
    HttpClient client(port);
    client.get("/x");
    answer = client.read_until("late");
  });
  EXPECT_NE(answer.find("200 OK"), std::string::npos);
}

TEST_F(HttpServerTest, ARequestBehindOneThatWaitsIsAnsweredAfterIt) {
  listen();
  std::vector<HttpReply> kept;
  server->route("/slow", [&](const HttpRequest&, const HttpReply& reply) {
    kept.push_back(reply);
    loop.post([&] { kept.front().text(200, "slow"); });
  });
  server->route("/fast",
                [](const HttpRequest&, const HttpReply& reply) { reply.text(200, "fast"); });
  std::string answer;
  run([&] {
    HttpClient client(port);
    client.send("GET /slow HTTP/1.1\r\nHost: x\r\n\r\nGET /fast HTTP/1.1\r\nHost: x\r\n\r\n");
    answer = client.read_until("fast");
  });
  EXPECT_LT(answer.find("slow"), answer.find("fast"));
}

TEST_F(HttpServerTest, AnAnswerToAConnectionThatIsGoneIsDropped) {
  listen({.idle = milliseconds(50), .connection_age = milliseconds(50)});
  std::optional<HttpReply> kept;
  bool closed = false;
  server->route("/x", [&](const HttpRequest&, const HttpReply& reply) { kept = reply; });
  run([&] {
    HttpClient client(port);
    client.get("/x");
    client.close();
    HttpClient other(port);
    other.read_all();  // the age limit ends it, and with it the older one
    closed = true;
  });
  ASSERT_TRUE(kept);
  kept->text(200, "too late");
  EXPECT_TRUE(closed);
}

TEST_F(HttpServerTest, AnswersMayOutliveTheServer) {
  listen();
  std::optional<HttpReply> kept;
  server->route("/x", [&](const HttpRequest&, const HttpReply& reply) {
    kept = reply;
    loop.stop();
  });
  std::thread thread([&] {
    HttpClient client(port);
    client.get("/x");
    client.read_all();
  });
  loop.run();
  server.reset();
  kept->text(200, "too late");
  thread.join();
}

TEST_F(HttpServerTest, ARequestThatNobodyAnswersGets500) {
  listen();
  server->route("/x", [](const HttpRequest&, const HttpReply&) {});
  std::string answer;
  run([&] {
    HttpClient client(port);
    client.get("/x");
    answer = client.read_until("no answer");
  });
  EXPECT_NE(answer.find("HTTP/1.1 500"), std::string::npos);
}

TEST_F(HttpServerTest, HeadersOverTheLimitAreRefused) {
  listen({.max_header_bytes = 256});
  server->route("/x", [](const HttpRequest&, const HttpReply& reply) { reply.text(200, "hi"); });
  std::string small;
  std::string large;
  run([&] {
    HttpClient one(port);
    one.send("GET /x HTTP/1.1\r\nHost: x\r\nConnection: close\r\nA: " + std::string(100, 'a') +
             "\r\n\r\n");
    small = one.read_all();
    HttpClient two(port);
    two.send("GET /x HTTP/1.1\r\nHost: x\r\nConnection: close\r\nA: " + std::string(1000, 'a') +
             "\r\n\r\n");
    large = two.read_all();
  });
  EXPECT_NE(small.find("200 OK"), std::string::npos);
  EXPECT_EQ(large.find("200 OK"), std::string::npos);
}

TEST_F(HttpServerTest, ConnectionsOverTheLimitWaitUntilOneEnds) {
  listen({.max_connections = 2});
  server->route("/x", [](const HttpRequest&, const HttpReply& reply) { reply.text(200, "hi"); });
  std::size_t most = 0;
  event::Timer watch(loop, [&] { most = std::max(most, server->connections()); });
  watch.start_every(milliseconds(1));
  std::string answer;
  run([&] {
    HttpClient one(port);
    one.get("/x");
    one.read_until("hi");
    HttpClient two(port);
    two.get("/x");
    two.read_until("hi");
    HttpClient three(port);
    three.get("/x");
    one.close();
    answer = three.read_until("hi");
  });
  EXPECT_NE(answer.find("200 OK"), std::string::npos);
  EXPECT_EQ(most, 2U);
}

TEST_F(HttpServerTest, ASilentConnectionIsClosed) {
  listen({.idle = milliseconds(20)});
  std::string answer = "x";
  run([&] {
    HttpClient client(port);
    answer = client.read_all();
  });
  EXPECT_EQ(answer, "");
}

TEST_F(HttpServerTest, AConnectionThatSendsAByteNowAndThenIsClosedForItsAge) {
  listen({.idle = seconds(60), .connection_age = milliseconds(200)});
  bool ended = false;
  run([&] {
    HttpClient client(port);
    client.send("GET /");
    ended = client.read_all().empty();
  });
  EXPECT_TRUE(ended);
}

TEST_F(HttpServerTest, TheCountForgetsClosedConnections) {
  listen();
  std::optional<event::Timer> poll;
  std::thread thread([&] {
    HttpClient client(port);
    client.get("/none");
    client.read_until("no such page");
    client.close();
    loop.post([&] {
      poll.emplace(loop, [&] {
        if (server->connections() == 0) loop.stop();
      });
      poll->start_every(milliseconds(5));
    });
  });
  loop.run();
  thread.join();
  EXPECT_EQ(server->connections(), 0U);
}

// libevent believes that it watches a descriptor as long as nobody told it otherwise: a connection
// must not close its socket before that, or the next socket with the number is deaf.
TEST_F(HttpServerTest, SocketsThatFollowAClosedConnectionAreHeard) {
  listen();
  server->route("/x", [](const HttpRequest&, const HttpReply& reply) { reply.text(200, "hi"); });
  std::array<std::array<int, 2>, 16> pairs{};
  std::vector<std::unique_ptr<event::SocketWatch>> watches;
  std::size_t heard = 0;
  std::promise<void> all_heard;
  const auto watch = [&](const std::array<int, 2>& pair) {
    const std::size_t index = watches.size();
    watches.push_back(std::make_unique<event::SocketWatch>(loop, pair[0], [&, index](bool, bool) {
      watches[index]->want(false, false);
      if (++heard == pairs.size()) all_heard.set_value();
    }));
    watches.back()->want(true, false);
    ASSERT_EQ(::write(pair[1], "x", 1), 1);
  };
  run([&] {
    HttpClient client(port);
    client.send("GET /x HTTP/1.1\r\nConnection: close\r\n\r\n");
    client.read_all();
    // At once, before the server has swept.
    loop.post([&] {
      for (auto& pair : pairs) {
        ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, pair.data()), 0);
        watch(pair);
      }
    });
    all_heard.get_future().wait_for(seconds(5));
  });
  EXPECT_EQ(heard, pairs.size());
  watches.clear();
  for (const auto& pair : pairs) {
    ::close(pair[0]);
    ::close(pair[1]);
  }
}

TEST(HttpServerListen, ATakenPortIsNamed) {
  event::Loop loop;
  HttpServer one(loop);
  const auto bound = one.listen({"127.0.0.1", 0});
  ASSERT_TRUE(bound);
  HttpServer two(loop);
  const auto again = two.listen(*bound);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().detail,
            "can't listen on " + config::to_string(*bound) + ": Address already in use");
}

}  // namespace
}  // namespace martlet::service
