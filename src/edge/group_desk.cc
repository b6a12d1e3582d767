#include "edge/group_desk.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "base/planted.h"
#include "bus/subjects.h"

namespace martlet::edge {
namespace {

constexpr std::uint32_t kRetryAfterMs = 1000;

}  // namespace

GroupDesk::GroupDesk(Parts parts, const Options& options)
    : parts_(parts),
      options_(options),
      subjects_(parts.bus, parts.wheel, parts.clock, options.subjects),
      questions_(parts.bus, options.questions) {}

// ---- who is where ----------------------------------------------------------------------------

GroupDesk::Group* GroupDesk::find(const GroupId& group) {
  const auto found = groups_.find(group);
  return found == groups_.end() ? nullptr : found->second.get();
}

GroupDesk::Group& GroupDesk::open(const GroupId& id) {
  const auto [found, is_new] = groups_.try_emplace(id);
  if (!is_new) return *found->second;
  found->second = std::make_unique<Group>();
  Group& group = *found->second;
  group.number = ++last_number_;
  group.ask_again = std::make_unique<TimerWheel::Entry>([this, id] { ask_group(id); });
  return group;
}

// When nobody here is in it any more.
void GroupDesk::close(const GroupId& id) {
  const Group* group = find(id);
  if (group != nullptr && group->view.empty()) groups_.erase(id);
}

// The view has the user; true: the edge did not listen for them yet.
bool GroupDesk::enter(const UserId& user, const GroupId& group) {
  if (!users_.at(user).groups.insert(group).second) return false;
  subjects_.attach(bus::subject::group(group),
                   [this, group](BytesView payload) { parts_.port.on_to_group(group, payload); });
  return true;
}

void GroupDesk::leave(const UserId& user, const GroupId& group) {
  const auto found = users_.find(user);
  if (found == users_.end() || found->second.groups.erase(group) == 0) return;
  subjects_.detach(bus::subject::group(group));
}

void GroupDesk::leave_all(const std::vector<UserId>& users, const GroupId& group) {
  for (const UserId& user : users) leave(user, group);
  close(group);
}

// What came between the change or the snapshot and the subscription.
void GroupDesk::hint_when_listening(const UserId& user, const GroupId& group,
                                    std::uint32_t within_ms) {
  subjects_.await(bus::subject::group(group), [this, user, group, within_ms](const Result<void>&) {
    parts_.port.hint_added(user, ConversationId::of_group(group), within_ms);
  });
}

// Their SYNCs must not come all at once.
void GroupDesk::hint(const std::vector<UserId>& users, const GroupId& group, bool all_at_once) {
  const bool many = all_at_once || users.size() > kFewHints;
  for (const UserId& user : users) {
    parts_.port.hint_resync(user, ConversationId::of_group(group),
                            many ? kSpreadMs : kShortSpreadMs);
  }
}

bool GroupDesk::is_outside(const UserId& user, const GroupId& group) const {
  const auto found = users_.find(user);
  if (found == users_.end() || found->second.state != State::kListening || found->second.behind) {
    return false;
  }
  return !found->second.groups.contains(group);
}

bool GroupDesk::renew(const UserId& user, const GroupId& group) {
  const auto found = users_.find(user);
  if (found == users_.end() || !found->second.groups.contains(group)) return false;
  return subjects_.renew(bus::subject::group(group));
}

void GroupDesk::doubt(ShardId shard) {
  std::vector<GroupId> doubted;
  for (auto& [id, group] : groups_) {
    if (shard_of(ConversationId::of_group(id), options_.shards) != shard) continue;
    group->view.doubt();
    group->doubted = true;
    doubted.push_back(id);
  }
  for (const GroupId& id : doubted) ask_about_missing(id);
}

// ---- users -----------------------------------------------------------------------------------

void GroupDesk::begin(const UserId& id) {
  User& user = users_[id];
  MARTLET_ASSERT(!is_fanning_out_);
  if (++user.sessions > 1) return;
  user.number = ++last_number_;
  user.ask_again = std::make_unique<TimerWheel::Entry>([this, id] { ask_user(id); });
  user.give_up = std::make_unique<TimerWheel::Entry>([this, id] {
    tell(std::exchange(users_.at(id).waiting, {}),
         fail(ErrorCode::kUnavailable, "the user's groups are not known", kRetryAfterMs));
  });
  ask_user(id);
}

void GroupDesk::end(const UserId& id) {
  MARTLET_ASSERT(!is_fanning_out_);
  const auto found = users_.find(id);
  MARTLET_ASSERT(found != users_.end() && found->second.sessions > 0);
  if (--found->second.sessions > 0) return;
  User gone = std::move(found->second);
  users_.erase(found);
  for (const GroupId& group : gone.groups) {
    subjects_.detach(bus::subject::group(group));
    open(group).view.forget(id);
    close(group);
  }
  tell(std::move(gone.waiting), fail(ErrorCode::kUnavailable, "the session ended"));
}

void GroupDesk::when_listening(const UserId& id, Ready ready) {
  User& user = users_.at(id);
  if (user.state == State::kListening) return ready({});
  user.waiting.push_back(std::move(ready));
  if (!user.give_up->is_scheduled()) {
    parts_.wheel.schedule(*user.give_up, parts_.clock.now() + options_.wait);
  }
  if (user.state == State::kFailed) ask_user(id);
}

void GroupDesk::ask_user(const UserId& id) {
  User& user = users_.at(id);
  if (user.state != State::kListening) user.state = State::kAsking;
  questions_.ask({.user = id, .group = {}, .users = {}},
                 [this, id, number = user.number](const Result<wire::GroupsAnswer>& answer) {
                   const auto found = users_.find(id);
                   if (found == users_.end() || found->second.number != number) return;
                   on_user_answer(id, answer);
                 });
}

void GroupDesk::on_user_answer(const UserId& id, const Result<wire::GroupsAnswer>& answer) {
  User& user = users_.at(id);
  if (!answer) {
    if (user.state == State::kListening) return again(*user.ask_again, kRetryAfterMs);
    return fail_user(id, answer.error());
  }
  const bool repeated = user.state == State::kListening;
  for (const wire::GroupMembership& one : answer->memberships) {
    if (one.user != id) continue;
    open(one.group).view.learn(id, {one.from_seq, one.members_at});
    const bool is_new = enter(id, one.group);
    if (is_new && repeated) hint_when_listening(id, one.group, kShortSpreadMs);
  }
  const bool was_behind = std::exchange(user.behind, answer->behind);
  if (answer->behind) again(*user.ask_again, answer->again_in_ms);
  if (user.state != State::kListening) user.state = State::kSubscribing;
  await_groups(id);
  if (was_behind && !answer->behind) parts_.port.hint_resync(id, {}, kShortSpreadMs);
}

// Goes on when all of the user's groups are confirmed, with the last error; only the last of
// several counts, since it has all groups of those before.
void GroupDesk::await_groups(const UserId& id) {
  struct Open {
    std::size_t left = 1;
    Result<void> result;
  };
  const auto open = std::make_shared<Open>();
  const std::uint64_t number = ++last_number_;
  users_.at(id).await = number;
  const auto one_less = [this, id, open, number](const Result<void>& result) {
    if (!result) open->result = result;
    if (--open->left > 0) return;
    const auto found = users_.find(id);
    if (found != users_.end() && found->second.await == number) on_listening(id, open->result);
  };
  const std::set<GroupId> groups = users_.at(id).groups;
  for (const GroupId& group : groups) {
    ++open->left;
    subjects_.await(bus::subject::group(group), one_less);
  }
  one_less({});
}

void GroupDesk::on_listening(const UserId& id, const Result<void>& result) {
  User& user = users_.at(id);
  if (user.state == State::kListening) return;
  if (!result) return fail_user(id, result.error());
  user.state = State::kListening;
  TimerWheel::cancel(*user.give_up);
  tell(std::exchange(user.waiting, {}), {});
}

// The next SYNC asks anew: clients repeat it until it is answered.
void GroupDesk::fail_user(const UserId& id, const Error& error) {
  User& user = users_.at(id);
  user.state = State::kFailed;
  user.await = 0;
  TimerWheel::cancel(*user.give_up);
  TimerWheel::cancel(*user.ask_again);
  tell(std::exchange(user.waiting, {}),
       fail(ErrorCode::kUnavailable, error.detail, std::max(error.retry_after_ms, kRetryAfterMs)));
}

void GroupDesk::tell(std::vector<Ready> waiting, const Result<void>& result) {
  for (const Ready& ready : waiting) ready(result);
}

// ---- events ----------------------------------------------------------------------------------

void GroupDesk::hear(const GroupEvent& event) {
  Group* group = find(event.group);
  if (group == nullptr) return;  // the last who was in it has gone a moment ago
  const GroupView::Heard heard = fan_out(group->view, event);
  leave_all(heard.gone, event.group);
  if (heard.passed_over == 0 && heard.lost.empty()) return;
  parts_.metrics.dropped(DropReason::kUnknownMembers, heard.passed_over);
  leave_all(heard.lost, event.group);
  hint(heard.lost, event.group);
  ask_about_missing(event.group);
}

// In one walk over the members, which must not change meanwhile.
GroupView::Heard GroupDesk::fan_out(GroupView& view, const GroupEvent& event) {
  OutgoingEvent outgoing(event.command, event.body, event.links);
  const GroupView::Give give = [&](const UserId& user) {
    parts_.port.deliver(user, outgoing, event.origin);
  };
  GroupView::Heard heard;
  MARTLET_ASSERT(!is_fanning_out_);
  is_fanning_out_ = true;
  if (event.change && !is_planted(Planted::kMissChanges)) {
    const GroupView::Act act{event.seq, event.change->actor, event.change->change};
    heard = view.hear(act, event.members_at, give);
  } else if (event.seq != Seq()) {
    heard = view.hear(event.seq, event.members_at, give);
  } else {
    // A hint says nothing but that there is something: all may have it.
    const bool is_hint = event.command == wire::Command::ResyncEvent;
    view.pass_on(is_hint ? Seq() : event.members_at, give);
  }
  is_fanning_out_ = false;
  return heard;
}

void GroupDesk::hear_own(const UserId& user, const GroupEvent& event) {
  MARTLET_ASSERT(event.change);
  if (!users_.contains(user)) return;
  const GroupView::Act act{event.seq, event.change->actor, event.change->change};
  switch (open(event.group).view.hear_own(user, act)) {
    case GroupView::Effect::kCame:
      enter(user, event.group);
      // Who came by themself waits for it; others are many, maybe.
      return hint_when_listening(user, event.group, act.actor == user ? 0 : kShortSpreadMs);
    case GroupView::Effect::kWent:
      return leave_all({user}, event.group);
    case GroupView::Effect::kStays:
      return close(event.group);
  }
}

void GroupDesk::correct(const UserId& user, const wire::SyncPage& page) {
  if (!users_.contains(user)) return;
  for (const wire::ConversationState& state : page.conversations) {
    if (!state.conversation.is_group()) continue;
    const GroupId id = state.conversation.group();
    GroupView& view = open(id).view;
    if (state.membership == wire::Membership::Member) {
      view.learn(user, {state.first_seq, state.members_at});
      if (enter(user, id)) hint_when_listening(user, id, kShortSpreadMs);
      if (view.caught_up(user)) hint({user}, id);
    } else if (view.learn_absent(user, std::max(state.members_at, state.last_seq))) {
      leave(user, id);
    }
    close(id);
  }
}

// ---- who is not known ------------------------------------------------------------------------

void GroupDesk::ask_about_missing(const GroupId& id) {
  const Group* group = find(id);
  if (group != nullptr && !group->ask_again->is_scheduled()) ask_group(id);
}

// About as many as one question may name; about the others with the next.
void GroupDesk::ask_group(const GroupId& id) {
  Group& group = *find(id);
  if (group.asking) return;
  const Asked asked{group.view.missing(options_.max_users_per_question), group.view.newest()};
  group.asking = !asked.users.empty();
  group.doubted = group.doubted && group.asking;
  if (!group.asking) return;
  questions_.ask(
      {.user = {}, .group = id, .users = asked.users},
      [this, id, asked, number = group.number](const Result<wire::GroupsAnswer>& answer) {
        const Group* found = find(id);
        if (found != nullptr && found->number == number) on_group_answer(id, asked, answer);
      });
}

void GroupDesk::on_group_answer(const GroupId& id, const Asked& asked,
                                const Result<wire::GroupsAnswer>& answer) {
  find(id)->asking = false;
  const bool moved = answer && learn(id, asked, *answer);
  Group* group = find(id);
  if (group == nullptr) return;
  // Who is left missed a change that came after the question, or had no room in it.
  const bool more = moved || asked.newest < group->view.newest();
  if (answer && !answer->behind && more) return ask_group(id);
  again(*group->ask_again, answer && answer->behind ? answer->again_in_ms : kRetryAfterMs);
}

// True if of somebody it is known now. The group may be gone afterwards.
bool GroupDesk::learn(const GroupId& id, const Asked& asked, const wire::GroupsAnswer& answer) {
  Group& group = *find(id);
  std::set<UserId> members;
  for (const wire::GroupMembership& one : answer.memberships) {
    if (one.group != id || !group.view.has(one.user)) continue;
    members.insert(one.user);
    group.view.learn(one.user, {one.from_seq, one.members_at});
  }
  std::vector<UserId> gone;
  std::vector<UserId> known;
  for (const UserId& user : asked.users) {
    if (!members.contains(user) && group.view.learn_absent(user, answer.members_at)) {
      gone.push_back(user);
      known.push_back(user);
    } else if (group.view.caught_up(user)) {
      known.push_back(user);
    }
  }
  hint(known, id, group.doubted);
  leave_all(gone, id);
  return !known.empty();
}

void GroupDesk::again(TimerWheel::Entry& entry, std::uint32_t in_ms) {
  parts_.wheel.schedule(entry, parts_.clock.now() + std::chrono::milliseconds(in_ms));
}

}  // namespace martlet::edge
