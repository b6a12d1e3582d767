#include "edge/group_view.h"

#include <algorithm>

#include "base/planted.h"

namespace martlet::edge {
namespace {

// A change in the form in which it is held against all members.
class Reading {
 public:
  explicit Reading(const GroupView::Act& act) : act_(act) {
    for (const UserId& user : act.change.users) named_.push_back(&user);
    std::sort(named_.begin(), named_.end(), is_before);
  }

  bool adds(const UserId& user) const {
    switch (act_.change.action) {
      case MembersAction::kCreated:
        return act_.actor == user || names(user);
      case MembersAction::kInvited:
        return names(user);
      case MembersAction::kJoined:
        return act_.actor == user;
      default:
        return false;
    }
  }
  bool removes(const UserId& user) const {
    switch (act_.change.action) {
      case MembersAction::kCreated:  // nobody was in it before
        return !adds(user);
      case MembersAction::kLeft:
        return act_.actor == user;
      case MembersAction::kRemoved:
        return names(user);
      case MembersAction::kDisbanded:
        return true;
      default:
        return false;
    }
  }
  // Who does not get it from the group's subject. Who is invited and was in the group already is
  // not concerned: nothing changes for them.
  bool leaves_out(const UserId& user, const GroupView::Place& place) const {
    switch (act_.change.action) {
      case MembersAction::kDisbanded:
        return false;
      case MembersAction::kInvited:
        return place.from == act_.seq && names(user);
      case MembersAction::kRoleSet:
        return names(user);
      default:
        return adds(user) || removes(user);
    }
  }

 private:
  static bool is_before(const UserId* one, const UserId* other) { return *one < *other; }
  bool names(const UserId& user) const {
    return std::binary_search(named_.begin(), named_.end(), &user, is_before);
  }

  const GroupView::Act& act_;
  std::vector<const UserId*> named_;
};

}  // namespace

// ---- what is known ---------------------------------------------------------------------------

const GroupView::Place* GroupView::find(const UserId& user) const {
  const auto found = entries_.find(user);
  return found == entries_.end() ? nullptr : &found->second.place;
}

bool GroupView::learn(const UserId& user, Place place) {
  const auto [found, is_new] = entries_.try_emplace(user, Entry{place, newest_});
  Entry& entry = found->second;
  if (place.as_of < entry.place.as_of) return false;
  entry.place = place;
  // All changes since were heard, and the user was here and not put out by any. Without this a
  // group that changes all the time would outrun the answers.
  const bool is_followed = unbroken_ <= place.as_of && entry.since <= place.as_of;
  if (is_followed) entry.place.as_of = std::max(place.as_of, newest_);
  return is_new;
}

bool GroupView::learn_absent(const UserId& user, Seq as_of) {
  const auto found = entries_.find(user);
  if (found == entries_.end() || found->second.place.as_of > as_of) return false;
  entries_.erase(found);
  return true;
}

void GroupView::doubt() {
  newest_ = Seq();
  unbroken_ = Seq();
  for (auto& [user, entry] : entries_) entry = {{entry.place.from, Seq()}, Seq(), true};
}

std::vector<UserId> GroupView::missing(std::size_t max) const {
  std::vector<UserId> users;
  for (const auto& [user, entry] : entries_) {
    if (users.size() == max) break;
    if (entry.missed) users.push_back(user);
  }
  return users;
}

bool GroupView::caught_up(const UserId& user) {
  const auto found = entries_.find(user);
  if (found == entries_.end() || !found->second.missed) return false;
  if (found->second.place.as_of < newest_) return false;
  found->second.missed = false;
  return true;
}

// ---- what is heard ---------------------------------------------------------------------------

void GroupView::note(Seq members_at) {
  if (members_at <= newest_) return;
  newest_ = members_at;
  unbroken_ = members_at;
}

void GroupView::note(const Act& act, Seq members_at) {
  note(members_at);
  if (act.seq <= newest_) return;
  if (members_at < newest_) unbroken_ = act.seq;
  newest_ = act.seq;
}

GroupView::Heard GroupView::hear(Seq seq, Seq members_at, const Give& give) {
  note(members_at);
  Heard heard;
  for (auto& [user, entry] : entries_) {
    if (is_planted(Planted::kMissChanges)) {
      entry.place.as_of = std::max(entry.place.as_of, members_at);
    }
    if (entry.place.as_of < members_at && !is_planted(Planted::kIgnoreMembersAt)) {
      entry.missed = true;
      ++heard.passed_over;
    } else if (entry.place.from <= seq) {
      give(user);
    }
  }
  return heard;
}

GroupView::Heard GroupView::hear(const Act& act, Seq members_at, const Give& give) {
  note(act, members_at);
  const Reading reading(act);
  Heard heard;
  for (auto at = entries_.begin(); at != entries_.end();) {
    auto& [user, entry] = *at;
    Place& place = entry.place;
    const bool is_known = place.as_of >= members_at;
    if (!is_known) {
      entry.missed = true;
      ++heard.passed_over;
    } else if (place.from <= act.seq && !reading.leaves_out(user, place)) {
      give(user);
    }
    // Who is known as of a later change has come back since.
    const bool puts_out = reading.removes(user) && !is_planted(Planted::kFanOutToRemoved);
    if (place.as_of < act.seq && puts_out) {
      (entry.missed ? heard.lost : heard.gone).push_back(user);
      at = entries_.erase(at);
      continue;
    }
    if (is_known) place.as_of = std::max(place.as_of, act.seq);
    ++at;
  }
  return heard;
}

void GroupView::pass_on(Seq members_at, const Give& give) const {
  for (const auto& [user, entry] : entries_) {
    if (entry.place.as_of >= members_at) give(user);
  }
}

GroupView::Effect GroupView::hear_own(const UserId& user, const Act& act) {
  const Reading reading(act);
  const auto found = entries_.find(user);
  const bool is_known = found != entries_.end() && found->second.place.as_of >= act.seq;
  if (reading.adds(user)) {
    if (is_known) return Effect::kStays;
    entries_.insert_or_assign(user, Entry{{act.seq, act.seq}, newest_});
    return Effect::kCame;
  }
  if (reading.removes(user)) {
    if (found == entries_.end() || is_known) return Effect::kStays;
    entries_.erase(found);
    return Effect::kWent;
  }
  // Another role: a member, before and after. What else happened before may not be known.
  return Effect::kStays;
}

}  // namespace martlet::edge
