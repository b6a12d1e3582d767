#include "edge/group_desk.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"
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
  group.give_up = std::make_unique<TimerWheel::Entry>([this, id] { drop_held(id); });
  return group;
}

// When nobody here is in it any more.
void GroupDesk::close(const GroupId& id) {
  Group* group = find(id);
  if (group == nullptr || !group->view.empty()) return;
  forget_held(*group);
  groups_.erase(id);
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
void GroupDesk::hint_when_listening(const UserId& user, const GroupId& group) {
  subjects_.await(bus::subject::group(group), [this, user, group](const Result<void>&) {
    parts_.port.hint_resync(user, ConversationId::of_group(group), 0);
  });
}

void GroupDesk::hint_all(const GroupId& id) {
  const Group* group = find(id);
  if (group == nullptr) return;
  for (const UserId& user : group->view.users()) {
    parts_.port.hint_resync(user, ConversationId::of_group(id), kSpreadMs);
  }
}

bool GroupDesk::is_outside(const UserId& user, const GroupId& group) const {
  const auto found = users_.find(user);
  if (found == users_.end() || found->second.state != State::kListening || found->second.behind) {
    return false;
  }
  return !found->second.groups.contains(group);
}

bool GroupDesk::renew(const GroupId& group) {
  return find(group) != nullptr && subjects_.renew(bus::subject::group(group));
}

void GroupDesk::doubt(ShardId shard) {
  for (auto& [id, group] : groups_) {
    if (shard_of(ConversationId::of_group(id), options_.shards) == shard) group->view.doubt();
  }
}

// ---- users -----------------------------------------------------------------------------------

void GroupDesk::begin(const UserId& id) {
  User& user = users_[id];
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
    if (is_new && repeated) hint_when_listening(id, one.group);
  }
  const bool was_behind = std::exchange(user.behind, answer->behind);
  if (answer->behind) again(*user.ask_again, answer->again_in_ms);
  if (user.state != State::kListening) user.state = State::kSubscribing;
  await_groups(id);
  if (was_behind && !answer->behind) parts_.port.hint_resync(id, {}, 0);
}

// Goes on when all of the user's groups are confirmed, with the first error.
void GroupDesk::await_groups(const UserId& id) {
  struct Open {
    std::size_t left = 1;
    Result<void> result;
  };
  const auto open = std::make_shared<Open>();
  const auto one_less = [this, id, open,
                         number = users_.at(id).number](const Result<void>& result) {
    if (!result) open->result = result;
    if (--open->left > 0) return;
    const auto found = users_.find(id);
    if (found != users_.end() && found->second.number == number) on_listening(id, open->result);
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
  const Group* group = find(event.group);
  if (group == nullptr) return;  // the last who was in it has gone a moment ago
  const bool in_turn = event.seq == Seq() || group->held.empty();
  if (!in_turn || !pass(event)) hold(event);
}

// False: not before more is known.
bool GroupDesk::pass(const GroupEvent& event) {
  const auto heard = judge(*find(event.group), event);
  if (!heard) return false;
  leave_all(heard->gone, event.group);
  OutgoingEvent outgoing(event.command, event.body);
  for (const UserId& user : heard->audience) parts_.port.deliver(user, outgoing, event.origin);
  return true;
}

std::optional<GroupView::Heard> GroupDesk::judge(Group& group, const GroupEvent& event) {
  if (event.change) {
    const GroupView::Act act{event.seq, event.change->actor, event.change->change};
    return group.view.hear(act, event.members_at);
  }
  if (event.seq != Seq()) return group.view.hear(event.seq, event.members_at);
  // A hint says nothing but that there is something.
  if (event.command == wire::Command::ResyncEvent) {
    return GroupView::Heard{.audience = group.view.users(), .gone = {}};
  }
  return GroupView::Heard{.audience = group.view.audience_now(event.members_at), .gone = {}};
}

void GroupDesk::hear_own(const UserId& user, const GroupEvent& event) {
  MARTLET_ASSERT(event.change);
  if (!users_.contains(user)) return;
  const GroupView::Act act{event.seq, event.change->actor, event.change->change};
  switch (open(event.group).view.hear_own(user, act)) {
    case GroupView::Effect::kCame:
      enter(user, event.group);
      return hint_when_listening(user, event.group);
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
      if (enter(user, id)) hint_when_listening(user, id);
    } else if (view.learn_absent(user, std::max(state.members_at, state.last_seq))) {
      leave(user, id);
    }
    close(id);
    const Group* group = find(id);
    if (group != nullptr && !group->held.empty()) release(id);
  }
}

// ---- what waits ------------------------------------------------------------------------------

