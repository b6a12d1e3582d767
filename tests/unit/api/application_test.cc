#include "api/application.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <map>
#include <optional>
#include <thread>
#include <vector>

#include "bus/subjects.h"
#include "support/http_client.h"
#include "wire/admin.h"
#include "wire/envelopes.h"
#include "wire/rpc.h"

namespace martlet::api {
namespace {

using test::HttpClient;

// Only what the api uses: subscriptions, the barrier behind them, and replies.
class FakeBus final : public bus::Bus {
 public:
  bus::SendResult publish(std::string_view, BytesView) override {
    return bus::SendResult::kDropped;
  }
  std::unique_ptr<bus::Subscription> subscribe(std::string_view subject, std::string_view,
                                               bus::Priority, Handler wanted) override {
    handlers[std::string(subject)] = std::move(wanted);
    return std::make_unique<bus::Subscription>();
  }
  void request(std::string_view subject, BytesView payload, Duration, Reply callback) override {
    asked.emplace_back(std::string(subject), Bytes(payload));
    callback(answer);
  }
  void reply(std::string_view, BytesView payload) override { replies.emplace_back(payload); }
  void after_subscriptions(Duration, Done callback) override { barrier = std::move(callback); }
  void after_publishes(Duration, Done) override {}
  void on_state(std::function<void(bus::BusState)> wanted) override { state = std::move(wanted); }
  bool is_connected() const override { return connected; }

  std::map<std::string, Handler> handlers;
  std::function<void(bus::BusState)> state;
  std::vector<Bytes> replies;
  std::vector<std::pair<std::string, Bytes>> asked;
  Result<Bytes> answer = fail(ErrorCode::kTimeout);
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

// Tokens of each role, in a file.
struct Tokens {
  Tokens() {
    std::string pattern = std::filesystem::temp_directory_path() / "api-XXXXXX";
    directory = ::mkdtemp(pattern.data());
    file = directory / "tokens";
    SystemRandom random;
    for (const auto role : {auth::Role::kViewer, auth::Role::kOperator, auth::Role::kAdmin}) {
      of[role] =
          auth::add_api_token(file, {"the-" + std::string(role_name(role)), role}, random).value();
    }
  }
  ~Tokens() { std::filesystem::remove_all(directory); }

  std::filesystem::path directory;
  std::filesystem::path file;
  std::map<auth::Role, std::string> of;
};

class ApiApplicationTest : public testing::Test {
 protected:
  ApiApplicationTest() {
    port = http.listen({"127.0.0.1", 0})->port;
    auto owned_bus = std::make_unique<FakeBus>();
    auto owned_sessions = std::make_unique<FakeSessions>();
    bus = owned_bus.get();
    sessions = owned_sessions.get();
    ApiOptions options;
    options.first_look = std::chrono::milliseconds(50);
    application.emplace(context, std::move(owned_bus), std::move(owned_sessions),
                        auth::ApiTokens::open(tokens.file).value(), options);
    application->start([this](const Result<void>& result) { started = result.has_value(); });
  }

