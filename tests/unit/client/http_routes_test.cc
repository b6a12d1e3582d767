#include "client/http_routes.h"

#include <gtest/gtest.h>

#include "service/http_server.h"

namespace martlet::client {
namespace {

std::optional<net::Address> parsed(int status, const std::string& body) {
  return parse_route({status, body});
}

TEST(HttpRoutes, ARouteHasAnAddress) {
  EXPECT_EQ(parsed(200, R"({"edge":"e1","address":"10.0.0.2:7400"})"),
            (net::Address{"10.0.0.2", 7400}));
}

TEST(HttpRoutes, EverythingElseIsNone) {
  EXPECT_FALSE(parsed(503, R"({"address":"10.0.0.2:7400"})"));
  for (const char* body :
       {"", "x", "[]", "{}", R"({"address":7})", R"({"address":""})", R"({"address":"nowhere"})"}) {
    EXPECT_FALSE(parsed(200, body)) << body;
  }
}

TEST(HttpRoutes, AsksForTheUserByTheStrategy) {
  event::Loop loop;
  service::HttpServer server(loop);
  std::string asked;
  server.route("/v1/route",
               [&](const service::HttpRequest& request, const service::HttpReply& reply) {
                 asked = std::string(request.parameter("user")) + " " +
                         std::string(request.parameter("strategy"));
                 reply.json(200, R"({"address":"10.0.0.2:7400"})");
               });
  const auto port = server.listen({"127.0.0.1", 0})->port;
  HttpRoutes routes(loop, "http://127.0.0.1:" + std::to_string(port), "round_robin");
  std::optional<net::Address> found;
  routes.find(UserId::trusted("ann"), [](std::optional<net::Address>) { FAIL() << "given up"; });
  routes.find(UserId::trusted("ben"), [&](std::optional<net::Address> address) {
    found = std::move(address);
    loop.stop();
  });
  loop.run();
  EXPECT_EQ(asked, "ben round_robin");
  EXPECT_EQ(found, (net::Address{"10.0.0.2", 7400}));
}

}  // namespace
}  // namespace martlet::client
