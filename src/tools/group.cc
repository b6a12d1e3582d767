#include "tools/group.h"

#include <utility>

namespace martlet::tools {

Result<GroupId> parse_group(const std::string& text) {
  const std::string name = text.starts_with("g:") ? text.substr(2) : text;
  const std::optional<GroupId> group = GroupId::parse(name);
  if (!group) return fail(ErrorCode::kBadId, "not a group: " + text);
  return *group;
}

Result<GroupRole> parse_role(const std::string& text) {
  for (const GroupRole role : {GroupRole::kMember, GroupRole::kAdmin, GroupRole::kOwner}) {
    if (text == name_of(role)) return role;
  }
  return fail(ErrorCode::kBadBody, "a role is member, admin or owner, not " + text);
}

// ---- changes ------------------------------------------------------------------------------

ChangeGroup::ChangeGroup(const ToolOptions& tool, Options options)
    : DeviceCommand(tool), options_(std::move(options)) {}

Result<void> ChangeGroup::prepare() {
  const Result<GroupId> group = parse_group(options_.group);
  if (!group) return tl::unexpected(group.error());
  MembersChange change = options_.change;
  for (const std::string& text : options_.users) {
    const Result<UserId> user = parse_user(text);
    if (!user) return tl::unexpected(user.error());
    change.users.push_back(*user);
  }
  if (!options_.role.empty()) {
    const Result<GroupRole> role = parse_role(options_.role);
    if (!role) return tl::unexpected(role.error());
    change.role = *role;
  }
  const Result<ClientMsgId> queued = client().change_group(*group, change);
  if (!queued) return tl::unexpected(queued.error());
  id_ = *queued;
  return {};
}

// One that an earlier command left in the home may be answered first.
void ChangeGroup::on_changed(const client::GroupChanges::Done& done) {
  output().changed(self(), done);
  if (done.change.id == id_) this->done(Exit::kOk);
}

void ChangeGroup::on_change_refused(const client::GroupChanges::Refused& refused) {
  if (refused.change.id == id_) return give_up(refused.error);
  complain(refused.error);
}

// ---- questions ----------------------------------------------------------------------------

GroupInfo::GroupInfo(const ToolOptions& tool, std::string group)
    : DeviceCommand(tool), text_(std::move(group)) {}

Result<void> GroupInfo::prepare() {
  const Result<GroupId> group = parse_group(text_);
  if (!group) return tl::unexpected(group.error());
  group_ = *group;
  ask();
  return {};
}

void GroupInfo::ask() {
  client().group_info({group_, after_, 0},
                      [this](Result<wire::GroupInfoPage> page) { on_page(std::move(page)); });
}

void GroupInfo::on_page(Result<wire::GroupInfoPage> page) {
  if (!page) return give_up(page.error());
  if (!std::exchange(said_group_, true)) output().group(*page);
  for (const wire::GroupMember& member : page->members) output().member(group_, member);
  if (!page->more || page->members.empty()) return done(Exit::kOk);
  after_ = page->members.back().user.str();
  ask();
}

Result<void> GroupList::prepare() {
  ask();
  return {};
}

void GroupList::ask() {
  client().group_list({after_, 0},
                      [this](const Result<wire::GroupListPage>& page) { on_page(page); });
}

void GroupList::on_page(const Result<wire::GroupListPage>& page) {
  if (!page) return give_up(page.error());
  for (const wire::GroupSummary& one : page->groups) output().summary(one);
  if (!page->more || page->groups.empty()) return done(Exit::kOk);
  after_ = page->groups.back().group.str();
  ask();
}

}  // namespace martlet::tools
