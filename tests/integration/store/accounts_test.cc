#include "store/accounts.h"

#include <thread>

#include "database.h"
#include "store/limits.h"

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
    return {hash, now_ms, now_ms + kLifeMs};
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

  static constexpr WallMs kLifeMs = 1'000'000;
  static constexpr WallMs kLate = 2000 + kRefreshGraceMs;  // for a repeat of what was done at 2,000
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
  EXPECT_EQ(refreshed("t1", "t3", kLate), RefreshOutcome::kReused);
  EXPECT_EQ(refreshed("t2", "t4", kLate), RefreshOutcome::kRevoked) << "the successor is void too";
  EXPECT_EQ(refreshed("t1", "t5", kLate), RefreshOutcome::kRevoked);
}

TEST_F(AccountsTest, WhoLostTheAnswerMayAskAgainAtOnce) {
  log_in("t1");
  ASSERT_EQ(refreshed("t1", "t2"), RefreshOutcome::kRenewed);
  EXPECT_EQ(refreshed("t1", "t3"), RefreshOutcome::kRepeated);
  EXPECT_EQ(refreshed("t1", "t4", kLate - 1), RefreshOutcome::kRepeated) << "even twice";
  EXPECT_EQ(refreshed("t4", "t5"), RefreshOutcome::kRenewed);
}

TEST_F(AccountsTest, TheTimeForARepeatCountsFromTheFirstUse) {
  log_in("t1");
  ASSERT_EQ(refreshed("t1", "t2"), RefreshOutcome::kRenewed);
  ASSERT_EQ(refreshed("t1", "t3", kLate - 1), RefreshOutcome::kRepeated);
  EXPECT_EQ(refreshed("t1", "t4", kLate), RefreshOutcome::kReused);
}

// A request that stood still in a persist comes after its repeat was answered.
TEST_F(AccountsTest, ARepeatThatComesLateTakesNothingFromWhoHasAnAnswer) {
  log_in("t1");
  ASSERT_EQ(refreshed("t1", "t2"), RefreshOutcome::kRenewed);
  ASSERT_EQ(refreshed("t1", "t3"), RefreshOutcome::kRepeated) << "nobody waits for this one";
  EXPECT_EQ(refreshed("t2", "t4"), RefreshOutcome::kRenewed);
  EXPECT_EQ(refreshed("t4", "t5"), RefreshOutcome::kRenewed);
}

TEST_F(AccountsTest, OfTwoSuccessorsTheSecondOneUsedRevokesTheDevice) {
  log_in("t1");
  ASSERT_EQ(refreshed("t1", "t2"), RefreshOutcome::kRenewed);
  ASSERT_EQ(refreshed("t1", "t3"), RefreshOutcome::kRepeated);
  ASSERT_EQ(refreshed("t3", "t4"), RefreshOutcome::kRenewed);
  EXPECT_EQ(refreshed("t2", "t5"), RefreshOutcome::kReused) << "two have tokens of this device";
  EXPECT_EQ(refreshed("t4", "t6"), RefreshOutcome::kRevoked);
}

TEST_F(AccountsTest, ATokenOfWhichASuccessorWasUsedIsNotRepeated) {
  log_in("t1");
  ASSERT_EQ(refreshed("t1", "t2"), RefreshOutcome::kRenewed);
  ASSERT_EQ(refreshed("t1", "t3"), RefreshOutcome::kRepeated);
  ASSERT_EQ(refreshed("t2", "t4"), RefreshOutcome::kRenewed);
  EXPECT_EQ(refreshed("t1", "t5"), RefreshOutcome::kReused);
}

TEST_F(AccountsTest, ATokenWhoseSuccessorWasUsedRevokesTheDeviceAtOnce) {
  log_in("t1");
  ASSERT_EQ(refreshed("t1", "t2"), RefreshOutcome::kRenewed);
  ASSERT_EQ(refreshed("t2", "t3"), RefreshOutcome::kRenewed);
  EXPECT_EQ(refreshed("t1", "t4"), RefreshOutcome::kReused);
  EXPECT_EQ(refreshed("t3", "t5"), RefreshOutcome::kRevoked);
}

TEST_F(AccountsTest, ANewLoginEndsTheRevocationAndVoidsEarlierTokens) {
  log_in("t1");
  ASSERT_EQ(refreshed("t1", "t2"), RefreshOutcome::kRenewed);
  ASSERT_EQ(refreshed("t1", "t3", kLate), RefreshOutcome::kReused);
  log_in("u1");
  EXPECT_EQ(refreshed("t2", "t4"), RefreshOutcome::kInvalid);
  EXPECT_EQ(refreshed("u1", "u2"), RefreshOutcome::kRenewed);
}

TEST_F(AccountsTest, TokensOfTwoDevicesAreIndependent) {
  log_in("t1");
  ASSERT_TRUE(start_login(*connection_, user("alice"), DeviceId::trusted("tablet"), token("v1")));
  ASSERT_EQ(refreshed("t1", "t2"), RefreshOutcome::kRenewed);
  ASSERT_EQ(refreshed("t1", "t3", kLate), RefreshOutcome::kReused);
  EXPECT_EQ(refreshed("v1", "v2"), RefreshOutcome::kRenewed);
}

TEST_F(AccountsTest, TokenRunsOutAtItsEnd) {
  log_in("t1");  // at 1,000
  EXPECT_EQ(refreshed("t1", "t2", 1000 + kLifeMs), RefreshOutcome::kExpired);
  EXPECT_EQ(refreshed("t1", "t2", 1000 + kLifeMs - 1), RefreshOutcome::kRenewed);
}

TEST_F(AccountsTest, TwoConcurrentRefreshesBothGetATokenThatIsGood) {
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
            (std::vector<RefreshOutcome>{RefreshOutcome::kRenewed, RefreshOutcome::kRepeated}));
  EXPECT_EQ(scalar("SELECT count(*) FROM refresh_tokens WHERE used_ms IS NULL"), "2");
}

}  // namespace
}  // namespace martlet::store
