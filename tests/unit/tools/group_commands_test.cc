// Commands about groups and devices against a fake server, and what they print.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <thread>

#include "fake_server.h"
#include "tools/devices.h"
#include "tools/group.h"
#include "tools/history.h"
#include "tools/register.h"
#include "tools/send.h"

namespace martlet::tools {
namespace {

using client::FakeServer;
using testing::HasSubstr;

// Serves on a thread of its own while a command runs.
class Served {
 public:
  explicit Served(event::Loop& loop) : loop_(loop), thread_([&loop] { loop.run(); }) {}
  ~Served() {
    loop_.post([this] { loop_.stop(); });
    thread_.join();
  }
  Served(const Served&) = delete;
  Served& operator=(const Served&) = delete;

 private:
  event::Loop& loop_;
  std::thread thread_;
};

class GroupCommandsTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "martlet_home_XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    options_.home = pattern;
    options_.servers = server_.address().str();
    options_.timeout_s = 20;
  }
  void TearDown() override { std::filesystem::remove_all(options_.home); }

  // As alice; what it printed is in printed_.
  template <class Command, class... Arguments>
  Exit run(Arguments... arguments) {
    const Served served(loop_);
    if (!std::exchange(is_logged_in_, true)) {
      EXPECT_EQ(log_in(options_, {"alice", "phone", "password", ""}), Exit::kOk);
    }
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    Command command(options_, std::move(arguments)...);
    const Exit exit = command.run();
    printed_ = testing::internal::GetCapturedStdout();
    complaint_ = testing::internal::GetCapturedStderr();
    return exit;
  }
  Exit change(MembersAction action, std::vector<std::string> users = {}, std::string role = {}) {
    ChangeGroup::Options options{"team", std::move(users), std::move(role), {}};
    options.change.action = action;
    return run<ChangeGroup>(options);
  }

  event::Loop loop_;
  FakeServer server_{loop_};
  ToolOptions options_;
  bool is_logged_in_ = false;
  std::string printed_;
  std::string complaint_;
};

TEST_F(GroupCommandsTest, CreatePrintsItsPlace) {
  EXPECT_EQ(change(MembersAction::kCreated, {"bob"}), Exit::kOk) << complaint_;
  EXPECT_EQ(printed_, "alice -> g:team seq=1 (created the group with bob)\n");
  EXPECT_EQ(server_.groups.at(GroupId::trusted("team")).size(), 2U);
}

TEST_F(GroupCommandsTest, MembersComeGoAndGetRoles) {
  change(MembersAction::kCreated);
  EXPECT_EQ(change(MembersAction::kInvited, {"bob", "carol"}), Exit::kOk) << complaint_;
  EXPECT_EQ(printed_, "alice -> g:team seq=2 (invited bob, carol)\n");
  EXPECT_EQ(change(MembersAction::kRoleSet, {"bob"}, "admin"), Exit::kOk) << complaint_;
  EXPECT_EQ(printed_, "alice -> g:team seq=3 (made bob admin)\n");
  EXPECT_EQ(change(MembersAction::kRemoved, {"carol"}), Exit::kOk) << complaint_;
  EXPECT_EQ(printed_, "alice -> g:team seq=4 (removed carol)\n");
  EXPECT_EQ(change(MembersAction::kDisbanded), Exit::kOk) << complaint_;
  EXPECT_EQ(printed_, "alice -> g:team seq=5 (disbanded the group)\n");
}

TEST_F(GroupCommandsTest, RefusalIsAnExitCode) {
  EXPECT_EQ(change(MembersAction::kLeft), Exit::kRefused);
  EXPECT_THAT(complaint_, HasSubstr("NO_SUCH_GROUP"));
  EXPECT_EQ(printed_, "");
}

TEST_F(GroupCommandsTest, BadNamesAreRefusedHere) {
  EXPECT_EQ(change(MembersAction::kInvited, {"b.b"}), Exit::kRefused);
  EXPECT_THAT(complaint_, HasSubstr("BAD_ID"));
  EXPECT_EQ(change(MembersAction::kInvited), Exit::kRefused);
  EXPECT_EQ(server_.requests[wire::Command::GroupInvite], 0);
}

TEST_F(GroupCommandsTest, JsonHasTheChange) {
  options_.json = true;
  EXPECT_EQ(change(MembersAction::kCreated, {"bob"}), Exit::kOk) << complaint_;
  EXPECT_THAT(printed_, HasSubstr(R"("type":"changed","conversation":"g:team","seq":1)"));
  EXPECT_THAT(printed_, HasSubstr(R"("action":"Created","users":["bob"])"));
}

TEST_F(GroupCommandsTest, InfoAndListPrintLines) {
  change(MembersAction::kCreated, {"bob"});
  EXPECT_EQ(run<GroupInfo>(std::string("g:team")), Exit::kOk) << complaint_;
  EXPECT_THAT(printed_, HasSubstr("group team "));
  EXPECT_THAT(printed_, HasSubstr("member alice owner since=1\nmember bob member since=1\n"));
  EXPECT_EQ(run<GroupList>(), Exit::kOk) << complaint_;
  EXPECT_THAT(printed_, HasSubstr("group team "));
}

TEST_F(GroupCommandsTest, SendAndHistoryTakeAGroup) {
  change(MembersAction::kCreated, {"bob"});
  Send::Options send;
  send.peer = "g:team";
  send.text = "hello all";
  EXPECT_EQ(run<Send>(send), Exit::kOk) << complaint_;
  EXPECT_EQ(printed_, "alice -> g:team seq=2 hello all\n");
  History::Options history;
  history.peer = "g:team";
  EXPECT_EQ(run<History>(history), Exit::kOk) << complaint_;
  EXPECT_EQ(printed_,
            "g:team seq=1 alice: (created the group with bob)\n"
            "g:team seq=2 alice: hello all\n");
}

TEST_F(GroupCommandsTest, DevicesAreListedAndSignedOut) {
  EXPECT_EQ(run<Devices>(), Exit::kOk) << complaint_;
  EXPECT_EQ(printed_, "device phone last_login_ms=5 (this one)\n");
  EXPECT_EQ(run<SignOut>(SignOut::Options{"", true}), Exit::kOk) << complaint_;
  EXPECT_EQ(printed_, "signed out devices=2\n");
}

TEST(GroupNames, RolesAndGroupsAreParsed) {
  EXPECT_EQ(parse_role("owner").value(), GroupRole::kOwner);
  EXPECT_FALSE(parse_role("none"));
  EXPECT_EQ(parse_group("g:team")->str(), "team");
  EXPECT_EQ(parse_group("team")->str(), "team");
  EXPECT_FALSE(parse_group("u:a:b"));
}

}  // namespace
}  // namespace martlet::tools
