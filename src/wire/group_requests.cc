#include "wire/group_requests.h"

#include <algorithm>
#include <utility>

#include "model/limits.h"
#include "wire/age.h"
#include "wire/group_fields.h"
#include "wire/verify.h"

namespace martlet::wire {
namespace {

struct ActionCommand {
  MembersAction action;
  Command command;
};
constexpr ActionCommand kActions[] = {
    {MembersAction::kCreated, Command::GroupCreate},
    {MembersAction::kInvited, Command::GroupInvite},
    {MembersAction::kJoined, Command::GroupJoin},
    {MembersAction::kLeft, Command::GroupLeave},
    {MembersAction::kRemoved, Command::GroupRemove},
    {MembersAction::kRoleSet, Command::GroupSetRole},
    {MembersAction::kDisbanded, Command::GroupDisband},
};

// What all changes have.
template <class Table>
void read_common(const Table& table, GroupChange& out, FieldReader& read) {
  out.group = read.group(table.group(), "group");
  out.client_msg_id = read.msg_id(table.client_msg_id(), "client_msg_id");
  out.age = age_of(table.age_ms());
}

void read_own(const proto::GroupCreate& table, GroupChange& out, FieldReader& read) {
  if (read.ok() && !is_valid_group_id(out.group)) {
    read.refuse(ErrorCode::kBadId, "group", "has capitals");
  }
  out.change.title = std::string(read.text(table.title(), "title", kMaxTitleBytes));
  out.change.join = read_join(table.join(), read);
  out.change.earlier_history = read_earlier_history(table.earlier_history(), read);
  out.change.users = read_users(table.users(), read);
}

void read_some_users(const NameVector* names, GroupChange& out, FieldReader& read) {
  out.change.users = read_users(names, read);
  if (out.change.users.empty()) read.refuse(ErrorCode::kBadBody, "users", "is empty");
}

void read_own(const proto::GroupInvite& table, GroupChange& out, FieldReader& read) {
  read_some_users(table.users(), out, read);
}

void read_own(const proto::GroupRemove& table, GroupChange& out, FieldReader& read) {
  read_some_users(table.users(), out, read);
}

void read_own(const proto::GroupSetRole& table, GroupChange& out, FieldReader& read) {
  out.change.users = {read.user(table.user(), "user")};
  out.change.role = read_role(table.role(), read);
  if (out.change.role == GroupRole::kNone) read.refuse(ErrorCode::kBadBody, "role", "is missing");
}

void read_own(const proto::GroupJoin&, GroupChange&, FieldReader&) {}
void read_own(const proto::GroupLeave&, GroupChange&, FieldReader&) {}
void read_own(const proto::GroupDisband&, GroupChange&, FieldReader&) {}

template <class Table>
Result<GroupChange> parse_change(BytesView body, MembersAction action) {
  const auto table = read_body<Table>(body);
  if (!table) return tl::unexpected<Error>(table.error());
  FieldReader read;
  GroupChange out;
  out.change.action = action;
  read_common(**table, out, read);
  read_own(**table, out, read);
  return read.result(std::move(out));
}

const ActionCommand* find_action(Command command) {
  const auto* found = std::find_if(std::begin(kActions), std::end(kActions),
                                   [command](const auto& one) { return one.command == command; });
  return found == std::end(kActions) ? nullptr : found;
}

// An id to go on after: nothing, or a name.
std::string_view read_after(const flatbuffers::String* after, FieldReader& read) {
  return after == nullptr || after->size() == 0 ? std::string_view()
                                                : read.name_view(after, "after");
}

}  // namespace

bool is_group_change(Command command) {
  return find_action(command) != nullptr;
}

Command command_of(MembersAction action) {
  const auto* found = std::find_if(std::begin(kActions), std::end(kActions),
                                   [action](const auto& one) { return one.action == action; });
  MARTLET_ASSERT(found != std::end(kActions));
  return found->command;
}

Bytes encode(const GroupChange& body) {
  MARTLET_ASSERT(!body.group.empty() && !body.client_msg_id.is_zero());
  const MembersChange& change = body.change;
  Builder builder(256);
  const auto group = put(builder, body.group.str());
  const proto::Uuid id = to_uuid(body.client_msg_id);
  const std::uint32_t age = to_age_ms(body.age);
  const auto users = put_users(builder, change.users);
  switch (change.action) {
    case MembersAction::kCreated: {
      const auto title = put_some(builder, change.title);
      return finish(
          builder, proto::CreateGroupCreate(
                       builder, group, &id, age, title, static_cast<proto::JoinPolicy>(change.join),
                       static_cast<proto::EarlierHistory>(change.earlier_history), users));
    }
    case MembersAction::kInvited:
      return finish(builder, proto::CreateGroupInvite(builder, group, &id, age, users));
    case MembersAction::kJoined:
      return finish(builder, proto::CreateGroupJoin(builder, group, &id, age));
    case MembersAction::kLeft:
      return finish(builder, proto::CreateGroupLeave(builder, group, &id, age));
    case MembersAction::kRemoved:
      return finish(builder, proto::CreateGroupRemove(builder, group, &id, age, users));
    case MembersAction::kRoleSet: {
      const auto user = put(builder, change.users.at(0).str());
      return finish(builder, proto::CreateGroupSetRole(builder, group, &id, age, user,
                                                       to_proto(change.role)));
    }
    case MembersAction::kDisbanded:
      return finish(builder, proto::CreateGroupDisband(builder, group, &id, age));
  }
  MARTLET_ASSERT(false);
  return {};
}

Bytes encode(const GroupInfo& body) {
  Builder builder(256);
  const auto group = put(builder, body.group.str());
  return finish(builder,
                proto::CreateGroupInfo(builder, group, put_some(builder, body.after), body.limit));
}

Bytes encode(const GroupList& body) {
  Builder builder(128);
  return finish(builder,
                proto::CreateGroupList(builder, put_some(builder, body.after), body.limit));
}

Bytes encode(const Typing& body) {
  MARTLET_ASSERT(body.to_user.empty() != body.to_group.empty());
  Builder builder(256);
  const auto user = put_some(builder, body.to_user.str());
  return finish(builder,
                proto::CreateTyping(builder, user, put_some(builder, body.to_group.str())));
}

Bytes encode(const Devices&) {
  return Bytes(empty_table());
}

Bytes encode(const SignOut& body) {
  Builder builder(128);
  return finish(builder, proto::CreateSignOut(builder, put_some(builder, body.device.str())));
}

Result<GroupChange> parse_group_change(Command command, BytesView body) {
  const ActionCommand* found = find_action(command);
  if (found == nullptr) return fail(ErrorCode::kUnknownCommand, "changes no group");
  switch (found->action) {
    case MembersAction::kCreated:
      return parse_change<proto::GroupCreate>(body, found->action);
    case MembersAction::kInvited:
      return parse_change<proto::GroupInvite>(body, found->action);
    case MembersAction::kJoined:
      return parse_change<proto::GroupJoin>(body, found->action);
    case MembersAction::kLeft:
      return parse_change<proto::GroupLeave>(body, found->action);
    case MembersAction::kRemoved:
      return parse_change<proto::GroupRemove>(body, found->action);
    case MembersAction::kRoleSet:
      return parse_change<proto::GroupSetRole>(body, found->action);
    case MembersAction::kDisbanded:
      break;
  }
  return parse_change<proto::GroupDisband>(body, MembersAction::kDisbanded);
}

Result<GroupInfo> parse_group_info(BytesView body) {
  const auto table = read_body<proto::GroupInfo>(body);
  if (!table) return tl::unexpected<Error>(table.error());
  FieldReader read;
  GroupInfo out;
  out.group = read.group((*table)->group(), "group");
  out.after = read_after((*table)->after(), read);
  out.limit = (*table)->limit();
  return read.result(std::move(out));
}

Result<GroupList> parse_group_list(BytesView body) {
  const auto table = read_body<proto::GroupList>(body);
  if (!table) return tl::unexpected<Error>(table.error());
  FieldReader read;
  GroupList out;
  out.after = read_after((*table)->after(), read);
  out.limit = (*table)->limit();
  return read.result(out);
}

Result<Typing> parse_typing(BytesView body) {
  const auto table = read_body<proto::Typing>(body);
  if (!table) return tl::unexpected<Error>(table.error());
  FieldReader read;
  Typing out;
  if (((*table)->to_user() != nullptr) == ((*table)->to_group() != nullptr)) {
    read.refuse(ErrorCode::kBadBody, "exactly one of to_user and to_group", "must be set");
  }
  if ((*table)->to_user() != nullptr) out.to_user = read.user((*table)->to_user(), "to_user");
  if ((*table)->to_group() != nullptr) out.to_group = read.group((*table)->to_group(), "to_group");
  return read.result(std::move(out));
}

Result<Devices> parse_devices(BytesView body) {
  return read_body<proto::Devices>(body).map([](const proto::Devices*) { return Devices(); });
}

Result<SignOut> parse_sign_out(BytesView body) {
  const auto table = read_body<proto::SignOut>(body);
  if (!table) return tl::unexpected<Error>(table.error());
  FieldReader read;
  SignOut out;
  if ((*table)->device() != nullptr) out.device = read.device((*table)->device(), "device");
  return read.result(std::move(out));
}

}  // namespace martlet::wire
