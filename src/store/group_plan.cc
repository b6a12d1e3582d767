#include "store/group_plan.h"

namespace martlet::store {

void GroupPlan::know_group(std::int64_t group, EarlierHistory earlier_history) {
  groups_[group].earlier_history = earlier_history;
}

void GroupPlan::know_member(std::int64_t group, const std::string& user, std::uint64_t joined_seq,
                            GroupRole role) {
  Row row;
  row.stay.group = group;
  row.stay.user = user;
  row.stay.joined_seq = joined_seq;
  row.stay.role = role;
  row.stored = true;
  current_[{group, user}] = rows_.size();
  rows_.push_back(std::move(row));
}

void GroupPlan::apply(std::int64_t group, const ApplyPlan::GroupEntry& entry) {
  const MembersChange& change = entry.change;
  if (!groups_.contains(group)) {
    if (change.action != MembersAction::kCreated) return;
    groups_[group] = {true, change.title, change.join, change.earlier_history};
  }
  const Moment moment{group, entry.entry->seq.value(), entry.position.value()};
  groups_[group].members_at = moment.seq;
  groups_[group].position = moment.position;
  const std::string& actor = entry.entry->sender.str();
  switch (change.action) {
    case MembersAction::kCreated:
      add(moment, actor, GroupRole::kOwner);
      [[fallthrough]];
    case MembersAction::kInvited:
      for (const UserId& user : change.users) add(moment, user.str(), GroupRole::kMember);
      break;
    case MembersAction::kJoined:
      add(moment, actor, GroupRole::kMember);
      break;
    case MembersAction::kLeft:
      end(moment, actor);
      break;
    case MembersAction::kRemoved:
      for (const UserId& user : change.users) end(moment, user.str());
      break;
    case MembersAction::kRoleSet:
      if (change.role == GroupRole::kOwner) set_role(group, actor, GroupRole::kAdmin);
      set_role(group, change.users.at(0).str(), change.role);
      break;
    case MembersAction::kDisbanded:
      disband(moment);
      break;
  }
}

GroupPlan::Row* GroupPlan::current(std::int64_t group, const std::string& user) {
  const auto found = current_.find({group, user});
  return found == current_.end() ? nullptr : &rows_[found->second];
}

void GroupPlan::add(const Moment& moment, const std::string& user, GroupRole role) {
  if (current(moment.group, user) != nullptr) return;
  Group& group = groups_[moment.group];
  const bool shown = group.earlier_history == EarlierHistory::kShown;
  Row row;
  row.stay = {moment.group, user, shown ? 1 : moment.seq, moment.seq, moment.position, 0, 0, role};
  current_[{moment.group, user}] = rows_.size();
  rows_.push_back(std::move(row));
  ++group.more_members;
}

void GroupPlan::end(const Moment& moment, const std::string& user) {
  Row* row = current(moment.group, user);
  if (row == nullptr) return;
  row->stay.to_seq = moment.seq;
  row->stay.ended_position = moment.position;
  row->changed = true;
  current_.erase({moment.group, user});
  --groups_[moment.group].more_members;
}

void GroupPlan::set_role(std::int64_t group, const std::string& user, GroupRole role) {
  Row* row = current(group, user);
  if (row == nullptr) return;
  row->stay.role = role;
  row->changed = true;
}

// Of the stays that are stored only those named elsewhere are known here.
void GroupPlan::disband(const Moment& moment) {
  groups_[moment.group].disbanded = true;
  const auto first = current_.lower_bound({moment.group, ""});
  const auto last = current_.lower_bound({moment.group + 1, ""});
  for (auto one = first; one != last; ++one) {
    Row& row = rows_[one->second];
    row.stay.to_seq = moment.seq;
    row.stay.ended_position = moment.position;
    row.changed = true;
  }
  current_.erase(first, last);
}

std::vector<GroupPlan::Stay> GroupPlan::begun() const {
  std::vector<Stay> stays;
  for (const Row& row : rows_)
    if (!row.stored) stays.push_back(row.stay);
  return stays;
}

std::vector<GroupPlan::Stay> GroupPlan::changed() const {
  std::vector<Stay> stays;
  for (const Row& row : rows_)
    if (row.stored && row.changed) stays.push_back(row.stay);
  return stays;
}

}  // namespace martlet::store
