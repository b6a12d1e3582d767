#include "api/pages.h"

#include <gtest/gtest.h>

namespace martlet::api {
namespace {

TEST(Pages, ListEdges) {
  EdgeInfo info;
  info.edge = EdgeId::trusted("e1");
  info.name = "edge \"one\"\xFF";
  info.address = "h:1";
  info.http = "h:2";
  info.started_ms = 1'700'000'000'000;
  info.connections = 3;
  info.sessions = 2;
  info.draining = true;
  EXPECT_EQ(
      edges_page({info}),
      "{\"edges\":[{\"edge\":\"e1\",\"name\":\"edge \\\"one\\\"\xEF\xBF\xBD\",\"address\":\"h:1\","
      "\"http\":\"h:2\",\"started_ms\":1700000000000,\"connections\":3,\"sessions\":2,"
      "\"draining\":true,\"weight\":100,\"cpu_permille\":0,\"loop_lag_us\":0,\"output_bytes_per_"
      "s\":0}]}\n");
}

TEST(Pages, AnEmptyListIsAList) {
  EXPECT_EQ(edges_page({}), "{\"edges\":[]}\n");
}

TEST(Pages, ListSessionsOfAUser) {
  registry::SessionRecord record;
  record.user = UserId::trusted("bob");
  record.device = DeviceId::trusted("phone");
  record.session = {1, 2};
  record.edge = EdgeId::trusted("e1");
  record.address = "h:1";
  record.since_ms = 5;
  EXPECT_EQ(sessions_page(UserId::trusted("bob"), {record}),
            "{\"user\":\"bob\",\"sessions\":[{\"device\":\"phone\","
            "\"session\":\"00000000000000010000000000000002\",\"edge\":\"e1\",\"address\":\"h:1\","
            "\"since_ms\":5}]}\n");
}

TEST(Pages, ErrorsHaveNameAndText) {
  EXPECT_EQ(error_page({ErrorCode::kUnavailable, "no directory", 0}),
            "{\"error\":\"UNAVAILABLE\",\"text\":\"no directory\"}\n");
  EXPECT_EQ(
      error_page({ErrorCode::kBadId, "", 0}),
      "{\"error\":\"BAD_ID\",\"text\":\"an id is not 1 to 64 characters of A-Z a-z 0-9 _ -\"}\n");
}

}  // namespace
}  // namespace martlet::api
