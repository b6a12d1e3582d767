#include "model/group.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "model/limits.h"

namespace martlet {

bool is_valid_group_id(const GroupId& group) {
  const std::string& text = group.str();
  return !text.empty() &&
         std::none_of(text.begin(), text.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
}

GroupRole GroupMembers::role_of(const UserId& user) const {
  const auto found = roles_.find(user);
  return found == roles_.end() ? GroupRole::kNone : found->second;
}

bool GroupMembers::may_invite(GroupRole role) const {
  return role >= GroupRole::kAdmin || join_ == JoinPolicy::kAnyone;
}

ErrorCode GroupMembers::why_not(const UserId& actor, const MembersChange& change) const {
  if (change.action == MembersAction::kCreated) return ErrorCode::kGroupTaken;
  if (roles_.empty()) return ErrorCode::kNoSuchGroup;
  const GroupRole role = role_of(actor);
  if (change.action == MembersAction::kJoined) {
    if (role != GroupRole::kNone) return ErrorCode::kAlreadyMember;
    if (join_ != JoinPolicy::kAnyone) return ErrorCode::kForbidden;
    return roles_.size() < kMaxGroupMembers ? ErrorCode::kNone : ErrorCode::kGroupFull;
  }
  if (role == GroupRole::kNone) return ErrorCode::kNotMember;
  switch (change.action) {
    case MembersAction::kInvited:
      return may_invite(role) ? why_not_add(change) : ErrorCode::kForbidden;
    case MembersAction::kLeft:
      return role == GroupRole::kOwner ? ErrorCode::kOwnerStays : ErrorCode::kNone;
    case MembersAction::kRemoved:
      return why_not_remove(role, actor, change);
    case MembersAction::kRoleSet:
      return why_not_set_role(role, actor, change);
    case MembersAction::kDisbanded:
      return role == GroupRole::kOwner ? ErrorCode::kNone : ErrorCode::kForbidden;
    case MembersAction::kCreated:
    case MembersAction::kJoined:
      break;
  }
  return ErrorCode::kForbidden;
}

ErrorCode GroupMembers::why_not_add(const MembersChange& change) const {
  const auto added = std::count_if(change.users.begin(), change.users.end(),
                                   [this](const UserId& user) { return !has(user); });
  if (added == 0) return ErrorCode::kAlreadyMember;
  const std::size_t after = roles_.size() + static_cast<std::size_t>(added);
  return after <= kMaxGroupMembers ? ErrorCode::kNone : ErrorCode::kGroupFull;
}

// Owner and admins remove those below them; nobody removes themself, that is to leave.
ErrorCode GroupMembers::why_not_remove(GroupRole role, const UserId& actor,
                                       const MembersChange& change) const {
  if (role < GroupRole::kAdmin) return ErrorCode::kForbidden;
  bool any = false;
  for (const UserId& user : change.users) {
    const GroupRole other = role_of(user);
    if (other == GroupRole::kNone) continue;
    if (user == actor || other >= role) return ErrorCode::kForbidden;
    any = true;
  }
  return any ? ErrorCode::kNone : ErrorCode::kNotMember;
}

ErrorCode GroupMembers::why_not_set_role(GroupRole role, const UserId& actor,
                                         const MembersChange& change) const {
  MARTLET_ASSERT(change.users.size() == 1);
  if (role != GroupRole::kOwner || change.users[0] == actor) return ErrorCode::kForbidden;
  return has(change.users[0]) ? ErrorCode::kNone : ErrorCode::kNotMember;
}

void GroupMembers::add(const UserId& user, GroupRole role, Moves& moves) {
  if (roles_.try_emplace(user, role).second) moves.came.push_back(user);
}

void GroupMembers::remove(const UserId& user, Moves& moves) {
  if (roles_.erase(user) > 0) moves.went.push_back(user);
}

GroupMembers::Moves GroupMembers::apply(const UserId& actor, const MembersChange& change) {
  Moves moves;
  switch (change.action) {
    case MembersAction::kCreated:
      join_ = change.join;
      add(actor, GroupRole::kOwner, moves);
      [[fallthrough]];
    case MembersAction::kInvited:
      for (const UserId& user : change.users) add(user, GroupRole::kMember, moves);
      break;
    case MembersAction::kJoined:
      add(actor, GroupRole::kMember, moves);
      break;
    case MembersAction::kLeft:
      remove(actor, moves);
      break;
    case MembersAction::kRemoved:
      for (const UserId& user : change.users) remove(user, moves);
      break;
    case MembersAction::kRoleSet:
      if (change.role == GroupRole::kOwner) roles_[actor] = GroupRole::kAdmin;
      roles_[change.users.at(0)] = change.role;
      break;
    case MembersAction::kDisbanded:
      for (const auto& [user, role] : std::exchange(roles_, {})) moves.went.push_back(user);
      break;
  }
  return moves;
}

}  // namespace martlet
