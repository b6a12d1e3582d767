#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/error.h"
#include "model/ids.h"

// Groups as values: who is in one, who may change that, and what a change does. The numbers of the
// enums are those of the protocol.
namespace martlet {

enum class GroupRole : std::uint8_t { kNone = 0, kMember = 1, kAdmin = 2, kOwner = 3 };

// kInvited: only owner and admins bring people in. kAnyone: everybody may join, members may invite.
enum class JoinPolicy : std::uint8_t { kInvited = 0, kAnyone = 1 };

// What a member sees of the time before joining.
enum class EarlierHistory : std::uint8_t { kHidden = 0, kShown = 1 };

enum class MembersAction : std::uint8_t {
  kCreated = 1,
  kInvited = 2,
  kJoined = 3,
  kLeft = 4,
  kRemoved = 5,
  kRoleSet = 6,
  kDisbanded = 7,
};

// Somebody's act on a group; schemas/client.fbs says which fields belong to which action.
struct MembersChange {
  MembersAction action = MembersAction::kJoined;
  std::vector<UserId> users;
  GroupRole role = GroupRole::kNone;
  std::string title;
  JoinPolicy join = JoinPolicy::kInvited;
  EarlierHistory earlier_history = EarlierHistory::kHidden;
  friend bool operator==(const MembersChange&, const MembersChange&) = default;
};

// A group id: those of kMaxIdBytes, without capitals, so that no two differ by case alone.
bool is_valid_group_id(const GroupId& group);

// The members of one group as of one seq. A group without members was disbanded, and its id stays
// taken.
class GroupMembers {
 public:
  using Roles = std::map<UserId, GroupRole>;

  GroupMembers() = default;
  GroupMembers(Roles roles, JoinPolicy join) : roles_(std::move(roles)), join_(join) {}

  GroupRole role_of(const UserId& user) const;
  bool has(const UserId& user) const { return role_of(user) != GroupRole::kNone; }
  const Roles& roles() const { return roles_; }
  JoinPolicy join() const { return join_; }
  std::size_t size() const { return roles_.size(); }

  // Whether the actor may do it now: kNone, kNotMember, kForbidden, kOwnerStays, kAlreadyMember,
  // kGroupFull, kNoSuchGroup (disbanded). Only for a group that exists: kCreated is kGroupTaken.
  ErrorCode why_not(const UserId& actor, const MembersChange& change) const;

  // Whose membership began and ended with a change.
  struct Moves {
    std::vector<UserId> came;
    std::vector<UserId> went;
  };
  // What the log says happened; it was judged before it was logged.
  Moves apply(const UserId& actor, const MembersChange& change);

 private:
  bool may_invite(GroupRole role) const;
  ErrorCode why_not_add(const MembersChange& change) const;
  ErrorCode why_not_remove(GroupRole role, const UserId& actor, const MembersChange& change) const;
  ErrorCode why_not_set_role(GroupRole role, const UserId& actor,
                             const MembersChange& change) const;
  void add(const UserId& user, GroupRole role, Moves& moves);
  void remove(const UserId& user, Moves& moves);

  Roles roles_;
  JoinPolicy join_ = JoinPolicy::kInvited;
};

}  // namespace martlet
