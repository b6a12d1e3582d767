#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "model/group.h"
#include "model/ids.h"
#include "wire/rpc.h"

namespace martlet::dispatcher {

struct OpenEntry;

// Who is to see a change of membership beside those who listen to the group: those who came, went
// or have another role. Nobody for a group's end: its members listen.
std::vector<UserId> concerned_by(const MembersChange& change, const GroupMembers::Moves& moves);
// The same if the members before it are not known: everybody who may be concerned.
std::vector<UserId> perhaps_concerned_by(const UserId& actor, const MembersChange& change);

// The members of one group, as its log and the database tell them. A log that does not go back to
// the beginning tells changes only: they are kept until the database has said what came before.
class GroupHead {
 public:
  // True: members() and members_at() are of now.
  bool is_known() const { return is_known_; }
  // Known, and never created.
  bool is_absent() const { return is_known_ && members_at_ == Seq(); }
  const GroupMembers& members() const { return members_; }
  Seq members_at() const { return members_at_; }

  // The next change that is in the log or has its number; one that is not newer than what is known
  // changes nothing. Who came and went, if the members before it are known.
  GroupMembers::Moves apply(Seq seq, const UserId& actor, const MembersChange& change);
  // The database's snapshot. One that is older than what is known changes nothing.
  void learn(wire::GroupState state);

  // Counts for the limit of heads.
  std::size_t weight() const;

  // The newest change that has its number and is not in the log yet; null: none.
  OpenEntry* open_change = nullptr;

 private:
  struct Pending {
    Seq seq;
    UserId actor;
    MembersChange change;
  };
  bool is_known_ = false;
  GroupMembers members_;
  Seq members_at_;
  std::vector<Pending> pending_;
};

}  // namespace martlet::dispatcher
