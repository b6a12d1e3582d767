#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "support/memory_bus.h"
#include "support/memory_log.h"

namespace martlet::test {
namespace {

using namespace std::chrono_literals;
using bus::AppendFailure;
using bus::LogSequence;
using bus::Priority;

TEST(SubjectMatches, FollowsTheBrokersRules) {
  EXPECT_TRUE(subject_matches("im.u.x", "im.u.x"));
  EXPECT_FALSE(subject_matches("im.u.x", "im.u.xy"));
  EXPECT_FALSE(subject_matches("im.u.x", "im.u.x.y"));
  EXPECT_FALSE(subject_matches("im.u.x.y", "im.u.x"));
  EXPECT_TRUE(subject_matches("im.wm.*", "im.wm.3"));
  EXPECT_FALSE(subject_matches("im.wm.*", "im.wm"));
  EXPECT_TRUE(subject_matches("im.in.3.>", "im.in.3.u.x"));
  EXPECT_FALSE(subject_matches("im.in.3.>", "im.in.3"));
}

struct MemoryBusTest : ::testing::Test {
  MemoryBroker broker;
  MemoryBus a{broker};
  MemoryBus b{broker};
};

TEST_F(MemoryBusTest, DeliversInOrderToEverybodyAndOncePerQueueGroup) {
  std::vector<std::string> plain;
  int grouped = 0;
  const auto one = b.subscribe("im.u.*", "", Priority::kDroppable,
                               [&](const bus::Incoming& m) { plain.emplace_back(m.payload); });
  const auto two = a.subscribe("im.u.*", "g", Priority::kDroppable, [&](auto&) { ++grouped; });
  const auto three = b.subscribe("im.u.*", "g", Priority::kDroppable, [&](auto&) { ++grouped; });
  a.publish("im.u.x", "1");
  a.publish("im.u.x", "2");
  broker.run();
  EXPECT_EQ(plain, (std::vector<std::string>{"1", "2"}));
  EXPECT_EQ(grouped, 2);
}

TEST_F(MemoryBusTest, RequestsAreAnsweredFailOrTimeOut) {
  std::vector<ErrorCode> codes;
  const auto note = [&](Result<Bytes> r) {
    codes.push_back(r ? ErrorCode::kNone : r.error().code);
  };
  const auto server = b.subscribe("im.rpc.x", "", Priority::kAnswers, [&](const bus::Incoming& m) {
    if (m.payload == "answer me") b.reply(m.reply, "yes");
  });
  a.request("im.rpc.x", "answer me", 1s, note);
  a.request("im.rpc.nobody", "x", 1s, note);
  a.request("im.rpc.x", "be silent", 1s, note);
  broker.run();
  EXPECT_EQ(codes, (std::vector{ErrorCode::kUnavailable, ErrorCode::kNone}));
  broker.expire(broker.now() + 1s);
  broker.run();
  EXPECT_EQ(codes.back(), ErrorCode::kTimeout);
}

TEST_F(MemoryBusTest, ABrokenLinkDropsAndFailsWhatWaits) {
  int got = 0;
  ErrorCode code = ErrorCode::kNone;
  const auto mute = b.subscribe("im.rpc.x", "", Priority::kAnswers, [&](auto&) { ++got; });
  a.request("im.rpc.x", "x", 1s, [&](Result<Bytes> r) { code = r.error().code; });
  a.disconnect();
  EXPECT_EQ(a.publish("im.rpc.x", "x"), bus::SendResult::kDropped);
  broker.run();
  EXPECT_EQ(code, ErrorCode::kUnavailable);
  EXPECT_EQ(got, 1);
  a.reconnect();
  EXPECT_EQ(a.publish("im.rpc.x", "x"), bus::SendResult::kSent);
}

struct MemoryLogTest : ::testing::Test {
  MemoryLogTest() {
    log.ensure(shard, {}, [](auto) {});
    log.run();
  }
  tl::expected<LogSequence, bus::AppendError> append(std::uint64_t expected) {
    tl::expected<LogSequence, bus::AppendError> result;
    log.append(shard, LogSequence(expected), "x", 1s, [&](auto r) { result = r; });
    log.run();
    return result;
  }
  std::vector<std::uint64_t> next(bus::LogReader& reader, ErrorCode* code = nullptr) {
    std::vector<std::uint64_t> result;
    reader.next(1 << 20, 0s, [&](auto records) {
      if (!records && code != nullptr) *code = records.error().code;
      if (!records) return;
      for (const auto& record : *records) result.push_back(record.sequence.value());
    });
    log.run();
    return result;
  }
  MemoryLog log;
  const ShardId shard{1};
};

TEST_F(MemoryLogTest, AppendsAreFenced) {
  EXPECT_EQ(append(0)->value(), 1U);
  EXPECT_EQ(append(0).error().failure, AppendFailure::kWrongSequence);
  log.set_fault(MemoryLog::Fault::kLoseAnswer);
  EXPECT_EQ(append(1).error().failure, AppendFailure::kUnknown);
  log.set_fault(MemoryLog::Fault::kLoseRequest);
  EXPECT_EQ(append(2).error().failure, AppendFailure::kUnknown);
  log.set_fault(MemoryLog::Fault::kNone);
  EXPECT_EQ(append(2)->value(), 3U);
}

TEST_F(MemoryLogTest, HeldAppendsAreWrittenWhenReleasedIfTheyStillFit) {
  log.set_fault(MemoryLog::Fault::kHold);
  std::vector<bool> done;
  log.append(shard, LogSequence(0), "mine", 1s, [&](auto r) { done.push_back(r.has_value()); });
  log.run();
  EXPECT_TRUE(done.empty());
  log.force_append(shard, "theirs");
  log.release();
  log.run();
  EXPECT_EQ(done, std::vector{false});
  EXPECT_EQ(log.records(shard).size(), 1U);
}

TEST_F(MemoryLogTest, ReadersFindGapsAndWaitForEntries) {
  for (int i = 0; i < 4; ++i) log.force_append(shard, "x");
  const auto reader = log.read(shard, LogSequence(2));
  EXPECT_EQ(next(*reader), (std::vector<std::uint64_t>{2, 3, 4}));
  std::vector<bus::LogRecord> got;
  reader->next(1 << 20, 1s, [&](auto records) { got = *records; });
  log.run();
  EXPECT_TRUE(got.empty());
  log.force_append(shard, "y");
  log.run();
  ASSERT_EQ(got.size(), 1U);
  EXPECT_EQ(got[0].sequence.value(), 5U);

  const auto early = log.read(shard, LogSequence(1));
  log.purge_below(shard, LogSequence(3), {shard, LogSequence(1), LogSequence(5)}, [](auto) {});
  ErrorCode code = ErrorCode::kNone;
  EXPECT_TRUE(next(*early, &code).empty());
  EXPECT_EQ(code, ErrorCode::kConflict);
}

TEST(MemoryKv, ComparesAndSets) {
  MemoryKv kv;
  std::vector<std::uint64_t> revisions;
  const auto note = [&](Result<std::uint64_t> r) { revisions.push_back(r ? *r : 0); };
  std::vector<std::string> heard;
  kv.on_write([&](std::string_view key, BytesView) { heard.emplace_back(key); });
  kv.update("k", "a", 0, note);
  kv.update("k", "b", 0, note);
  kv.update("k", "c", 1, note);
  kv.run();
  EXPECT_EQ(revisions, (std::vector<std::uint64_t>{1, 0, 2}));
  EXPECT_EQ(kv.entry("k")->value, "c");
  EXPECT_EQ(heard.size(), 3U);
}

}  // namespace
}  // namespace martlet::test