void GroupDesk::hold(const GroupEvent& event) {
  Group& group = *find(event.group);
  Held held{event, Bytes(event.body)};
  held.event.body = {};
  push(group, std::move(held));
  const bool too_much = group.held.size() > options_.max_held_events_per_group ||
                        group.held_bytes > options_.max_held_bytes_per_group ||
                        held_bytes_ > options_.max_held_bytes;
  if (too_much) return drop_held(event.group);
  if (!group.give_up->is_scheduled()) {
    parts_.wheel.schedule(*group.give_up, parts_.clock.now() + options_.hold);
  }
  if (!group.ask_again->is_scheduled()) ask_group(event.group);
}

void GroupDesk::push(Group& group, Held held) {
  ++held_events_;
  held_bytes_ += held.body.size();
  group.held_bytes += held.body.size();
  group.held.push_back(std::move(held));
}

void GroupDesk::forget_held(Group& group) {
  held_events_ -= group.held.size();
  held_bytes_ -= group.held_bytes;
  group.held.clear();
  group.held_bytes = 0;
  TimerWheel::cancel(*group.give_up);
}

// The members find by SYNC what they do not get now. Told once until persist has answered: one
// that does not answer is no reason to ask it for more.
void GroupDesk::drop_held(const GroupId& id) {
  Group& group = *find(id);
  for (std::size_t i = 0; i < group.held.size(); ++i) {
    parts_.metrics.dropped(DropReason::kUnknownMembers);
  }
  forget_held(group);
  if (!std::exchange(group.lost, true)) hint_all(id);
}

// True if at least one event went on. The group may be gone afterwards.
bool GroupDesk::release(const GroupId& id) {
  std::deque<Held> waiting;
  {
    Group& group = *find(id);
    waiting = std::exchange(group.held, {});
    held_events_ -= waiting.size();
    held_bytes_ -= std::exchange(group.held_bytes, 0);
  }
  const std::size_t before = waiting.size();
  Group* group = find(id);
  while (!waiting.empty()) {
    Held& next = waiting.front();
    next.event.body = BytesView(next.body);
    if (!pass(next.event)) break;
    waiting.pop_front();
    group = find(id);
    if (group == nullptr) return true;
  }
  for (Held& held : waiting) {
    held.event.body = {};
    push(*group, std::move(held));
  }
  if (group->held.empty()) TimerWheel::cancel(*group->give_up);
  return group->held.size() < before;
}

// As many as one question may name; the others are asked about with the next.
std::vector<UserId> GroupDesk::to_ask_about(const Group& group) const {
  Seq newest;
  for (const Held& held : group.held) newest = std::max(newest, held.event.members_at);
  std::vector<UserId> users = group.held.empty() ? group.view.users() : group.view.unknown(newest);
  users.resize(std::min(users.size(), options_.max_users_per_question));
  return users;
}

void GroupDesk::ask_group(const GroupId& id) {
  Group& group = *find(id);
  if (std::exchange(group.asking, true)) return;
  const std::vector<UserId> users = to_ask_about(group);
  questions_.ask(
      {.user = {}, .group = id, .users = users},
      [this, id, users, number = group.number](const Result<wire::GroupsAnswer>& answer) {
        const Group* asked = find(id);
        if (asked != nullptr && asked->number == number) on_group_answer(id, users, answer);
      });
}

void GroupDesk::on_group_answer(const GroupId& id, const std::vector<UserId>& asked,
                                const Result<wire::GroupsAnswer>& answer) {
  find(id)->asking = false;
  bool moved = false;
  if (answer) {
    learn(id, asked, *answer);
    if (find(id) == nullptr) return;
    moved = release(id);
  }
  Group* group = find(id);
  if (group == nullptr) return;
  const bool is_current = answer && !answer->behind;
  if (is_current && std::exchange(group->lost, false)) hint_all(id);
  if (group->held.empty()) return;
  // What is left came after the question, or was more than one takes.
  const bool more = moved || asked.size() == options_.max_users_per_question;
  if (is_current && more) return ask_group(id);
  again(*group->ask_again, answer && answer->behind ? answer->again_in_ms : kRetryAfterMs);
}

void GroupDesk::learn(const GroupId& id, const std::vector<UserId>& asked,
                      const wire::GroupsAnswer& answer) {
  std::set<UserId> members;
  GroupView& view = find(id)->view;
  for (const wire::GroupMembership& one : answer.memberships) {
    if (one.group != id || !view.has(one.user)) continue;
    members.insert(one.user);
    view.learn(one.user, {one.from_seq, one.members_at});
  }
  std::vector<UserId> gone;
  for (const UserId& user : asked) {
    if (!members.contains(user) && view.learn_absent(user, answer.members_at)) gone.push_back(user);
  }
  leave_all(gone, id);
}

void GroupDesk::again(TimerWheel::Entry& entry, std::uint32_t in_ms) {
  parts_.wheel.schedule(entry, parts_.clock.now() + std::chrono::milliseconds(in_ms));
}

}  // namespace martlet::edge
