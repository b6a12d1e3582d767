// The sequencer's groups: who may write, what changes who is in them.
#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "base/hash.h"
#include "base/planted.h"
#include "bus/leases.h"
#include "dispatcher/shard_core.h"
#include "wire/group_requests.h"
#include "wire/members_change.h"

namespace martlet::dispatcher {
namespace {

// Those whom a change may bring in: whether they exist and may come is asked of the database.
std::vector<UserId> newcomers_of(const UserId& actor, const MembersChange& change) {
  switch (change.action) {
    case MembersAction::kCreated:
    case MembersAction::kInvited:
    case MembersAction::kJoined:
      return perhaps_concerned_by(actor, change);
    case MembersAction::kLeft:
    case MembersAction::kRemoved:
    case MembersAction::kRoleSet:
    case MembersAction::kDisbanded:
      break;
  }
  return {};
}

bool lacks_any(const GroupMembers& members, const std::vector<UserId>& users) {
  return std::any_of(users.begin(), users.end(),
                     [&](const UserId& user) { return !members.has(user); });
}

}  // namespace

void ShardCore::change_group(const wire::ClientFrame& frame, Asker asker, const Moment& moment) {
  auto body = wire::parse_group_change(frame.command, frame.body);
  if (!body) return refuse(asker, {}, body.error().code, moment);
  SendFrame change;
  change.conversation = ConversationId::of_group(body->group);
  if (shard_of(change.conversation, shards_) != shard_) {
    return metrics_.silent(Silence::kMisrouted);
  }
  if (body->client_msg_id.is_zero()) return refuse(asker, {}, ErrorCode::kBadBody, moment);
  change.asker = std::move(asker);
  change.user = UserId::trusted(frame.user);
  change.device = DeviceId::trusted(frame.device);
  change.id = body->client_msg_id;
  change.arrived = moment.now;
  change.received_ms = frame.received_ms;
  change.first_sent_ms = frame.first_sent_ms;
  change.content = wire::encode(body->change);
  change.content_hash = base::hash64(change.content);
  change.act = std::make_unique<GroupAct>();
  change.act->newcomers = newcomers_of(change.user, body->change);
  change.act->change = std::move(body->change);
  arrive(std::move(change), moment);
}

ErrorCode ShardCore::why_not_in(const GroupHead& group, const SendFrame& frame) {
  const GroupMembers& members = group.members();
  if (frame.act == nullptr) {
    if (members.size() == 0) return ErrorCode::kNoSuchGroup;
    if (is_planted(Planted::kSkipRights)) return ErrorCode::kNone;
    return members.has(frame.user) ? ErrorCode::kNone : ErrorCode::kNotMember;
  }
  // The id of a group that was disbanded stays taken.
  const bool is_new = group.is_absent() && frame.act->change.action == MembersAction::kCreated;
  if (!is_new) {
    const ErrorCode code = members.why_not(frame.user, frame.act->change);
    if (code != ErrorCode::kNone) return code;
  }
  if (lacks_any(members, frame.act->unknown)) return ErrorCode::kNoSuchUser;
  if (lacks_any(members, frame.act->in_too_many)) return ErrorCode::kTooManyGroups;
  if (lacks_any(members, frame.act->came_too_often)) return ErrorCode::kForbidden;
  return ErrorCode::kNone;
}

// What stands against the frame may itself never come into the log: who is refused hears so only
// when it is there.
void ShardCore::refuse_in_group(const GroupHead& group, const SendFrame& frame, ErrorCode code,
                                const Moment& moment) {
  if (group.open_change == nullptr) return refuse(frame, code, moment);
  auto& refused = group.open_change->refused;
  if (refused.size() >= kMaxRefusedPerChange) return metrics_.silent(Silence::kRepeat);
  remember_refusal(frame.conversation, frame.user, frame.id, {code, false}, moment);
  refused.push_back({frame.asker, frame.user, frame.id, code});
}

// Messages and changes alike: all members are told.
Duration ShardCore::wait_of(const Head& head, const wire::Entry& entry, const Moment& moment) {
  if (head.group == nullptr) return {};
  const std::size_t members = head.group->members().size();
  return fanout_.charge(entry.conversation, entry.sender, members, moment.now);
}

void ShardCore::apply_change(OpenEntry& open, GroupHead& group, const MembersChange& change) {
  const wire::Entry& entry = open.entry;
  open.concerned = concerned_by(change, group.apply(entry.seq, entry.sender, change));
  group.open_change = &open;
  heads_.weigh(entry.conversation);
}

void ShardCore::change_logged(OpenEntry& open, const ConversationId& conversation, GroupHead& group,
                              const Moment& moment) {
  if (group.open_change == &open) group.open_change = nullptr;
  for (const RefusedByChange& one : open.refused) {
    remember_refusal(conversation, one.user, one.id, {one.code, true}, moment);
    refuse(one.asker, one.id, one.code, moment);
  }
}

// Of no use a moment later, so it never waits for anything.
void ShardCore::typing(const wire::ClientFrame& frame, const Asker& asker, const Moment& moment) {
  const auto body = wire::parse_typing(frame.body);
  if (!body) return metrics_.silent(Silence::kMalformed);
  LiveTyping live;
  live.user = UserId::trusted(frame.user);
  live.conversation = body->to_user.empty() ? ConversationId::of_group(body->to_group)
                                            : ConversationId::between(live.user, body->to_user);
  if (shard_of(live.conversation, shards_) != shard_) {
    return metrics_.silent(Silence::kMisrouted);
  }
  const Head* head = usable_head(live.conversation);
  const bool may = head != nullptr && moment.renewal_age < bus::kMaxRenewalAge &&
                   (head->group == nullptr || head->group->members().has(live.user));
  if (!may) return metrics_.typing_dropped();
  if (head->group != nullptr) live.members_at = head->group->members_at();
  live.origin = asker.session;
  actions_.typing.push_back(std::move(live));
}

}  // namespace martlet::dispatcher
