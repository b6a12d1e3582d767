#pragma once

#include <string>
#include <vector>

#include "tools/device_command.h"

namespace martlet::tools {

Result<GroupId> parse_group(const std::string& text);
Result<GroupRole> parse_role(const std::string& text);

// Asks for one change of a group; ends when it is answered.
class ChangeGroup : public DeviceCommand {
 public:
  struct Options {
    std::string group;
    std::vector<std::string> users;
    std::string role;  // of SetRole
    MembersChange change;
  };
  ChangeGroup(const ToolOptions& tool, Options options);

 protected:
  bool receives() const override { return false; }
  Result<void> prepare() override;
  void on_changed(const client::GroupChanges::Done& done) override;
  void on_change_refused(const client::GroupChanges::Refused& refused) override;

 private:
  Options options_;
  ClientMsgId id_;
};

// Prints a group and its members, asking page by page.
class GroupInfo : public DeviceCommand {
 public:
  GroupInfo(const ToolOptions& tool, std::string group);

 protected:
  bool receives() const override { return false; }
  Result<void> prepare() override;

 private:
  void ask();
  void on_page(Result<wire::GroupInfoPage> page);

  std::string text_;
  GroupId group_;
  std::string after_;
  bool said_group_ = false;
};

// Prints the user's groups, asking page by page.
class GroupList : public DeviceCommand {
 public:
  using DeviceCommand::DeviceCommand;

 protected:
  bool receives() const override { return false; }
  Result<void> prepare() override;

 private:
  void ask();
  void on_page(const Result<wire::GroupListPage>& page);

  std::string after_;
};

}  // namespace martlet::tools
