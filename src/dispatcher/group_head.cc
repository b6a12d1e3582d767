#include "dispatcher/group_head.h"

#include <utility>

#include "dispatcher/limits.h"

namespace martlet::dispatcher {

std::vector<UserId> concerned_by(const MembersChange& change, const GroupMembers::Moves& moves) {
  if (change.action == MembersAction::kDisbanded) return {};
  if (change.action == MembersAction::kRoleSet) return change.users;
  std::vector<UserId> concerned = moves.came;
  concerned.insert(concerned.end(), moves.went.begin(), moves.went.end());
  return concerned;
}

std::vector<UserId> perhaps_concerned_by(const UserId& actor, const MembersChange& change) {
  switch (change.action) {
    case MembersAction::kCreated: {
      std::vector<UserId> all = change.users;
      all.push_back(actor);
      return all;
    }
    case MembersAction::kJoined:
    case MembersAction::kLeft:
      return {actor};
    case MembersAction::kInvited:
    case MembersAction::kRemoved:
    case MembersAction::kRoleSet:
      return change.users;
    case MembersAction::kDisbanded:
      return {};
  }
  return {};
}

GroupMembers::Moves GroupHead::apply(Seq seq, const UserId& actor, const MembersChange& change) {
  if (seq <= members_at_) return {};
  if (change.action == MembersAction::kCreated) {
    pending_.clear();
    members_ = {};
    is_known_ = true;
  }
  if (!is_known_) {
    pending_.push_back({seq, actor, change});
    return {};
  }
  members_at_ = seq;
  return members_.apply(actor, change);
}

void GroupHead::learn(wire::GroupState state) {
  if (is_known_ && members_at_ >= state.members_at) return;
  members_ = std::move(state.members);
  members_at_ = state.members_at;
  is_known_ = true;
  for (const Pending& pending : std::exchange(pending_, {})) {
    if (pending.seq > members_at_) apply(pending.seq, pending.actor, pending.change);
  }
}

std::size_t GroupHead::weight() const {
  std::size_t names = members_.size();
  for (const Pending& pending : pending_) names += 1 + pending.change.users.size();
  return names / kMembersPerHead;
}

}  // namespace martlet::dispatcher
