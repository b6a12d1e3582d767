#include "wire/members_change.h"

#include "model/limits.h"
#include "wire/group_fields.h"

namespace martlet::wire {
namespace {

// True if exactly the fields of the action are set.
bool is_complete(const MembersChange& change) {
  switch (change.action) {
    case MembersAction::kCreated:
      return change.role == GroupRole::kNone;
    case MembersAction::kInvited:
    case MembersAction::kRemoved:
      return !change.users.empty() && change.role == GroupRole::kNone;
    case MembersAction::kRoleSet:
      return change.users.size() == 1 && change.role != GroupRole::kNone;
    case MembersAction::kJoined:
    case MembersAction::kLeft:
    case MembersAction::kDisbanded:
      return change.users.empty() && change.role == GroupRole::kNone;
  }
  return false;
}

}  // namespace

Bytes encode(const MembersChange& change) {
  MARTLET_ASSERT(is_complete(change));
  Builder builder(256);
  const auto users = put_users(builder, change.users);
  const auto title = put_some(builder, change.title);
  const auto members = proto::CreateMembersChange(
      builder, static_cast<proto::MembersAction>(change.action), users, to_proto(change.role),
      title, static_cast<proto::JoinPolicy>(change.join),
      static_cast<proto::EarlierHistory>(change.earlier_history));
  return finish(builder,
                proto::CreateContent(builder, proto::ContentKind::Members, 0, 0, 0, 0, members));
}

Result<MembersChange> parse_members_change(BytesView content) {
  if (!verifies<proto::Content>(content))
    return fail(ErrorCode::kBadBody, "content does not verify");
  const auto& outer = *flatbuffers::GetRoot<proto::Content>(content.data());
  if (outer.kind() != proto::ContentKind::Members || outer.members() == nullptr) {
    return fail(ErrorCode::kBadContent, "content is no change of members");
  }
  const proto::MembersChange& table = *outer.members();
  FieldReader read;
  MembersChange out;
  out.action = static_cast<MembersAction>(
      read.enumerator(table.action(), proto::MembersAction::MAX, "action"));
  out.users = read_users(table.users(), read);
  out.role = read_role(table.role(), read);
  out.title = std::string(read.text(table.title(), "title", kMaxTitleBytes));
  out.join = read_join(table.join(), read);
  out.earlier_history = read_earlier_history(table.earlier_history(), read);
  if (read.ok() && !is_complete(out)) {
    read.refuse(ErrorCode::kBadContent, "members", "lacks fields of its action");
  }
  return read.result(std::move(out));
}

}  // namespace martlet::wire
