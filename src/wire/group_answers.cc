#include "wire/group_answers.h"

#include <utility>

#include "model/limits.h"
#include "wire/group_fields.h"
#include "wire/verify.h"

namespace martlet::wire {
namespace {

GroupMember read_member(const proto::GroupMember& table, FieldReader& read) {
  return {read.user(table.user(), "members.user"), read_role(table.role(), read),
          read.seq(table.since_seq(), "members.since_seq")};
}

GroupSummary read_summary(const proto::GroupSummary& table, FieldReader& read) {
  return {read.group(table.group(), "groups.group"),
          std::string(read.text(table.title(), "groups.title", kMaxTitleBytes)),
          read_role(table.role(), read), table.members_count()};
}

Device read_device(const proto::Device& table, FieldReader& read) {
  return {read.device(table.device(), "devices.device"), table.this_one(), table.last_login_ms()};
}

}  // namespace

Bytes encode(const GroupInfoPage& body) {
  Builder builder(4096);
  std::vector<flatbuffers::Offset<proto::GroupMember>> offsets;
  offsets.reserve(body.members.size());
  for (const GroupMember& member : body.members) {
    const auto user = put(builder, member.user.str());
    offsets.push_back(
        proto::CreateGroupMember(builder, user, to_proto(member.role), member.since_seq.value()));
  }
  const auto members = builder.CreateVector(offsets);
  const auto group = put(builder, body.group.str());
  const auto title = put_some(builder, body.title);
  return finish(builder, proto::CreateGroupInfoPage(
                             builder, group, title, static_cast<proto::JoinPolicy>(body.join),
                             static_cast<proto::EarlierHistory>(body.earlier_history),
                             body.members_count, body.members_at.value(), members, body.more));
}

Bytes encode(const GroupListPage& body) {
  Builder builder(4096);
  std::vector<flatbuffers::Offset<proto::GroupSummary>> offsets;
  offsets.reserve(body.groups.size());
  for (const GroupSummary& one : body.groups) {
    const auto group = put(builder, one.group.str());
    const auto title = put_some(builder, one.title);
    offsets.push_back(
        proto::CreateGroupSummary(builder, group, title, to_proto(one.role), one.members_count));
  }
  const auto groups = builder.CreateVector(offsets);
  return finish(builder, proto::CreateGroupListPage(builder, groups, body.more));
}

Bytes encode(const TypingOk&) {
  return Bytes(empty_table());
}

Bytes encode(const DeviceList& body) {
  Builder builder(1024);
  std::vector<flatbuffers::Offset<proto::Device>> offsets;
  offsets.reserve(body.devices.size());
  for (const Device& one : body.devices) {
    const auto device = put(builder, one.device.str());
    offsets.push_back(proto::CreateDevice(builder, device, one.this_one, one.last_login_ms));
  }
  const auto devices = builder.CreateVector(offsets);
  return finish(builder, proto::CreateDeviceList(builder, devices));
}

Bytes encode(const SignedOut& body) {
  Builder builder(64);
  return finish(builder, proto::CreateSignedOut(builder, body.devices));
}

Result<GroupInfoPage> parse_group_info_page(BytesView body) {
  const auto table = read_body<proto::GroupInfoPage>(body);
  if (!table) return tl::unexpected<Error>(table.error());
  const proto::GroupInfoPage& page = **table;
  FieldReader read;
  GroupInfoPage out;
  out.group = read.group(page.group(), "group");
  out.title = std::string(read.text(page.title(), "title", kMaxTitleBytes));
  out.join = read_join(page.join(), read);
  out.earlier_history = read_earlier_history(page.earlier_history(), read);
  out.members_count = page.members_count();
  out.members_at = read.seq(page.members_at(), "members_at");
  out.members = read_all(page.members(), read, read_member);
  out.more = page.more();
  return read.result(std::move(out));
}

Result<GroupListPage> parse_group_list_page(BytesView body) {
  const auto table = read_body<proto::GroupListPage>(body);
  if (!table) return tl::unexpected<Error>(table.error());
  FieldReader read;
  GroupListPage out;
  out.groups = read_all((*table)->groups(), read, read_summary);
  out.more = (*table)->more();
  return read.result(std::move(out));
}

Result<TypingOk> parse_typing_ok(BytesView body) {
  return read_body<proto::TypingOk>(body).map([](const proto::TypingOk*) { return TypingOk(); });
}

Result<DeviceList> parse_device_list(BytesView body) {
  const auto table = read_body<proto::DeviceList>(body);
  if (!table) return tl::unexpected<Error>(table.error());
  FieldReader read;
  DeviceList out;
  out.devices = read_all((*table)->devices(), read, read_device);
  return read.result(std::move(out));
}

Result<SignedOut> parse_signed_out(BytesView body) {
  return read_body<proto::SignedOut>(body).map(
      [](const proto::SignedOut* table) { return SignedOut{table->devices()}; });
}

}  // namespace martlet::wire
