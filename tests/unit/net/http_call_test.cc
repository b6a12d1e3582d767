#include "net/http_call.h"

#include <gtest/gtest.h>

#include <csignal>
#include <memory>
#include <thread>
#include <vector>

#include "net/listener.h"
#include "service/http_server.h"

namespace martlet::net {
namespace {

using namespace std::chrono_literals;

class HttpCallTest : public testing::Test {
 protected:
  HttpCallTest() {
    std::signal(SIGPIPE, SIG_IGN);  // as the services do
    server_.route("/hello", [](const service::HttpRequest&, const service::HttpReply& reply) {
      reply.text(200, "hi");
    });
    server_.route("/much", [](const service::HttpRequest&, const service::HttpReply& reply) {
      reply.text(200, std::string(HttpQuestion{}.max_answer_bytes + 1, 'x'));
    });
    url_ = "http://127.0.0.1:" + std::to_string(server_.listen({"127.0.0.1", 0})->port);
  }
  Result<HttpAnswer> get(const std::string& url, const std::string& path, Duration timeout = 20s) {
    return ask(url, {path}, timeout);
  }
  Result<HttpAnswer> ask(const std::string& url, const HttpQuestion& question,
                         Duration timeout = 20s) {
    Result<HttpAnswer> result = fail(ErrorCode::kInternal, "not called");
    const HttpCall one(loop_, url, question, timeout, [&](Result<HttpAnswer> answer) {
      result = std::move(answer);
      loop_.stop();
    });
    loop_.run();
    return result;
  }

  event::Loop loop_;
  service::HttpServer server_{loop_};
  std::string url_;
};

TEST_F(HttpCallTest, GetsAnAnswer) {
  const auto answer = get(url_, "/hello");
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(answer->body, "hi");
}

TEST_F(HttpCallTest, PostsWithAToken) {
  server_.route(
      "/act",
      [](const service::HttpRequest& request, const service::HttpReply& reply) {
        reply.text(200, request.bearer);
      },
      service::HttpMethod::kPost);
  EXPECT_EQ(ask(url_, {"/act", HttpMethod::kPost, "a-token"}).value().body, "a-token");
  EXPECT_EQ(ask(url_, {"/act", HttpMethod::kPost}).value().body, "");
  EXPECT_EQ(get(url_, "/act").value().status, 405);
  EXPECT_EQ(ask(url_, {"/hello", HttpMethod::kPost}).value().status, 405);
}

TEST_F(HttpCallTest, AnAddressInBrackets) {
  EXPECT_EQ(get("http://[::1]:1", "/", 20s).error().code, ErrorCode::kUnavailable);
}

TEST_F(HttpCallTest, ARefusalIsAnAnswer) {
  EXPECT_EQ(get(url_, "/none").value().status, 404);
}

TEST_F(HttpCallTest, NamesAreLookedUp) {
  const std::string port = url_.substr(url_.rfind(':'));
  EXPECT_EQ(get("http://localhost" + port, "/hello").value().body, "hi");
}

TEST_F(HttpCallTest, WhatIsNoUrlIsRefused) {
  for (const char* url : {"", "nonsense", "https://127.0.0.1:1", "127.0.0.1:80"}) {
    EXPECT_EQ(get(url, "/").error().code, ErrorCode::kBadBody) << url;
  }
}

TEST_F(HttpCallTest, NobodyThereIsNoAnswer) {
  EXPECT_EQ(get("http://127.0.0.1:1", "/").error().code, ErrorCode::kUnavailable);
}

TEST_F(HttpCallTest, WaitsNoLongerThanItMay) {
  std::vector<UniqueFd> kept;
  const auto silent = Listener::open(loop_, {"127.0.0.1", 0}, {},
                                     [&](UniqueFd fd) { kept.push_back(std::move(fd)); });
  int calls = 0;
  const HttpCall one(loop_, "http://" + (*silent)->address().str(), HttpQuestion{"/"}, 50ms,
                     [&](const Result<HttpAnswer>& answer) {
                       EXPECT_EQ(answer.error().code, ErrorCode::kUnavailable);
                       ++calls;
                       kept.clear();  // what comes now is too late
                     });
  event::Timer end(loop_, [this] { loop_.stop(); });
  end.start_once(200ms);
  loop_.run();
  EXPECT_EQ(calls, 1);
}

TEST_F(HttpCallTest, TakesNoEndlessAnswer) {
  EXPECT_EQ(get(url_, "/much").error().code, ErrorCode::kUnavailable);
}

TEST_F(HttpCallTest, MayBeGivenUpAtAnyTime) {
  for (int turns = 0; turns < 6; ++turns) {
    auto one = std::make_unique<HttpCall>(loop_, url_, HttpQuestion{"/hello"}, 20s,
                                          [](const Result<HttpAnswer>&) {});
    int left = turns;
    event::Timer poll(loop_, [&] {
      if (left-- > 0) return;
      one.reset();
      loop_.stop();
    });
    poll.start_every(std::chrono::microseconds(100));
    loop_.run();
  }
  EXPECT_EQ(get(url_, "/hello").value().body, "hi");
}

TEST_F(HttpCallTest, BlocksOnALoopOfItsOwn) {
  EXPECT_EQ(call_http("http://127.0.0.1:1", {"/"}, 20s).error().code, ErrorCode::kUnavailable);
  Result<HttpAnswer> answer;
  std::thread thread([&] {
    answer = call_http(url_, {"/hello"}, 20s);
    loop_.stop();
  });
  loop_.run();
  thread.join();
  EXPECT_EQ(answer.value().body, "hi");
}

}  // namespace
}  // namespace martlet::net
