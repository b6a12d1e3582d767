#include "client/address_list.h"

#include <gtest/gtest.h>

#include "client/backoff.h"

namespace martlet::client {
namespace {

TEST(AddressList, TakesTurns) {
  AddressList list = AddressList::parse("a:1,b:2").value();
  EXPECT_EQ(list.current().str(), "a:1");
  list.rotate();
  EXPECT_EQ(list.current().str(), "b:2");
  list.rotate();
  EXPECT_EQ(list.current().str(), "a:1");
}

TEST(AddressList, NamesWhatIsWrong) {
  for (const char* text : {"", "a", "a:0", "a:1,", "a:x", "a:70000", "a:1,b", "::1:1", "[a]:1",
                           "[[a]:1", "[:]]:1", "a]:1", "[]:1"}) {
    EXPECT_FALSE(AddressList::parse(text)) << text;
  }
}

TEST(AddressList, TakesIpV6InBrackets) {
  EXPECT_EQ(AddressList::parse("[::1]:7").value().current(), (net::Address{"::1", 7}));
}

TEST(AddressList, PreferredAddressIsTriedOnce) {
  AddressList list = AddressList::parse("a:1,b:2").value();
  list.prefer({"c", 3});
  EXPECT_EQ(list.current().str(), "c:3");
  list.rotate();
  EXPECT_EQ(list.current().str(), "a:1");
}

TEST(AddressList, PreferredAddressOfTheListIsMovedTo) {
  AddressList list = AddressList::parse("a:1,b:2,c:3").value();
  list.prefer({"b", 2});
  list.rotate();
  EXPECT_EQ(list.current().str(), "c:3");
}

TEST(Backoff, GrowsToItsLimitAndStartsAnew) {
  SeededRandom random(1);
  Backoff backoff(std::chrono::milliseconds(100), std::chrono::seconds(1));
  EXPECT_LE(backoff.next(random), std::chrono::milliseconds(150));
  for (int i = 0; i < 10; ++i) backoff.next(random);
  EXPECT_GE(backoff.next(random), std::chrono::milliseconds(500));
  EXPECT_LE(backoff.next(random), std::chrono::milliseconds(1500));
  backoff.reset();
  EXPECT_LE(backoff.next(random), std::chrono::milliseconds(150));
}

}  // namespace
}  // namespace martlet::client
