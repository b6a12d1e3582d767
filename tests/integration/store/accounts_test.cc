#include "store/accounts.h"

#include <thread>

#include "database.h"

namespace martlet::store {
namespace {

class AccountsTest : public DatabaseTest {
 protected:
  void SetUp() override {
    DatabaseTest::SetUp();
    if (HasFatalFailure()) return;
    connection_ = prepared();
  }
  static NewToken token(const std::string& hash, WallMs now_ms = 1000) {
    return {hash, now_ms, now_ms + 10'000};
  }
  void log_in(const std::string& hash) {
    const auto done = start_login(*connection_, user("alice"), device_, token(hash));
    ASSERT_TRUE(done) << done.error().message;
  }
  RefreshOutcome refreshed(const std::string& old_hash, const std::string& new_hash,
                           WallMs now_ms = 2000) {
    const auto result = refresh(*connection_, old_hash, token(new_hash, now_ms));
    EXPECT_TRUE(result) << result.error().message;
    return result->outcome;
  }

  const DeviceId device_ = DeviceId::trusted("phone");
  std::unique_ptr<pg::Connection> connection_;
};

TEST_F(AccountsTest, NamesAreUniqueWithoutRegardToCase) {
  EXPECT_TRUE(*create_account(*connection_, user("Alice"), "hash", 1));
  EXPECT_FALSE(*create_account(*connection_, user("Alice"), "hash", 1));
  EXPECT_FALSE(*create_account(*connection_, user("aLICE"), "hash", 1));
  EXPECT_TRUE(*create_account(*connection_, user("Alice2"), "hash", 1));
}

TEST_F(AccountsTest, PasswordHashIsFoundByTheExactName) {
  ASSERT_TRUE(*create_account(*connection_, user("Alice"), "the hash", 1));
  EXPECT_EQ(*find_password_hash(*connection_, user("Alice")), "the hash");
  EXPECT_EQ(*find_password_hash(*connection_, user("alice")), std::nullopt);
}

TEST_F(AccountsTest, RefreshRotatesTokens) {
  log_in("t1");
  EXPECT_EQ(refreshed("t1", "t2"), RefreshOutcome::kRenewed);
  EXPECT_EQ(refreshed("t2", "t3"), RefreshOutcome::kRenewed);
  EXPECT_EQ(refreshed("unknown", "t4"), RefreshOutcome::kInvalid);
}

TEST_F(AccountsTest, ReusedTokenRevokesTheDevice) {
  log_in("t1");
  ASSERT_EQ(refreshed("t1", "t2"), RefreshOutcome::kRenewed);
  EXPECT_EQ(refreshed("t1", "t3"), RefreshOutcome::kReused);
  EXPECT_EQ(refreshed("t2", "t4"), RefreshOutcome::kRevoked) << "the successor is void as well";
  EXPECT_EQ(refreshed("t1", "t5"), RefreshOutcome::kRevoked);
}

TEST_F(AccountsTest, ANewLoginEndsTheRevocationAndVoidsEarlierTokens) {
  log_in("t1");
  ASSERT_EQ(refreshed("t1", "t2"), RefreshOutcome::kRenewed);
  ASSERT_EQ(refreshed("t1", "t3"), RefreshOutcome::kReused);
  log_in("u1");
  EXPECT_EQ(refreshed("t2", "t4"), RefreshOutcome::kInvalid);
  EXPECT_EQ(refreshed("u1", "u2"), RefreshOutcome::kRenewed);
}

TEST_F(AccountsTest, TokensOfTwoDevicesAreIndependent) {
  log_in("t1");
  ASSERT_TRUE(start_login(*connection_, user("alice"), DeviceId::trusted("tablet"), token("v1")));
  ASSERT_EQ(refreshed("t1", "t2"), RefreshOutcome::kRenewed);
  ASSERT_EQ(refreshed("t1", "t3"), RefreshOutcome::kReused);
  EXPECT_EQ(refreshed("v1", "v2"), RefreshOutcome::kRenewed);
}

TEST_F(AccountsTest, TokenRunsOutAtItsEnd) {
  log_in("t1");  // ends at 11,000
  EXPECT_EQ(refreshed("t1", "t2", 11'000), RefreshOutcome::kExpired);
  EXPECT_EQ(refreshed("t1", "t2", 10'999), RefreshOutcome::kRenewed);
}

TEST_F(AccountsTest, OneOfTwoConcurrentRefreshesWins) {
  log_in("t1");
  std::vector<RefreshOutcome> outcomes(2);
  std::vector<std::thread> threads;
  for (int i = 0; i < 2; ++i) {
    threads.emplace_back([&, i] {
      auto connection = connect();
      outcomes[i] = refresh(*connection, "t1", token("new" + std::to_string(i), 2000))->outcome;
    });
  }
  for (auto& thread : threads) thread.join();
  std::sort(outcomes.begin(), outcomes.end());
  EXPECT_EQ(outcomes,
            (std::vector<RefreshOutcome>{RefreshOutcome::kRenewed, RefreshOutcome::kReused}));
}

}  // namespace
}  // namespace martlet::store
