#include "tools/verdicts.h"

#include <gtest/gtest.h>

#include "service/findings.h"
#include "tools/top_table.h"

namespace martlet::tools {
namespace {

using nlohmann::json;

constexpr std::uint64_t kNow = 1'700'000'000'000;

json service(const char* kind, const char* name) {
  return {{"kind", kind},
          {"name", name},
          {"instance", std::string(name) + "-id"},
          {"version", "1.0"},
          {"protocol", 1},
          {"shards_configured", 2},
          {"started_ms", kNow - 90'000},
          {"now_ms", kNow},
          {"heard_ms", kNow},
          {"silence_ms", 10},
          {"gone", false},
          {"ready", true},
          {"why", ""},
          {"values", {{"process_max_fds", 20'000}, {"process_open_fds", 100}}},
          {"shards", json::array()}};
}

// One of each, two shards, all well. The tests change one thing.
json healthy() {
  json edge = service("edge", "edge-1");
  edge["values"]["martlet_edge_connection_limit"] = 20'000;
  json dispatcher = service("dispatcher", "dispatcher-1");
  dispatcher["values"]["martlet_dispatcher_log_limit_bytes"] = 1'000;
  json persist = service("persist", "persist-1");
  for (int shard = 0; shard < 2; ++shard) {
    dispatcher["shards"].push_back({{"shard", shard},
                                    {"values",
                                     {{"martlet_dispatcher_shard_serving", 1},
                                      {"martlet_dispatcher_shard_epoch", 5},
                                      {"martlet_dispatcher_shard_log_end", 12},
                                      {"martlet_dispatcher_shard_log_bytes", 100}}}});
    persist["shards"].push_back(
        {{"shard", shard}, {"values", {{"martlet_persist_shard_watermark", 12}}}});
  }
  return {{"now_ms", kNow},
          {"trouble", ""},
          {"services", {service("api", "api-1"), dispatcher, edge, persist}}};
}

json& find(json& page, const char* kind) {
  for (json& one : page["services"]) {
    if (one["kind"] == kind) return one;
  }
  throw std::logic_error(kind);
}

// As it comes from an api: numbers that are written here have other types.
Result<ClusterStatus> read(const json& page) {
  return parse_status(json::parse(page.dump()));
}

Findings judge(const json& page) {
  const auto status = read(page);
  Findings all = judge_services(*status);
  for (const Finding& one : judge_shards(*status)) all.push_back(one);
  return all;
}

// All but the one are fine; that one says what and what to do.
void expect_only(const json& page, const std::string& check, Verdict verdict,
                 const std::string& what) {
  bool is_found = false;
  for (const Finding& one : judge(page)) {
    if (one.check != check) {
      EXPECT_EQ(one.verdict, Verdict::kOk) << one.check << ": " << one.what;
      EXPECT_EQ(one.cure, "") << one.check;
      continue;
    }
    is_found = true;
    EXPECT_EQ(one.verdict, verdict) << one.what;
    EXPECT_NE(one.what.find(what), std::string::npos) << one.what;
    EXPECT_NE(one.cure, "");
  }
  EXPECT_TRUE(is_found) << check;
}

TEST(Verdicts, HaveNothingToSayOfAHealthyCluster) {
  for (const Finding& one : judge(healthy())) {
    EXPECT_EQ(one.verdict, Verdict::kOk) << one.check << ": " << one.what;
    EXPECT_NE(one.what, "");
  }
}

TEST(Verdicts, NameTheApiThatHearsNothing) {
  json page = healthy();
  page["trouble"] = "not connected to the broker";
  expect_only(page, "api.ready", Verdict::kFail, "not connected");
}

TEST(Verdicts, NameWhoIsNotReady) {
  json page = healthy();
  find(page, "persist")["ready"] = false;
  find(page, "persist")["why"] = "the database does not answer";
  expect_only(page, "services.persist", Verdict::kFail,
              "persist-1 is not ready: the database does not answer");
}

TEST(Verdicts, NameAKindThatIsMissing) {
  json page = healthy();
  page["services"].erase(page["services"].begin() + 2);
  expect_only(page, "services.edge", Verdict::kFail, "no edge is heard");
}

TEST(Verdicts, NameWhoFellSilent) {
  json page = healthy();
  json other = service("edge", "edge-2");
  other["gone"] = true;
  other["silence_ms"] = 7'000;
  other["version"] = "0.1";  // no longer of interest
  page["services"].push_back(other);
  expect_only(page, "services.gone", Verdict::kWarn, "edge-2 (edge) has been silent for 7 s");
}

TEST(Verdicts, WarnOfTwoVersionsAndFailTwoProtocols) {
  json page = healthy();
  find(page, "edge")["version"] = "0.9";
  expect_only(page, "versions", Verdict::kWarn, "edge-1 0.9");
  find(page, "edge")["protocol"] = 2;
  expect_only(page, "versions", Verdict::kFail, "protocols");
}

TEST(Verdicts, CompareClocksAtTheirLimits) {
  json page = healthy();
  find(page, "edge")["now_ms"] = kNow - kClockWarnMs;
  EXPECT_EQ(service::exit_code(judge(page)), 0);
  find(page, "edge")["now_ms"] = kNow - kClockWarnMs - 1;
  expect_only(page, "clocks", Verdict::kWarn, "edge-1 is 501 ms behind");
  find(page, "edge")["now_ms"] = kNow + kClockFailMs;
  expect_only(page, "clocks", Verdict::kWarn, "edge-1 is 2000 ms ahead of");
  find(page, "edge")["now_ms"] = kNow + kClockFailMs + 1;
  expect_only(page, "clocks", Verdict::kFail, "2001 ms");
}

TEST(Verdicts, CountDescriptors) {
  json page = healthy();
  find(page, "persist")["values"]["process_open_fds"] = 16'000;
  expect_only(page, "descriptors", Verdict::kWarn, "persist-1 has 16000 of 20000");
  find(page, "persist")["values"]["process_open_fds"] = 19'000;
  expect_only(page, "descriptors", Verdict::kFail, "persist-1 has 19000 of 20000");
  page = healthy();
  find(page, "edge")["values"]["process_max_fds"] = 1'024;
  expect_only(page, "descriptors", Verdict::kWarn, "1024 files open, and 20000 connections");
}

TEST(Verdicts, CountConnections) {
  json page = healthy();
  find(page, "edge")["values"]["martlet_edge_connections"] = 19'500;
  expect_only(page, "connections", Verdict::kFail, "edge-1 has 19500 of 20000");
}

TEST(Verdicts, NameALateLoop) {
  json page = healthy();
  find(page, "dispatcher")["values"]["martlet_loop_worst_lag_seconds"] = kLoopLagWarnS;
  expect_only(page, "loops", Verdict::kWarn, "dispatcher-1 was 500 ms late");
}

TEST(Verdicts, NameAlarmsAndStuckShards) {
  json page = healthy();
  find(page, "persist")["values"]["martlet_persist_alarms_total"] = 2;
  expect_only(page, "persist.alarms", Verdict::kWarn, "persist-1 raised 2 alarms");
  find(page, "persist")["values"]["martlet_persist_shards_stuck"] = 1;
  expect_only(page, "persist.alarms", Verdict::kFail, "persist-1 cannot store 1");
}

TEST(Verdicts, NameAShardThatNobodyServesOrStores) {
  json page = healthy();
  find(page, "dispatcher")["shards"].erase(1);
  expect_only(page, "shards.owned", Verdict::kFail, "shard 1");
  page = healthy();
  find(page, "dispatcher")["shards"][0]["values"].erase("martlet_dispatcher_shard_serving");
  expect_only(page, "shards.owned", Verdict::kFail, "shard 0");
  page = healthy();
  find(page, "persist")["shards"].erase(1);
  expect_only(page, "shards.stored", Verdict::kFail, "no persist stores shard 1");
}

TEST(Verdicts, NameAShardWhoseMessagesWait) {
  json page = healthy();
  json& told = find(page, "dispatcher")["shards"][1]["values"];
  told["martlet_dispatcher_shard_log_end"] = 20;
  told["martlet_dispatcher_shard_unstored_seconds"] = kUnstoredWarnS - 1;
  EXPECT_EQ(service::exit_code(judge(page)), 0);
  told["martlet_dispatcher_shard_unstored_seconds"] = kUnstoredWarnS;
  expect_only(page, "shards.stored", Verdict::kWarn, "shard 1: 8 batches wait");
  told["martlet_dispatcher_shard_unstored_seconds"] = kUnstoredFailS;
  expect_only(page, "shards.stored", Verdict::kFail, "the oldest for 10 s");
}

TEST(Verdicts, NameAFullLog) {
  json page = healthy();
  find(page, "dispatcher")["shards"][1]["values"]["martlet_dispatcher_shard_log_bytes"] = 800;
  expect_only(page, "shards.logs", Verdict::kWarn, "the log of shard 1");
}

TEST(Verdicts, NameDifferentNumbersOfShards) {
  json page = healthy();
  find(page, "edge")["shards_configured"] = 1;
  expect_only(page, "shards.count", Verdict::kFail, "edge-1 1");
}

TEST(Verdicts, CompareThisMachine) {
  const auto status = read(healthy());
  LocalFacts facts{kNow - 100, kNow + 100, 10, 100, 1'000, 500};
  for (const Finding& one : judge_here(*status, facts)) EXPECT_EQ(one.verdict, Verdict::kOk);
  facts = {kNow + kClockFailMs + 1, kNow + kClockFailMs + 2, 80, 100, 1'000, 50};
  const Findings found = judge_here(*status, facts);
  EXPECT_EQ(found.at(0).verdict, Verdict::kFail);
  EXPECT_EQ(found.at(1).verdict, Verdict::kWarn);
  EXPECT_EQ(found.at(2).verdict, Verdict::kWarn);
}

TEST(Verdicts, RefuseAPageThatIsNone) {
  EXPECT_FALSE(parse_status(json::object()).has_value());
  EXPECT_FALSE(parse_status(json{{"services", 3}}).has_value());
  // What is of another type than it should be is as if it were not there.
  const json odd = {
      {"services", {3, json::object(), {{"name", 7}, {"values", 3}, {"shards", "x"}}}}};
  const auto status = parse_status(odd);
  ASSERT_TRUE(status.has_value());
  EXPECT_EQ(status->services.size(), 2U);
}

TEST(Findings, AreToldAsTextAndJson) {
  const Findings findings = {{"a", Verdict::kOk, "fine", ""},
                             {"b.c", Verdict::kWarn, "so so", "look"},
                             {"d", Verdict::kFail, "bad", "repair"}};
  EXPECT_EQ(service::findings_text(findings),
            "OK   a: fine\nWARN b.c: so so\n     -> look\nFAIL d: bad\n     -> repair\n"
            "3 checked, 1 failed, 1 to look at\n");
  const json page = json::parse(service::findings_json(findings));
  EXPECT_EQ(page.at("failed"), 1);
  EXPECT_EQ(page.at("findings").at(1).at("verdict"), "WARN");
  EXPECT_EQ(service::exit_code(findings), 1);
  EXPECT_EQ(service::exit_code({findings[0], findings[1]}), 0);
}

TEST(TopTable, HasRatesFromTheDifferencesOfCounters) {
  json page = healthy();
  find(page, "edge")["values"]["martlet_edge_frames_total"] = 1'000;
  find(page, "edge")["values"]["process_cpu_seconds_total"] = 10.0;
  const auto before = read(page);
  find(page, "edge")["now_ms"] = kNow + 2'000;
  find(page, "edge")["values"]["martlet_edge_frames_total"] = 1'500;
  find(page, "edge")["values"]["process_cpu_seconds_total"] = 10.5;
  const auto now = read(page);
  const std::string table = top_table(*now, &*before);
  EXPECT_NE(table.find("frames/s=250"), std::string::npos) << table;
  const std::size_t row = table.find("edge-1");
  ASSERT_NE(row, std::string::npos);
  const std::string line = table.substr(row, table.find('\n', row) - row);
  EXPECT_NE(line.find("1m30s    25"), std::string::npos) << line;
  EXPECT_NE(top_table(*now, nullptr).find("frames/s=-"), std::string::npos);
}

TEST(TopTable, SaysWhoHasNoShardAndWhoIsGone) {
  json page = healthy();
  find(page, "dispatcher")["gone"] = true;
  find(page, "dispatcher")["silence_ms"] = 12'000;
  const auto status = read(page);
  const std::string table = top_table(*status, nullptr);
  EXPECT_NE(table.find("gone 12s"), std::string::npos) << table;
  EXPECT_NE(table.find("nobody"), std::string::npos) << table;
}

}  // namespace
}  // namespace martlet::tools