  void beat(const std::string& id, std::uint32_t connections = 0, bool draining = false) {
    wire::EdgeBeat one;
    one.edge = EdgeId::trusted(id);
    const std::string address = "127.0.0.1:" + id;  // the struct holds views
    one.address = address;
    one.connections = connections;
    one.draining = draining;
    hear(bus::subject::edge_beat(one.edge), "", wire::encode(one));
  }
  void hear(const std::string& subject, const std::string& reply, BytesView payload) {
    const bool is_beat = subject.starts_with("im.hb.");
    bus->handlers.at(is_beat ? bus::subject::all_edge_beats() : subject)({subject, reply, payload});
  }
  // Serving, and long enough to have heard all edges.
  void become_ready() {
    bus->barrier({});
    wait_ready();
  }
  void wait_ready() {
    event::Timer poll(loop, [this] {
      if (application->ready()) loop.stop();
    });
    poll.start_every(std::chrono::milliseconds(10));
    loop.run();
  }
  std::vector<wire::Move> ask_moves(const std::string& edge, std::uint32_t sessions,
                                    bool draining) {
    const wire::MovesQuestion question{EdgeId::trusted(edge), sessions, draining};
    hear(bus::subject::rpc_moves(), "reply", wire::encode(question));
    return wire::parse_moves_answer(bus->replies.back()).value().moves;
  }
  // The whole answer to GET path, for an administrator.
  std::string get(const std::string& path, const std::string& until = "}\n",
                  const std::string& headers = "") {
    return ask("GET " + path, auth::Role::kAdmin, until, headers);
  }
  // role: none: without a token.
  std::string ask(const std::string& what, std::optional<auth::Role> role,
                  const std::string& until = "}\n", const std::string& headers = "") {
    const std::string bearer =
        role ? "Authorization: Bearer " + tokens.of.at(*role) + "\r\n" : std::string();
    std::string answer;
    std::thread thread([&] {
      HttpClient client(port);
      client.send(what + " HTTP/1.1\r\nHost: x\r\n" + bearer + headers + "\r\n");
      answer = client.read_until(until);
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
  Tokens tokens;
  FakeBus* bus = nullptr;
  FakeSessions* sessions = nullptr;
  std::optional<ApiApplication> application;
  std::uint16_t port = 0;
  bool started = false;
};

TEST_F(ApiApplicationTest, ServesWhenTheBrokerKnowsItsSubscription) {
  EXPECT_TRUE(bus->handlers.contains(bus::subject::all_edge_beats()));
  EXPECT_FALSE(started);
  bus->barrier({});
  EXPECT_TRUE(started);
}

TEST_F(ApiApplicationTest, IsNotReadyWithoutTheBroker) {
  become_ready();
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

TEST_F(ApiApplicationTest, IsNotReadyBeforeItCanHaveHeardAllEdges) {
  bus->barrier({});
  EXPECT_FALSE(application->ready());
  beat("1");
  EXPECT_NE(get("/v1/route?user=ann").find("HTTP/1.1 503"), std::string::npos);
  EXPECT_FALSE(bus->handlers.contains(bus::subject::rpc_moves())) << "another api answers";
  wait_ready();
  EXPECT_TRUE(bus->handlers.contains(bus::subject::rpc_moves()));
  EXPECT_NE(get("/v1/route?user=ann").find("200 OK"), std::string::npos);
}

TEST_F(ApiApplicationTest, ListensAnewWhenTheBrokerIsBack) {
  become_ready();
  bus->state(bus::BusState::kReconnected);
  EXPECT_FALSE(application->ready());
  wait_ready();
}

TEST_F(ApiApplicationTest, RoutesToTheLeastActive) {
  become_ready();
  beat("1", 10);
  beat("2", 5);
  const std::string answer = get("/v1/route?user=ann");
  EXPECT_NE(answer.find("200 OK"), std::string::npos);
  EXPECT_NE(answer.find(R"("address":"127.0.0.1:2")"), std::string::npos) << answer;
  EXPECT_NE(answer.find(R"("strategy":"least_active")"), std::string::npos) << answer;
}

TEST_F(ApiApplicationTest, WhoWasSentSomewhereCountsThereAtOnce) {
  become_ready();
  beat("1", 6);
  beat("2", 5);
  get("/v1/route?user=ann");
  get("/v1/route?user=ben");
  const std::string answer = get("/v1/route?user=cid&strategy=least_active");
  EXPECT_NE(answer.find(R"("address":"127.0.0.1:)"), std::string::npos) << answer;
  beat("1", 6);
  beat("1", 6);
  beat("2", 9);
  beat("2", 9);
  EXPECT_NE(get("/v1/route?user=dan").find(R"("127.0.0.1:1")"), std::string::npos);
}

TEST_F(ApiApplicationTest, RoutesByTheStrategyThatIsAskedFor) {
  become_ready();
  beat("1");
  for (const StrategyName& entry : kStrategies) {
    const std::string name(entry.name);
    const std::string answer = get("/v1/route?user=ann&strategy=" + name);
    EXPECT_NE(answer.find("\"strategy\":\"" + name + "\""), std::string::npos) << answer;
  }
}

TEST_F(ApiApplicationTest, RefusesARouteThatItCannotGive) {
  become_ready();
  EXPECT_NE(get("/v1/route?user=ann").find("HTTP/1.1 503"), std::string::npos) << "no edge";
  beat("1", 0, true);
  EXPECT_NE(get("/v1/route?user=ann").find("HTTP/1.1 503"), std::string::npos) << "it drains";
  beat("2");
  EXPECT_NE(get("/v1/route").find("BAD_ID"), std::string::npos);
  EXPECT_NE(get("/v1/route?user=a.b").find("BAD_ID"), std::string::npos);
  const std::string unknown = get("/v1/route?user=ann&strategy=best");
  EXPECT_NE(unknown.find("HTTP/1.1 400"), std::string::npos);
  EXPECT_NE(unknown.find("BAD_RANGE"), std::string::npos);
}

TEST_F(ApiApplicationTest, TellsEdgesWhereTheirSessionsGo) {
  become_ready();
  beat("1", 100);
  beat("2", 0);
  EXPECT_EQ(ask_moves("1", 100, false), (std::vector<wire::Move>{{"127.0.0.1:2", 50}}));
  EXPECT_TRUE(ask_moves("2", 0, false).empty());
  beat("1", 100, true);
  EXPECT_EQ(ask_moves("1", 100, true), (std::vector<wire::Move>{{"127.0.0.1:2", 100}}));
  beat("3", 0);
  EXPECT_TRUE(ask_moves("2", 100, false).empty()) << "more are about to come";
}

TEST_F(ApiApplicationTest, AMalformedQuestionHasNoAnswer) {
  become_ready();
  hear(bus::subject::rpc_moves(), "reply", "garbage");
  EXPECT_TRUE(bus->replies.empty());
}

TEST_F(ApiApplicationTest, StreamsChangesOfTheEdges) {
  beat("1");
  event::Timer changes(loop, [this] {
    beat("2");
    beat("1", 0, true);
  });
  changes.start_once(std::chrono::milliseconds(100));
  const std::string events = get("/v1/edges", "\"draining\":true", "Accept: text/event-stream\r\n");
  EXPECT_NE(events.find("Content-Type: text/event-stream"), std::string::npos);
  const std::size_t all = events.find("event: edges\ndata: {\"edges\":[{\"edge\":\"1\"");
  const std::size_t second = events.find("event: edge\ndata: {\"edge\":\"2\"");
  ASSERT_NE(all, std::string::npos) << events;
  ASSERT_NE(second, std::string::npos) << events;
  EXPECT_LT(all, second);
}

TEST_F(ApiApplicationTest, SaysHowManyEdgesTheLoadAsksFor) {
  become_ready();
  beat("1");
  beat("2", 0, true);
  const std::string answer = get("/v1/scale");
  EXPECT_NE(answer.find("\"live_edges\":1"), std::string::npos) << answer;
}

TEST_F(ApiApplicationTest, CountsMalformedHeartbeats) {
  hear("im.hb.edge.x", "", "garbage");
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

// ---- who may do what ----------------------------------------------------------------------------

TEST_F(ApiApplicationTest, PagesNeedAToken) {
  become_ready();
  beat("1");
  for (const char* page : {"/v1/edges", "/v1/scale", "/v1/users/bob/sessions", "/v1/audit"}) {
    const std::string what = std::string("GET ") + page;
    EXPECT_NE(ask(what, std::nullopt).find("HTTP/1.1 401"), std::string::npos) << page;
    EXPECT_NE(ask(what, std::nullopt, "}\n", "Authorization: Bearer ma1_wrong\r\n")
                  .find("NOT_AUTHENTICATED"),
              std::string::npos)
        << page;
  }
  EXPECT_NE(ask("GET /v1/route?user=ann", std::nullopt).find("200 OK"), std::string::npos)
      << "clients ask before they are anybody";
}

TEST_F(ApiApplicationTest, EachActNeedsItsRole) {
  beat("1");
  bus->answer = wire::encode(wire::AdminAnswer{});
  using auth::Role;
  const std::map<std::string, Role> acts = {{"POST /v1/edges/1/drain", Role::kOperator},
                                            {"POST /v1/users/bob/kick", Role::kOperator},
                                            {"POST /v1/users/bob/devices/tv/kick", Role::kOperator},
                                            {"POST /v1/users/bob/revoke", Role::kAdmin},
                                            {"POST /v1/users/bob/devices/tv/revoke", Role::kAdmin},
                                            {"POST /v1/users/bob/devices/tv/ban", Role::kAdmin},
                                            {"POST /v1/users/bob/devices/tv/unban", Role::kAdmin}};
  for (const auto& [what, needed] : acts) {
    for (const Role role : {Role::kViewer, Role::kOperator, Role::kAdmin}) {
      bus->asked.clear();
      const std::string answer = ask(what, role);
      const char* expected = role < needed ? "HTTP/1.1 403" : "HTTP/1.1 200";
      EXPECT_NE(answer.find(expected), std::string::npos) << what << answer;
      EXPECT_EQ(bus->asked.size(), role < needed ? 0U : 1U) << what;
    }
    EXPECT_NE(ask(what, std::nullopt).find("HTTP/1.1 401"), std::string::npos) << what;
  }
}

TEST_F(ApiApplicationTest, AnActIsAskedOfPersistWithWhoWantsIt) {
  bus->answer = wire::encode(wire::AdminAnswer{{ErrorCode::kNone}, 3});
  const std::string answer = ask("POST /v1/users/bob/devices/tv/ban", auth::Role::kAdmin);
  EXPECT_NE(answer.find(R"({"done":true,"signed_out":3})"), std::string::npos) << answer;
  ASSERT_EQ(bus->asked.size(), 1U);
  EXPECT_EQ(bus->asked[0].first, bus::subject::rpc_admin());
  const auto request = wire::parse_admin_request(bus->asked[0].second).value();
  EXPECT_EQ(request.act, wire::AdminAct::kBan);
  EXPECT_EQ(request.who, "the-admin");
  EXPECT_EQ(request.user.str(), "bob");
  EXPECT_EQ(request.device.str(), "tv");
}

TEST_F(ApiApplicationTest, WhatPersistDoesNotWriteDownIsRefused) {
  EXPECT_NE(ask("POST /v1/users/bob/kick", auth::Role::kAdmin).find("HTTP/1.1 504"),
            std::string::npos);
  bus->answer = wire::encode(wire::AdminAnswer{{ErrorCode::kUnavailable, "no database", 0}, 0});
  EXPECT_NE(ask("POST /v1/users/bob/kick", auth::Role::kAdmin).find("HTTP/1.1 503"),
            std::string::npos);
  bus->answer = wire::encode(wire::AdminAnswer{{ErrorCode::kNoSuchUser, "", 0}, 0});
  EXPECT_NE(ask("POST /v1/users/bob/kick", auth::Role::kAdmin).find("HTTP/1.1 404"),
            std::string::npos);
}

TEST_F(ApiApplicationTest, AnEdgeThatIsNotThereIsNotDrained) {
  EXPECT_NE(ask("POST /v1/edges/9/drain", auth::Role::kAdmin).find("NO_SUCH_EDGE"),
            std::string::npos);
  EXPECT_NE(ask("POST /v1/edges/a.b/drain", auth::Role::kAdmin).find("BAD_ID"), std::string::npos);
  EXPECT_TRUE(bus->asked.empty());
}

TEST_F(ApiApplicationTest, ShowsTheAuditLog) {
  wire::AuditAnswer answer;
  wire::AuditRow row;
  row.id = 7;
  row.time_ms = 1000;
  row.request = {wire::AdminAct::kDrain, "ann", {}, {}, EdgeId::trusted("e1")};
  answer.rows.push_back(row);
  bus->answer = wire::encode(answer);
  const std::string page = get("/v1/audit?limit=5&before=9");
  EXPECT_NE(page.find(R"("id":7,"time_ms":1000,"who":"ann","act":"drain")"), std::string::npos)
      << page;
  const auto question = wire::parse_audit_question(bus->asked.back().second).value();
  EXPECT_EQ(question.before, 9U);
  EXPECT_EQ(question.limit, 5U);
  for (const char* bad : {"limit=0", "limit=501", "limit=x", "before=-1"}) {
    EXPECT_NE(get(std::string("/v1/audit?") + bad).find("BAD_RANGE"), std::string::npos) << bad;
  }
  EXPECT_NE(get("/v1/audit?limit=500").find("200 OK"), std::string::npos);
}

}  // namespace
}  // namespace martlet::api
