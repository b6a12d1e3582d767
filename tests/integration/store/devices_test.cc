#include "store/devices.h"

#include "database.h"
#include "store/accounts.h"
#include "store/limits.h"

namespace martlet::store {
namespace {

class DevicesTest : public DatabaseTest {
 protected:
  void SetUp() override {
    DatabaseTest::SetUp();
    if (HasFatalFailure()) return;
    connection_ = prepared();
    add_users({"alice", "bob"});
  }
  // Its token is the device's name.
  std::vector<DeviceId> log_in(const std::string& device, WallMs now_ms,
                               std::string_view name = "alice") {
    const auto done = start_login(*connection_, user(name), DeviceId::trusted(device),
                                  {device + std::string(name), now_ms, now_ms + kLifeMs});
    EXPECT_TRUE(done) << done.error().message;
    return done->signed_out;
  }
  std::vector<std::string> devices(WallMs now_ms = 100) {
    const auto rows = find_devices(*connection_, user("alice"), now_ms);
    EXPECT_TRUE(rows) << rows.error().message;
    std::vector<std::string> names;
    for (const DeviceRow& row : *rows) names.push_back(row.device.str());
    return names;
  }
  std::vector<DeviceId> signed_out(std::string_view device, std::string_view asking) {
    SignOutRequest request{user("alice"), {}, DeviceId::trusted(asking)};
    if (!device.empty()) request.device = DeviceId::trusted(device);
    auto done = sign_out(*connection_, request);
    EXPECT_TRUE(done) << done.error().message;
    return *done;
  }
  using Names = std::vector<std::string>;

  static constexpr WallMs kLifeMs = 1000;
  std::unique_ptr<pg::Connection> connection_;
};

TEST_F(DevicesTest, AreListedByTheirLastLogin) {
  log_in("phone", 10);
  log_in("laptop", 20);
  log_in("tablet", 5, "bob");
  EXPECT_EQ(devices(), (Names{"laptop", "phone"}));
  log_in("phone", 30);
  EXPECT_EQ(devices(), (Names{"phone", "laptop"}));
  EXPECT_EQ(devices(1025), (Names{"phone"})) << "the laptop's token has expired";
}

TEST_F(DevicesTest, ASignedOutDeviceMustLogInAgain) {
  log_in("phone", 10);
  log_in("laptop", 20);
  EXPECT_EQ(signed_out("phone", "laptop"), (std::vector<DeviceId>{DeviceId::trusted("phone")}));
  EXPECT_EQ(devices(), (Names{"laptop"}));
  const auto revoked = [&](const char* device) {
    return is_revoked(*connection_, user("alice"), DeviceId::trusted(device)).value();
  };
  EXPECT_TRUE(revoked("phone"));
  EXPECT_FALSE(revoked("laptop"));
  EXPECT_FALSE(revoked("never-seen"));
  EXPECT_EQ(refresh(*connection_, "phonealice", {"next", 30, 1030})->outcome,
            RefreshOutcome::kRevoked);
  EXPECT_TRUE(signed_out("phone", "laptop").empty());
  log_in("phone", 40);
  EXPECT_EQ(devices(), (Names{"phone", "laptop"}));
}

TEST_F(DevicesTest, AllOthersAreSignedOut) {
  for (const char* device : {"phone", "laptop", "tablet"}) log_in(device, 10);
  log_in("tablet", 10, "bob");
  EXPECT_EQ(signed_out("", "laptop").size(), 2u);
  EXPECT_EQ(devices(), (Names{"laptop"}));
  EXPECT_EQ(scalar("SELECT count(*) FROM devices WHERE revoked AND user_id = 'bob'"), "0");
}

TEST_F(DevicesTest, TheOldestLoginMakesRoomForANewOne) {
  for (WallMs i = 0; i < kMaxDevicesPerUser; ++i)
    EXPECT_TRUE(log_in("d" + std::to_string(i), 10 + i).empty());
  EXPECT_TRUE(log_in("d0", 60).empty()) << "no new device";
  // Its persist's clock is behind: it stays all the same.
  EXPECT_EQ(log_in("new", 1), (std::vector<DeviceId>{DeviceId::trusted("d1")}));
  EXPECT_EQ(devices().size(), kMaxDevicesPerUser);
  EXPECT_EQ(devices().back(), "new");
}

TEST_F(DevicesTest, TokensAreForgottenLongAfterTheyExpired) {
  log_in("phone", 10);
  log_in("laptop", 20);
  EXPECT_EQ(*forget_tokens(*connection_, 1010), 0u);
  EXPECT_EQ(*forget_tokens(*connection_, 1010 + kKeepExpiredTokensMs), 1u);
  EXPECT_EQ(scalar("SELECT device_id FROM refresh_tokens"), "laptop");
}

}  // namespace
}  // namespace martlet::store
