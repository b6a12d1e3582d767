#include "tools/trace.h"

#include <gtest/gtest.h>

namespace martlet::tools {
namespace {

using nlohmann::json;

TEST(Trace, AMessageIsNamedInThreeWays) {
  EXPECT_EQ(trace_path("318767104000000").value(), "/v1/trace?message=318767104000000");
  EXPECT_EQ(trace_path("u:ann:ben:7").value(), "/v1/trace?conversation=u:ann:ben&seq=7");
  EXPECT_EQ(trace_path("g:team:12").value(), "/v1/trace?conversation=g:team&seq=12");
  const std::string digits = "0190d0c0ffee70008000000000000001";
  EXPECT_EQ(trace_path(digits).value(), "/v1/trace?client_msg_id=" + digits);
  EXPECT_EQ(trace_path("0190d0c0-ffee-7000-8000-000000000001").value(),
            "/v1/trace?client_msg_id=" + digits);
  EXPECT_EQ(trace_path("01900000000070008000000000000001").value(),
            "/v1/trace?client_msg_id=01900000000070008000000000000001");
  for (const char* bad : {"", "ann", "u:ann:ben", "g:team:x", "x:7", "0190d0c0", "7 "}) {
    EXPECT_FALSE(trace_path(bad)) << bad;
  }
}

json a_message() {
  return {
      {"conversation", "u:ann:ben"},
      {"seq", 7},
      {"message_id", "99"},
      {"sender", "ann"},
      {"client_msg_id", "0190d0c0ffee70008000000000000001"},
      {"shows", "durable"},
      {"durable",
       {{"time_ms", 1'700'000'000'123},
        {"kind", "Text"},
        {"bytes", 40},
        {"shard", 3},
        {"generation", 1},
        {"position", 812},
        {"watermark", 900},
        {"in_log", true},
        {"members",
         {{{"user", "ben"}, {"sees", true}, {"member", true}, {"read", true}, {"read_seq", 7}},
          {{"user", "eve"}, {"sees", false}, {"member", true}, {"read", false}, {"read_seq", 0}}}},
        {"members_count", 3}}}};
}

TEST(Trace, TheFirstLineSaysThatItIsNotRecorded) {
  const std::string text =
      trace_text({{"behind", false}, {"messages", json::array({a_message()})}});
  EXPECT_EQ(text.substr(0, text.find('\n')), "not recorded: what is durable");
  EXPECT_NE(text.find("u:ann:ben seq=7 from ann"), text.npos);
  EXPECT_NE(text.find("appended 2023-11-14T22:13:20.123Z, shard 3, log position 812"), text.npos);
  EXPECT_NE(text.find("stored (watermark 900), and still in the log"), text.npos);
  EXPECT_NE(text.find("sees it, read (cursor at 7)"), text.npos);
  EXPECT_NE(text.find("withheld (cursor at 0)"), text.npos);
  EXPECT_NE(text.find("and 1 more"), text.npos);
}

TEST(Trace, EachHopHasItsTimeAndTheTimeSinceTheOneBefore) {
  json message = a_message();
  message["shows"] = "hops";
  message["flagged"] = true;
  message["durable"] = nullptr;
  message["hops"] = {{{"hop", "edge in"},
                      {"time_us", 1'700'000'000'000'100},
                      {"service", "edge"},
                      {"process", "edge-1"},
                      {"instance", "e1"}},
                     {{"hop", "append sent"},
                      {"time_us", 1'700'000'000'000'420},
                      {"service", "dispatcher"},
                      {"process", ""},
                      {"instance", "d1"},
                      {"entries", 3},
                      {"impossible_us", 12}}};
  const std::string text = trace_text({{"behind", true}, {"messages", json::array({message})}});
  EXPECT_EQ(text.find("behind: "), 0u);
  EXPECT_NE(text.find("\nrecorded: hop by hop, as its sender asked\n"), text.npos);
  EXPECT_NE(text.find("2023-11-14T22:13:20.000100Z            edge in"), text.npos);
  EXPECT_NE(text.find("edge-1 (e1)"), text.npos);
  EXPECT_NE(text.find("2023-11-14T22:13:20.000420Z  +320      append sent"), text.npos);
  EXPECT_NE(text.find("dispatcher (d1) entries=3 impossible: 12 us before"), text.npos);
  EXPECT_NE(text.find("not stored, as far as is known"), text.npos);
}

TEST(Trace, WhatIsNotFoundYetIsNotSaidToBeAbsent) {
  const std::string text = trace_text(
      {{"behind", true}, {"messages", json::array()}, {"text", "the database does not answer"}});
  EXPECT_EQ(text,
            "behind: the database has not stored all that is in the logs (the database does not "
            "answer)\nnot found yet, it may be in the log: ask again\n");
}

TEST(Trace, AnAnswerOfSomethingElseEndsNothing) {
  for (const json& page : {json::object(), json{{"messages", 7}}, json{{"messages", {1, "x"}}},
                           json{{"messages", {{{"hops", {1}}, {"shows", 2}, {"durable", 3}}}}}}) {
    EXPECT_FALSE(trace_text(page).empty());
  }
}

}  // namespace
}  // namespace martlet::tools
