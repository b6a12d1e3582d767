#include "net/connector.h"

#include <gtest/gtest.h>

#include "loop_test_support.h"
#include "net/listener.h"
#include "slow_look_up.h"

namespace martlet::net {
namespace {

TEST(Connector, GivesAConnectedSocket) {
  event::Loop loop;
  UniqueFd accepted;
  auto listener =
      Listener::open(loop, {"127.0.0.1", 0}, {}, [&](UniqueFd fd) { accepted = std::move(fd); });
  ASSERT_TRUE(listener);
  UniqueFd connected;
  Connector connector(loop, (*listener)->address(), std::chrono::seconds(5),
                      [&](Result<UniqueFd> fd) { connected = std::move(fd.value()); });
  run_until(loop, [&] { return connected.is_open() && accepted.is_open(); });
  ASSERT_EQ(::send(connected.get(), "x", 1, 0), 1);
  run_until(loop, [&] { return read_available(accepted.get()) == "x"; });
}

TEST(Connector, LeavesFromTheAddressThatItIsGiven) {
  event::Loop loop;
  UniqueFd accepted;
  auto listener =
      Listener::open(loop, {"127.0.0.1", 0}, {}, [&](UniqueFd fd) { accepted = std::move(fd); });
  ASSERT_TRUE(listener);
  UniqueFd connected;
  Connector connector(loop, (*listener)->address(), std::chrono::seconds(5),
                      [&](Result<UniqueFd> fd) { connected = std::move(fd.value()); });
  connector.leave_from(resolve({"127.0.0.17", 0}).value());
  run_until(loop, [&] { return connected.is_open() && accepted.is_open(); });
  EXPECT_EQ(peer_address(accepted.get()).address().host, "127.0.0.17");
}

TEST(Connector, SaysWhereItCannotLeaveFrom) {
  event::Loop loop;
  std::string problem;
  Connector connector(loop, {"127.0.0.1", 1}, std::chrono::seconds(5),
                      [&](const Result<UniqueFd>& fd) { problem = fd ? "" : fd.error().detail; });
  connector.leave_from(resolve({"192.0.2.1", 0}).value());  // of nobody, RFC 5737
  run_until(loop, [&] { return !problem.empty(); });
  EXPECT_NE(problem.find("bind"), std::string::npos) << problem;
}

TEST(Connector, SaysWhereNobodyListens) {
  event::Loop loop;
  Address address;
  {
    auto listener = Listener::open(loop, {"127.0.0.1", 0}, {}, [](UniqueFd) {});
    address = (*listener)->address();
  }
  std::string problem;
  Connector connector(loop, address, std::chrono::seconds(5),
                      [&](const Result<UniqueFd>& fd) { problem = fd ? "" : fd.error().detail; });
  run_until(loop, [&] { return !problem.empty(); });
  EXPECT_NE(problem.find(address.str()), std::string::npos) << problem;
}

// A full backlog answers nothing, as a host that drops packets does.
TEST(Connector, GivesUpAtItsDeadline) {
  event::Loop loop;
  UniqueFd listening(::socket(AF_INET, SOCK_STREAM, 0));
  const auto any = resolve({"127.0.0.1", 0});
  ASSERT_EQ(::bind(listening.get(), any->raw(), any->size), 0);
  ASSERT_EQ(::listen(listening.get(), 0), 0);
  const Address address = local_address(listening.get()).address();
  std::vector<std::unique_ptr<Connector>> attempts;
  int timed_out = 0;
  for (int i = 0; i < 4; ++i) {
    attempts.push_back(
        std::make_unique<Connector>(loop, address, std::chrono::milliseconds(50),
                                    [&](const Result<UniqueFd>& fd) { timed_out += fd ? 0 : 1; }));
  }
  run_until(loop, [&] { return timed_out > 0; });
}

TEST(Connector, FollowsAName) {
  event::Loop loop;
  auto listener = Listener::open(loop, {"127.0.0.1", 0}, {}, [](UniqueFd) {});
  ASSERT_TRUE(listener);
  const Address there = (*listener)->address();
  UniqueFd connected;
  Connector connector(
      loop, {"edge.example", there.port}, std::chrono::seconds(5),
      [&](Result<UniqueFd> fd) { connected = std::move(fd.value()); },
      [there](const Address& name) {
        EXPECT_EQ(name.host, "edge.example");
        return resolve(there);
      });
  run_until(loop, [&] { return connected.is_open(); });
}

TEST(Connector, SaysWhichNameIsUnknown) {
  event::Loop loop;
  std::string problem;
  Connector connector(
      loop, {"edge.example", 1}, std::chrono::seconds(5),
      [&](const Result<UniqueFd>& fd) { problem = fd ? "" : fd.error().detail; },
      [](const Address& name) -> Result<SocketAddress> {
        return fail(ErrorCode::kUnavailable, name.host + ": unknown");
      });
  run_until(loop, [&] { return !problem.empty(); });
  EXPECT_EQ(problem, "edge.example: unknown");
}

// The loop goes on and the time-out holds, as slow as the name service may be.
TEST(Connector, GivesUpWhileANameIsLookedUp) {
  event::Loop loop;
  SlowLookUp slow;
  std::string problem;
  Connector connector(
      loop, {"edge.example", 1}, std::chrono::milliseconds(50),
      [&](const Result<UniqueFd>& fd) { problem = fd ? "" : fd.error().detail; }, slow.look_up());
  run_until(loop, [&] { return !problem.empty(); });
  EXPECT_FALSE(slow.has_answered());
}

TEST(Connector, DestroyedOneCallsNobody) {
  event::Loop loop;
  auto listener = Listener::open(loop, {"127.0.0.1", 0}, {}, [](UniqueFd) {});
  bool called = false;
  auto connector =
      std::make_unique<Connector>(loop, (*listener)->address(), std::chrono::seconds(5),
                                  [&](const Result<UniqueFd>&) { called = true; });
  connector.reset();
  run_turns(loop, 5);
  EXPECT_FALSE(called);
}

}  // namespace
}  // namespace martlet::net
