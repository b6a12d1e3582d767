#include "net/resolver.h"

#include <gtest/gtest.h>

#include <optional>

#include "loop_test_support.h"
#include "slow_look_up.h"

namespace martlet::net {
namespace {

const Address kName{"edge.example", 7};

TEST(Resolver, TakesNumericAddressesAsTheyAre) {
  event::Loop loop;
  Resolver resolver(loop, [](const Address&) -> Result<SocketAddress> {
    ADD_FAILURE() << "this is no name";
    return fail(ErrorCode::kUnavailable, "");
  });
  for (const Address& numeric : {Address{"127.0.0.1", 7}, Address{"::1", 8}}) {
    std::optional<Address> found;
    resolver.resolve(numeric, [&](const Result<SocketAddress>& to) { found = to->address(); });
    EXPECT_EQ(found, numeric);
  }
}

TEST(Resolver, LooksNamesUpBesideTheLoop) {
  event::Loop loop;
  SlowLookUp slow;
  Resolver resolver(loop, slow.look_up());
  std::optional<Address> found;
  resolver.resolve(kName, [&](const Result<SocketAddress>& to) {
    EXPECT_TRUE(loop.is_inside());
    found = to->address();
  });
  EXPECT_FALSE(slow.has_answered());
  run_turns(loop, 3);
  EXPECT_EQ(found, std::nullopt);
  slow.answer();
  run_until(loop, [&] { return found.has_value(); });
  EXPECT_EQ(found, (Address{"127.0.0.1", 7}));
}

TEST(Resolver, AsksTheSystem) {
  event::Loop loop;
  Resolver resolver(loop);
  std::optional<std::uint16_t> port;
  resolver.resolve({"localhost", 7}, [&](const Result<SocketAddress>& to) {
    port = to ? to->address().port : std::uint16_t{0};
  });
  run_until(loop, [&] { return port.has_value(); });
  EXPECT_EQ(port, 7);
}

// Neither waits for the look-up nor is called by it, and what the callback holds ends at once.
TEST(Resolver, DestroyedOneCallsNobody) {
  event::Loop loop;
  SlowLookUp slow;
  auto resolver = std::make_unique<Resolver>(loop, slow.look_up());
  auto held = std::make_shared<int>(1);
  resolver->resolve(kName, [held](const Result<SocketAddress>&) { ADD_FAILURE(); });
  resolver.reset();
  EXPECT_FALSE(slow.has_answered());
  EXPECT_EQ(held.use_count(), 1);
  slow.answer();
  run_until(loop, [&] { return slow.has_answered(); });
  run_turns(loop, 5);
}

TEST(Resolver, MayBeDestroyedByItsAnswer) {
  event::Loop loop;
  std::unique_ptr<Resolver> resolver;
  resolver = std::make_unique<Resolver>(loop, [](const Address&) {
    return resolve({"127.0.0.1", 7});
  });
  resolver->resolve(kName, [&](const Result<SocketAddress>&) { resolver.reset(); });
  run_until(loop, [&] { return resolver == nullptr; });
}

}  // namespace
}  // namespace martlet::net
