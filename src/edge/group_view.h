#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <vector>

#include "model/group.h"
#include "model/ids.h"

namespace martlet::edge {

// What an edge knows of one group: which of its own users are members, since when, and as of which
// change it knows that. Says who gets which event. An event passes over those whose membership is
// not known as of the change before it; the view remembers that they missed something. Pure.
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
  // Called for each who gets it; must leave the view as it is.
  using Give = std::function<void(const UserId&)>;
  struct Heard {
    std::size_t passed_over = 0;
    std::vector<UserId> gone;  // who is in the group no more
    std::vector<UserId> lost;  // the same, of those who missed something
  };
  // What a change means to one whom it concerns.
  enum class Effect { kCame, kWent, kStays };

  bool empty() const { return entries_.empty(); }
  bool has(const UserId& user) const { return entries_.contains(user); }
  const Place* find(const UserId& user) const;
  // The newest change of membership that was heard of.
  Seq newest() const { return newest_; }

  // A snapshot says that the user is a member; one that is older than what is known changes
  // nothing. True: they were not in it.
  bool learn(const UserId& user, Place place);
  // A snapshot says that the user is none. True: they were in it.
  bool learn_absent(const UserId& user, Seq as_of);
  // The user has no session here any more.
  void forget(const UserId& user) { entries_.erase(user); }
  // The group's log was cut off and its seqs are given anew: nothing is known as of any seq, and
  // everybody may have missed something.
  void doubt();

  // Some of those who missed something: to be asked about.
  std::vector<UserId> missing(std::size_t max) const;
  // True once after the user missed something: known as of all that was heard, they get what comes
  // next.
  bool caught_up(const UserId& user);

  // A message, that came after the change members_at and before any other.
  Heard hear(Seq seq, Seq members_at, const Give& give);
  // A change of membership from the group's subject. Those whom it concerns are left out: they get
  // it from their own.
  Heard hear(const Act& act, Seq members_at, const Give& give);
  // What is no message, to those whose membership is known; nobody misses it.
  void pass_on(Seq members_at, const Give& give) const;
  // A change of membership from the subject of a user whom it concerns.
  Effect hear_own(const UserId& user, const Act& act);

 private:
  struct Entry {
    Place place;
    Seq since;            // newest_ when it began
    bool missed = false;  // an event passed it over
  };

  void note(Seq members_at);
  void note(const Act& act, Seq members_at);

  std::map<UserId, Entry> entries_;
  Seq newest_;
  Seq unbroken_;  // all changes after it, up to the newest, were heard
};

}  // namespace martlet::edge
