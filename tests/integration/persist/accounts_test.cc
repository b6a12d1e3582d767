#include "auth/token.h"
#include "bus/subjects.h"
#include "wire/group_answers.h"
#include "wire/group_requests.h"
#include "wire/requests.h"
#include "world.h"

namespace martlet::persist {
namespace {

class AccountsTest : public PersistTest {
 protected:
  wire::ClientAnswer account(wire::Command command, const Bytes& body) {
    return ask(bus::subject::rpc_account(), command, "", body);
  }
  ErrorCode register_as(std::string_view name, std::string_view password = "correct horse") {
    return account(wire::Command::Register, wire::encode(wire::Register{user(name), password}))
        .error.code;
  }
  wire::ClientAnswer log_in(std::string_view name, std::string_view password = "correct horse") {
    return account(wire::Command::Login,
                   wire::encode(wire::Login{user(name), DeviceId::trusted("phone"), password}));
  }
  wire::ClientAnswer refresh(std::string_view token) {
    return account(wire::Command::Refresh, wire::encode(wire::Refresh{token}));
  }
  static std::string refresh_token_of(const wire::ClientAnswer& answer) {
    EXPECT_EQ(answer.error.code, ErrorCode::kNone) << answer.error.detail;
    const auto tokens = wire::parse_tokens(answer.body);
    EXPECT_TRUE(tokens) << tokens.error().detail;
    return std::string(tokens->refresh_token);
  }
};

TEST_F(AccountsTest, ARegisteredUserLogsInAndGetsASignedToken) {
  start_persist();
  ASSERT_EQ(register_as("dora"), ErrorCode::kNone);
  const auto answer = log_in("dora");
  ASSERT_EQ(answer.error.code, ErrorCode::kNone) << answer.error.detail;
  const auto tokens = wire::parse_tokens(answer.body);
  ASSERT_TRUE(tokens);
  EXPECT_EQ(tokens->expires_in_s, 3600u);
  auth::KeyRing keys;
  keys.add("k1", auth::SigningKey::load(options_.signing_key)->public_key());
  const auto claims = auth::verify_token(tokens->access_token, keys, {}, loop_.wall_ms());
  ASSERT_TRUE(claims) << claims.error().detail;
  EXPECT_EQ(claims->user, user("dora"));
  EXPECT_EQ(claims->device, DeviceId::trusted("phone"));
}

TEST_F(AccountsTest, NamesAreTakenWithoutRegardToCase) {
  start_persist();
  ASSERT_EQ(register_as("dora"), ErrorCode::kNone);
  EXPECT_EQ(register_as("DORA"), ErrorCode::kUserTaken);
}

TEST_F(AccountsTest, WrongPasswordsAndUnknownUsersLookTheSame) {
  start_persist();
  ASSERT_EQ(register_as("dora"), ErrorCode::kNone);
  EXPECT_EQ(log_in("dora", "battery staple").error.code, ErrorCode::kWrongPassword);
  EXPECT_EQ(log_in("nobody").error.code, ErrorCode::kWrongPassword);
}

TEST_F(AccountsTest, RegistrationCanBeClosed) {
  options_.registration = "closed";
  start_persist();
  EXPECT_EQ(register_as("dora"), ErrorCode::kRegistrationClosed);
}

TEST_F(AccountsTest, AReusedRefreshTokenRevokesAndKicksTheDevice) {
  Node& node = start_persist();
  ASSERT_EQ(register_as("dora"), ErrorCode::kNone);
  const std::string first = refresh_token_of(log_in("dora"));
  const std::string second = refresh_token_of(refresh(first));
  const std::string third = refresh_token_of(refresh(second));
  int kicks = 0;
  const auto subscription =
      bus_->subscribe(bus::subject::user(user("dora")), "", bus::Priority::kDroppable,
                      [&](const bus::Incoming& incoming) {
                        const auto event = wire::parse_to_user(incoming.payload);
                        ASSERT_TRUE(event);
                        const auto* kick = std::get_if<wire::KickDevice>(&*event);
                        ASSERT_NE(kick, nullptr);
                        EXPECT_EQ(kick->device, DeviceId::trusted("phone"));
                        EXPECT_EQ(kick->reason, proto::KickReason::Revoked);
                        ++kicks;
                      });
  bool ready = false;
  bus_->after_subscriptions(std::chrono::seconds(5), [&](const Result<void>&) { ready = true; });
  ASSERT_TRUE(wait_for([&] { return ready; }));
  EXPECT_EQ(refresh(first).error.code, ErrorCode::kTokenRevoked);
  EXPECT_TRUE(wait_for([&] { return kicks == 1; }));
  EXPECT_EQ(refresh(third).error.code, ErrorCode::kTokenRevoked);
  EXPECT_EQ(metric(node, "martlet_persist_devices_revoked_total"), 1);
  refresh_token_of(log_in("dora"));
}

TEST_F(AccountsTest, ASignedOutDeviceIsKickedAndMustLogInAgain) {
  start_persist();
  ASSERT_EQ(register_as("dora"), ErrorCode::kNone);
  const std::string token = refresh_token_of(log_in("dora"));
  const auto as_dora = [&](wire::Command command, const Bytes& body) {
    return ask(bus::subject::rpc_account(), command, "dora", body);  // from device d1
  };
  const auto listed = as_dora(wire::Command::Devices, wire::encode(wire::Devices{}));
  ASSERT_EQ(listed.error.code, ErrorCode::kNone) << listed.error.detail;
  const auto list = wire::parse_device_list(listed.body);
  ASSERT_EQ(list->devices.size(), 1u);
  EXPECT_EQ(list->devices[0].device, DeviceId::trusted("phone"));
  EXPECT_FALSE(list->devices[0].this_one);
  EXPECT_GT(list->devices[0].last_login_ms, 0u);
  int kicks = 0;
  const auto subscription = bus_->subscribe(
      bus::subject::user(user("dora")), "", bus::Priority::kDroppable,
      [&](const bus::Incoming& incoming) {
        const auto event = wire::parse_to_user(incoming.payload);
        kicks += std::get<wire::KickDevice>(*event).device == DeviceId::trusted("phone") ? 1 : 0;
      });
  bool ready = false;
  bus_->after_subscriptions(std::chrono::seconds(5), [&](const Result<void>&) { ready = true; });
  ASSERT_TRUE(wait_for([&] { return ready; }));
  const auto answer = as_dora(wire::Command::SignOut, wire::encode(wire::SignOut{}));
  ASSERT_EQ(answer.error.code, ErrorCode::kNone) << answer.error.detail;
  EXPECT_EQ(wire::parse_signed_out(answer.body)->devices, 1u);
  EXPECT_TRUE(wait_for([&] { return kicks == 1; }));
  EXPECT_EQ(refresh(token).error.code, ErrorCode::kTokenRevoked);
}

TEST_F(AccountsTest, ARefreshWhoseAnswerWasLostMayBeRepeated) {
  Node& node = start_persist();
  ASSERT_EQ(register_as("dora"), ErrorCode::kNone);
  const std::string first = refresh_token_of(log_in("dora"));
  const std::string lost = refresh_token_of(refresh(first));
  const std::string again = refresh_token_of(refresh(first));
  EXPECT_NE(again, lost);
  EXPECT_EQ(metric(node, "martlet_persist_refreshes_repeated_total"), 1);
  refresh_token_of(refresh(again));
}

TEST_F(AccountsTest, APasswordThatNobodyWaitsForIsNotHashed) {
  options_.hash_wait = std::chrono::milliseconds(50);
  Node& node = start_persist();
  wire::ClientRequest question;
  question.command = wire::Command::Register;
  const Bytes body = wire::encode(wire::Register{user("dora"), "correct horse"});
  question.body = body;
  question.wait = std::chrono::milliseconds(1);  // less than any hash takes
  const auto answer = request(bus::subject::rpc_account(), wire::encode(question));
  EXPECT_EQ(wire::parse_client_answer(answer)->error.code, ErrorCode::kBusy);
  EXPECT_EQ(metric(node, "martlet_persist_hashes_total{end=\"dropped\"}"), 1);
  EXPECT_EQ(metric(node, "martlet_persist_hashes_total{end=\"done\"}"), 0);
}

TEST_F(AccountsTest, TokensThatAreNoneAreInvalid) {
  start_persist();
  EXPECT_EQ(refresh("mr1_nonsense").error.code, ErrorCode::kTokenInvalid);
}

TEST_F(AccountsTest, TooManyPasswordsAtOnceAreRefusedAsBusy) {
  options_.hash_threads = 1;
  options_.hash_queue = 1;
  start_persist();
  constexpr int kRequests = 12;
  int answers = 0;
  int busy = 0;
  for (int i = 0; i < kRequests; ++i) {
    wire::ClientRequest question;
    question.command = wire::Command::Register;
    const Bytes body =
        wire::encode(wire::Register{user("dora" + std::to_string(i)), "correct horse"});
    question.body = body;
    bus_->request(bus::subject::rpc_account(), wire::encode(question), std::chrono::seconds(20),
                  [&](const Result<Bytes>& reply) {
                    ASSERT_TRUE(reply) << reply.error().detail;
                    const auto answer = wire::parse_client_answer(*reply);
                    ++answers;
                    if (answer->error.code == ErrorCode::kBusy) ++busy;
                  });
  }
  ASSERT_TRUE(wait_for([&] { return answers == kRequests; }));
  EXPECT_GE(busy, kRequests - 4);
  EXPECT_LT(busy, kRequests);
}

}  // namespace
}  // namespace martlet::persist
