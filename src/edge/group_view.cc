#include "edge/group_view.h"

#include <algorithm>

namespace martlet::edge {
namespace {

bool names(const MembersChange& change, const UserId& user) {
  return std::find(change.users.begin(), change.users.end(), user) != change.users.end();
}

bool adds(const UserId& user, const GroupView::Act& act) {
  switch (act.change.action) {
    case MembersAction::kCreated:
      return act.actor == user || names(act.change, user);
    case MembersAction::kInvited:
      return names(act.change, user);
    case MembersAction::kJoined:
      return act.actor == user;
    default:
      return false;
  }
}

bool removes(const UserId& user, const GroupView::Act& act) {
  switch (act.change.action) {
    case MembersAction::kCreated:  // nobody was in it before
      return !adds(user, act);
    case MembersAction::kLeft:
      return act.actor == user;
    case MembersAction::kRemoved:
      return names(act.change, user);
    case MembersAction::kDisbanded:
      return true;
    default:
      return false;
  }
}

}  // namespace

const GroupView::Place* GroupView::find(const UserId& user) const {
  const auto found = places_.find(user);
  return found == places_.end() ? nullptr : &found->second;
}

std::vector<UserId> GroupView::users() const {
  std::vector<UserId> users;
  users.reserve(places_.size());
  for (const auto& [user, place] : places_) users.push_back(user);
  return users;
}

bool GroupView::learn(const UserId& user, Place place) {
  const auto [found, is_new] = places_.try_emplace(user, place);
  if (!is_new && found->second.as_of <= place.as_of) found->second = place;
  return is_new;
}

bool GroupView::learn_absent(const UserId& user, Seq as_of) {
  const auto found = places_.find(user);
  if (found == places_.end() || found->second.as_of > as_of) return false;
  places_.erase(found);
  return true;
}

void GroupView::doubt() {
  for (auto& [user, place] : places_) place.as_of = Seq();
}

bool GroupView::knows(Seq members_at) const {
  return std::all_of(places_.begin(), places_.end(),
                     [=](const auto& item) { return item.second.as_of >= members_at; });
}

std::vector<UserId> GroupView::unknown(Seq members_at) const {
  std::vector<UserId> users;
  for (const auto& [user, place] : places_) {
    if (place.as_of < members_at) users.push_back(user);
  }
  return users;
}

std::vector<UserId> GroupView::audience_now(Seq members_at) const {
  std::vector<UserId> audience;
  for (const auto& [user, place] : places_) {
    if (place.as_of >= members_at) audience.push_back(user);
  }
  return audience;
}

std::optional<GroupView::Heard> GroupView::hear(Seq seq, Seq members_at) const {
  if (!knows(members_at)) return std::nullopt;
  Heard heard;
  for (const auto& [user, place] : places_) {
    if (place.from <= seq) heard.audience.push_back(user);
  }
  return heard;
}

std::optional<GroupView::Heard> GroupView::hear(const Act& act, Seq members_at) {
  if (!knows(members_at)) return std::nullopt;
  Heard heard;
  const bool to_all = act.change.action == MembersAction::kDisbanded;
  for (auto entry = places_.begin(); entry != places_.end();) {
    auto& [user, place] = *entry;
    if (place.from <= act.seq && (to_all || !concerns(user, place, act))) {
      heard.audience.push_back(user);
    }
    // Who is known as of a later change has come back since.
    if (removes(user, act) && place.as_of < act.seq) {
      heard.gone.push_back(user);
      entry = places_.erase(entry);
      continue;
    }
    place.as_of = std::max(place.as_of, act.seq);
    ++entry;
  }
  return heard;
}

// Who is invited and was in the group already is not concerned: nothing changes for them.
bool GroupView::concerns(const UserId& user, const Place& place, const Act& act) const {
  if (act.change.action == MembersAction::kInvited) {
    return names(act.change, user) && place.from == act.seq;
  }
  if (act.change.action == MembersAction::kRoleSet) return names(act.change, user);
  return adds(user, act) || removes(user, act);
}

GroupView::Effect GroupView::hear_own(const UserId& user, const Act& act) {
  const auto found = places_.find(user);
  const bool is_known = found != places_.end() && found->second.as_of >= act.seq;
  if (adds(user, act)) {
    if (is_known) return Effect::kStays;
    places_.insert_or_assign(user, Place{act.seq, act.seq});
    return Effect::kCame;
  }
  if (removes(user, act)) {
    if (found == places_.end() || is_known) return Effect::kStays;
    places_.erase(found);
    return Effect::kWent;
  }
  // Another role: a member, before and after. What else happened before may not be known.
  return Effect::kStays;
}

}  // namespace martlet::edge
