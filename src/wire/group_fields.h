#pragma once

#include <vector>

#include "client_generated.h"
#include "model/group.h"
#include "wire/fields.h"

// What several bodies about groups have in common; for the .cc files of wire/ only.
namespace martlet::wire {

using NameVector = flatbuffers::Vector<flatbuffers::Offset<flatbuffers::String>>;

flatbuffers::Offset<NameVector> put_users(Builder& builder, const std::vector<UserId>& users);
// At most kMaxUsersPerChange, none twice; absent: none.
std::vector<UserId> read_users(const NameVector* names, FieldReader& read);

// Any number of users, as our own services write them.
flatbuffers::Offset<NameVector> put_names(Builder& builder, const std::vector<UserId>& users);
std::vector<UserId> read_names(const NameVector* names, const char* field, FieldReader& read);

// Applies `read_one` to each element of a vector that may be absent.
template <class Vector, class ReadOne>
auto read_all(const Vector* tables, FieldReader& read, ReadOne read_one) {
  std::vector<decltype(read_one(*tables->Get(0), read))> out;
  if (tables == nullptr) return out;
  out.reserve(tables->size());
  for (const auto* table : *tables) {
    out.push_back(read_one(*table, read));
    if (!read.ok()) break;
  }
  return out;
}

inline proto::GroupRole to_proto(GroupRole role) {
  return static_cast<proto::GroupRole>(role);
}
inline GroupRole read_role(proto::GroupRole role, FieldReader& read) {
  return static_cast<GroupRole>(read.enumerator(role, proto::GroupRole::MAX, "role"));
}
inline JoinPolicy read_join(proto::JoinPolicy join, FieldReader& read) {
  return static_cast<JoinPolicy>(read.enumerator(join, proto::JoinPolicy::MAX, "join"));
}
inline EarlierHistory read_earlier_history(proto::EarlierHistory history, FieldReader& read) {
  return static_cast<EarlierHistory>(
      read.enumerator(history, proto::EarlierHistory::MAX, "earlier_history"));
}

}  // namespace martlet::wire
