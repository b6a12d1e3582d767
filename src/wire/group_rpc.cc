// im.rpc.groups: what edges ask of persist about membership.
#include "wire/bus_fields.h"
#include "wire/group_fields.h"
#include "wire/rpc.h"

namespace martlet::wire {

Bytes encode(const GroupsQuestion& question) {
  MARTLET_ASSERT(question.user.empty() != question.group.empty());
  Builder builder(1024);
  const auto user = put_some(builder, question.user.str());
  const auto group = put_some(builder, question.group.str());
  const auto users = put_names(builder, question.users);
  return finish(builder, busproto::CreateGroupsQuestion(builder, user, group, users));
}

Bytes encode(const GroupsAnswer& answer) {
  Builder builder(4096);
  std::vector<flatbuffers::Offset<busproto::GroupMembership>> offsets;
  offsets.reserve(answer.memberships.size());
  for (const GroupMembership& one : answer.memberships) {
    const auto group = builder.CreateSharedString(one.group.str());
    const auto user = builder.CreateSharedString(one.user.str());
    offsets.push_back(busproto::CreateGroupMembership(builder, group, user, one.from_seq.value(),
                                                      one.members_at.value()));
  }
  const auto memberships = builder.CreateVector(offsets);
  const auto detail = put_some(builder, answer.error.detail);
  return finish(builder,
                busproto::CreateGroupsAnswer(builder, static_cast<std::uint16_t>(answer.error.code),
                                             detail, answer.members_at.value(), memberships,
                                             answer.behind, answer.again_in_ms));
}

Result<GroupsQuestion> parse_groups_question(BytesView bytes) {
  const auto table = read_envelope<busproto::GroupsQuestion>(bytes, "GroupsQuestion");
  if (!table) return tl::unexpected<Error>(table.error());
  FieldReader read;
  GroupsQuestion out;
  if ((*table)->user() != nullptr) out.user = read.user((*table)->user(), "user");
  if ((*table)->group() != nullptr) out.group = read.group((*table)->group(), "group");
  out.users = read_names((*table)->users(), "users", read);
  if (out.user.empty() == out.group.empty()) {
    read.refuse(ErrorCode::kBadBody, "exactly one of user and group", "must be set");
  }
  return read.result(std::move(out));
}

Result<GroupsAnswer> parse_groups_answer(BytesView bytes) {
  const auto table = read_envelope<busproto::GroupsAnswer>(bytes, "GroupsAnswer");
  if (!table) return tl::unexpected<Error>(table.error());
  FieldReader read;
  GroupsAnswer out;
  out.error = {static_cast<ErrorCode>((*table)->error()), std::string(view((*table)->detail())), 0};
  out.members_at = read.seq((*table)->members_at(), "members_at");
  if ((*table)->memberships() != nullptr) {
    for (const auto* one : *(*table)->memberships()) {
      out.memberships.push_back({read.group(one->group(), "group"), read.user(one->user(), "user"),
                                 read.seq(one->from_seq(), "from_seq"),
                                 read.seq(one->members_at(), "members_at")});
      if (!read.ok()) break;
    }
  }
  out.behind = (*table)->behind();
  out.again_in_ms = (*table)->again_in_ms();
  return read.result(std::move(out));
}

}  // namespace martlet::wire
