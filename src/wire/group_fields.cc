#include "wire/group_fields.h"

#include <set>

#include "model/limits.h"

namespace martlet::wire {
namespace {

#define MARTLET_SAME(ours, theirs) static_assert(static_cast<int>(ours) == static_cast<int>(theirs))
MARTLET_SAME(GroupRole::kMember, proto::GroupRole::Member);
MARTLET_SAME(GroupRole::kOwner, proto::GroupRole::Owner);
MARTLET_SAME(JoinPolicy::kAnyone, proto::JoinPolicy::Anyone);
MARTLET_SAME(EarlierHistory::kShown, proto::EarlierHistory::Shown);
MARTLET_SAME(MembersAction::kCreated, proto::MembersAction::Created);
MARTLET_SAME(MembersAction::kDisbanded, proto::MembersAction::Disbanded);
#undef MARTLET_SAME

}  // namespace

flatbuffers::Offset<NameVector> put_users(Builder& builder, const std::vector<UserId>& users) {
  MARTLET_ASSERT(users.size() <= kMaxUsersPerChange);
  return put_names(builder, users);
}

flatbuffers::Offset<NameVector> put_names(Builder& builder, const std::vector<UserId>& users) {
  if (users.empty()) return {};
  std::vector<flatbuffers::Offset<flatbuffers::String>> names;
  names.reserve(users.size());
  for (const UserId& user : users) names.push_back(put(builder, user.str()));
  return builder.CreateVector(names);
}

std::vector<UserId> read_users(const NameVector* names, FieldReader& read) {
  std::vector<UserId> users;
  if (names == nullptr) return users;
  if (names->size() > kMaxUsersPerChange) {
    read.refuse(ErrorCode::kBadRange, "users", "are more than 100");
    return users;
  }
  std::set<UserId> seen;
  for (const auto* name : *names) {
    UserId user = read.user(name, "users");
    if (!seen.insert(user).second) read.refuse(ErrorCode::kBadBody, "users", "names one twice");
    users.push_back(std::move(user));
  }
  return users;
}

std::vector<UserId> read_names(const NameVector* names, const char* field, FieldReader& read) {
  std::vector<UserId> users;
  if (names == nullptr) return users;
  users.reserve(names->size());
  for (const auto* name : *names) {
    users.push_back(read.user(name, field));
    if (!read.ok()) break;
  }
  return users;
}

}  // namespace martlet::wire
