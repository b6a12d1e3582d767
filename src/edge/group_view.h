#pragma once

#include <map>
#include <optional>
#include <vector>

#include "model/group.h"
#include "model/ids.h"

namespace martlet::edge {

// What an edge knows of one group: which of its own users are members, since when, and as of which
// seq it knows that. Says who gets which event. Never more than the members of a moment do: what it
// does not know as of an event it says so, and somebody who is not in it gets nothing. Pure.
class GroupView {
 public:
  // Somebody sees what has seq `from` or more; known as of the change of membership `as_of`.
  struct Place {
    Seq from;
    Seq as_of;
    friend bool operator==(const Place&, const Place&) = default;
  };
  // A change of membership, `seq` is its own.
  struct Act {
    Seq seq;
    const UserId& actor;
    const MembersChange& change;
  };
  struct Heard {
    std::vector<UserId> audience;  // who gets the event from the group's subject
    std::vector<UserId> gone;      // who is in the group no more
  };
  // What a change means to one whom it concerns.
  enum class Effect { kCame, kWent, kStays };

  bool empty() const { return places_.empty(); }
  std::size_t size() const { return places_.size(); }
  bool has(const UserId& user) const { return places_.contains(user); }
  const Place* find(const UserId& user) const;
  std::vector<UserId> users() const;

  // A snapshot says that the user is a member; one that is older than what is known changes
  // nothing. True: they were not in it.
  bool learn(const UserId& user, Place place);
  // A snapshot says that the user is none. True: they were in it.
  bool learn_absent(const UserId& user, Seq as_of);
  // The user has no session here any more.
  void forget(const UserId& user) { places_.erase(user); }
  // The group's log was cut off and its seqs are given anew: nothing is known as of any seq.
  void doubt();

  // Whether everybody's membership is known as of the change.
  bool knows(Seq members_at) const;
  // Those of whom it is not known.
  std::vector<UserId> unknown(Seq members_at) const;
  // Those who get what is no message and whose membership is known.
  std::vector<UserId> audience_now(Seq members_at) const;
  // A message, that came after the change members_at and before any other. None: hold it and ask.
  std::optional<Heard> hear(Seq seq, Seq members_at) const;
  // A change of membership from the group's subject. Those whom it concerns are left out: they get
  // it from their own.
  std::optional<Heard> hear(const Act& act, Seq members_at);
  // The same change from the subject of a user whom it concerns.
  Effect hear_own(const UserId& user, const Act& act);

 private:
  bool concerns(const UserId& user, const Place& place, const Act& act) const;

  std::map<UserId, Place> places_;
};

}  // namespace martlet::edge
