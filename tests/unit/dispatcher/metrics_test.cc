#include <gtest/gtest.h>

#include "rig.h"

namespace martlet::dispatcher::testing {
namespace {

class Metrics : public ::testing::Test {
 protected:
  Metrics() {
    rig.send({.id = id_of(1)});
    rig.settle();
    rig.answers();
  }
  // The value of a series, as text.
  std::string value(const std::string& series) const {
    const std::string page = "\n" + rig.registry.render();
    const auto found = page.find("\nmartlet_dispatcher_" + series + " ");
    if (found == std::string::npos) return "none";
    const auto begin = page.find(' ', found) + 1;
    return page.substr(begin, page.find('\n', begin) - begin);
  }
  Rig rig;
};

TEST_F(Metrics, AnAnswersTimeIsThatFromTheFramesArrival) {
  const std::string before = value("answer_seconds_sum{command=\"send\"}");
  rig.send({.id = id_of(10)});
  rig.send({.id = id_of(11)});  // waits for the append of the other
  rig.pass(std::chrono::seconds(1));
  rig.finish_append();
  rig.pass(std::chrono::seconds(1));
  rig.finish_append();
  EXPECT_EQ(std::stod(value("answer_seconds_sum{command=\"send\"}")) - std::stod(before), 3.0);
  EXPECT_EQ(value("answer_seconds_count{command=\"read\"}"), "0");
}

TEST_F(Metrics, FramesAndFailuresAreCountedByTheirCommand) {
  rig.read("bob", ConversationId::between(UserId::trusted("alice"), UserId::trusted("carol")), 1);
  rig.settle();
  EXPECT_EQ(rig.only_answer().answer.error, ErrorCode::kNotMember);
  EXPECT_EQ(value("frames_total{command=\"read\"}"), "1");
  EXPECT_EQ(value("failed_total{command=\"read\"}"), "1");
  EXPECT_EQ(value("frames_total{command=\"send\"}"), "1");
  EXPECT_EQ(value("failed_total{command=\"send\"}"), "0");
}

TEST_F(Metrics, EntriesAreCountedByTheirShard) {
  rig.send({.id = id_of(10)});
  rig.settle();
  EXPECT_EQ(value("shard_entries_total{shard=\"0\"}"), "2");
  EXPECT_EQ(value("shard_entries_total{shard=\"1\"}"), "0");
}

TEST_F(Metrics, AShardIsAValueOfALabelUpToTheirNumber) {
  metrics::Registry registry;
  DispatcherMetrics three(registry, 3);
  three.shard(ShardId(2), {true, 700});
  three.shard(ShardId(3), {true, 0});  // none of ours
  const std::string page = registry.render();
  EXPECT_NE(page.find("shard_serving{shard=\"2\"} 1\n"), std::string::npos);
  EXPECT_NE(page.find("shard_log_bytes{shard=\"2\"} 700\n"), std::string::npos);
  EXPECT_NE(page.find("shard_serving{shard=\"other\"} 1\n"), std::string::npos);
  EXPECT_EQ(page.find("shard=\"3\""), std::string::npos);
}

TEST_F(Metrics, AQuestionsTimeIsThatToItsAnswer) {
  const std::string before = value("cold_seconds_sum");
  rig.send({.to = "carol", .id = id_of(10)});
  ASSERT_TRUE(rig.question.has_value());
  rig.pass(std::chrono::milliseconds(500));
  rig.answer_question();
  EXPECT_EQ(std::stod(value("cold_seconds_sum")) - std::stod(before), 0.5);
}

}  // namespace
}  // namespace martlet::dispatcher::testing
