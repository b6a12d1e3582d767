#include "api/application.h"

#include <gtest/gtest.h>

#include <optional>
#include <thread>

#include "bus/subjects.h"
#include "support/http_client.h"
#include "wire/envelopes.h"

namespace martlet::api {
namespace {

using test::HttpClient;

// Only what the api uses: one subscription, and the barrier behind it.
class FakeBus final : public bus::Bus {
 public:
  bus::SendResult publish(std::string_view, BytesView) override {
    return bus::SendResult::kDropped;
  }
  std::unique_ptr<bus::Subscription> subscribe(std::string_view subject, std::string_view,
                                               bus::Priority, Handler wanted) override {
    subscribed = subject;
    handler = std::move(wanted);
    return std::make_unique<bus::Subscription>();
  }
  void request(std::string_view, BytesView, Duration, Reply) override {}
  void reply(std::string_view, BytesView) override {}
  void after_subscriptions(Duration, Done callback) override { barrier = std::move(callback); }
  void after_publishes(Duration, Done) override {}
  void on_state(std::function<void(bus::BusState)>) override {}
  bool is_connected() const override { return connected; }

  std::string subscribed;
  Handler handler;
  Done barrier;
  bool connected = true;
};

class FakeSessions final : public registry::Sessions {
 public:
  void add(const registry::SessionRecord&) override {}
  void remove(const registry::SessionRecord&) override {}
  void read(const UserId& user, Records callback) override {
    asked = user.str();
    callback(answer);
  }
  std::uint64_t dropped() const override { return 0; }

  std::string asked;
  Result<std::vector<registry::SessionRecord>> answer;
};

class ApiApplicationTest : public testing::Test {
 protected:
  ApiApplicationTest() {
    port = http.listen({"127.0.0.1", 0})->port;
    auto owned_bus = std::make_unique<FakeBus>();
    auto owned_sessions = std::make_unique<FakeSessions>();
    bus = owned_bus.get();
    sessions = owned_sessions.get();
    application.emplace(context, std::move(owned_bus), std::move(owned_sessions));
    application->start([this](const Result<void>& result) { started = result.has_value(); });
  }

  void beat(const std::string& id) {
    wire::EdgeBeat one;
    one.edge = EdgeId::trusted(id);
    const std::string address = "127.0.0.1:" + id;  // the struct holds views
    one.address = address;
    bus->handler({bus::subject::edge_beat(one.edge), "", wire::encode(one)});
  }
  // The whole answer to GET path.
  std::string get(const std::string& path) {
    std::string answer;
    std::thread thread([&] {
      HttpClient client(port);
      client.get(path);
      answer = client.read_until("}\n");
      loop.stop();
    });
    loop.run();
    thread.join();
    return answer;
  }

  event::Loop loop;
  metrics::Registry registry;
  service::HttpServer http{loop};
  service::CommonOptions common;
  service::Context context{loop, registry, http, common, "", [](const std::string&) {}};
  FakeBus* bus = nullptr;
  FakeSessions* sessions = nullptr;
  std::optional<ApiApplication> application;
  std::uint16_t port = 0;
  bool started = false;
};

TEST_F(ApiApplicationTest, ServesWhenTheBrokerKnowsItsSubscription) {
  EXPECT_EQ(bus->subscribed, bus::subject::all_edge_beats());
  EXPECT_FALSE(started);
  bus->barrier({});
  EXPECT_TRUE(started);
}

TEST_F(ApiApplicationTest, IsNotReadyWithoutTheBroker) {
  EXPECT_TRUE(application->ready());
  bus->connected = false;
  EXPECT_FALSE(application->ready());
}

TEST_F(ApiApplicationTest, ListsTheEdgesThatItHears) {
  beat("2");
  beat("1");
  const std::string answer = get("/v1/edges");
  EXPECT_NE(answer.find("200 OK"), std::string::npos);
  EXPECT_NE(answer.find("Content-Type: application/json"), std::string::npos);
  ASSERT_NE(answer.find("\"edge\":\"1\""), std::string::npos) << answer;
  EXPECT_LT(answer.find("\"edge\":\"1\""), answer.find("\"edge\":\"2\""));
  EXPECT_NE(answer.find("\"edge\":\"2\""), std::string::npos);
}

TEST_F(ApiApplicationTest, CountsMalformedHeartbeats) {
  bus->handler({"im.hb.edge.x", "", "garbage"});
  EXPECT_NE(registry.render().find("martlet_api_bad_edge_beats_total 1\n"), std::string::npos);
}

TEST_F(ApiApplicationTest, ReadsTheSessionsOfAUser) {
  registry::SessionRecord record;
  record.user = UserId::trusted("bob");
  record.device = DeviceId::trusted("phone");
  record.edge = EdgeId::trusted("e1");
  sessions->answer = std::vector{record};
  const std::string answer = get("/v1/users/bob/sessions");
  EXPECT_EQ(sessions->asked, "bob");
  EXPECT_NE(answer.find("\"device\":\"phone\""), std::string::npos);
}

TEST_F(ApiApplicationTest, AnIdThatIsNoneIsRefused) {
  const std::string answer = get("/v1/users/b.b/sessions");
  EXPECT_NE(answer.find("HTTP/1.1 400"), std::string::npos);
  EXPECT_NE(answer.find("BAD_ID"), std::string::npos);
  EXPECT_EQ(sessions->asked, "");
}

TEST_F(ApiApplicationTest, ADirectoryThatDoesNotAnswerIs503) {
  sessions->answer = fail(ErrorCode::kUnavailable, "no directory");
  EXPECT_NE(get("/v1/users/bob/sessions").find("HTTP/1.1 503"), std::string::npos);
}

}  // namespace
}  // namespace martlet::api
