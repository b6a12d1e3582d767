#include "wire/rpc.h"

#include "wire/bus_fields.h"
#include "wire/group_fields.h"
#include "wire/limits.h"

namespace martlet::wire {
namespace {

static_assert(static_cast<int>(HeadStatus::kKnown) ==
              static_cast<int>(busproto::HeadStatus::Known));
static_assert(static_cast<int>(HeadStatus::kNew) == static_cast<int>(busproto::HeadStatus::New));
static_assert(static_cast<int>(HeadStatus::kNoSuchUser) ==
              static_cast<int>(busproto::HeadStatus::NoSuchUser));

static_assert(static_cast<int>(HeadStatus::kNoSuchGroup) ==
              static_cast<int>(busproto::HeadStatus::NoSuchGroup));
static_assert(static_cast<int>(HeadStatus::kOmitted) ==
              static_cast<int>(busproto::HeadStatus::Omitted));
static_assert(static_cast<int>(UserStatus::kCameTooOften) ==
              static_cast<int>(busproto::UserStatus::CameTooOften));

flatbuffers::Offset<busproto::MessageKey> put_key(Builder& builder, const MessageKey& key) {
  const auto conversation = builder.CreateSharedString(key.conversation.str());
  const auto sender = builder.CreateSharedString(key.sender.str());
  const proto::Uuid id = to_uuid(key.client_msg_id);
  return busproto::CreateMessageKey(builder, conversation, sender, &id);
}

MessageKey read_key(const busproto::MessageKey& table, FieldReader& read) {
  return {read.conversation(table.conversation(), "messages.conversation"),
          read.user(table.sender(), "messages.sender"),
          read.msg_id(table.client_msg_id(), "messages.client_msg_id")};
}

flatbuffers::Offset<busproto::Newcomer> put_newcomer(Builder& builder, const Newcomer& newcomer) {
  const auto user = builder.CreateSharedString(newcomer.user.str());
  const auto group = builder.CreateSharedString(newcomer.group.str());
  return busproto::CreateNewcomer(builder, user, group);
}

Newcomer read_newcomer(const busproto::Newcomer& table, FieldReader& read) {
  return {read.user(table.user(), "users.user"), read.group(table.group(), "users.group")};
}

flatbuffers::Offset<busproto::GroupState> put_group(Builder& builder,
                                                    const std::optional<GroupState>& group) {
  if (!group) return {};
  std::vector<flatbuffers::Offset<busproto::GroupMemberState>> offsets;
  offsets.reserve(group->members.size());
  for (const auto& [user, role] : group->members.roles()) {
    offsets.push_back(busproto::CreateGroupMemberState(builder, put(builder, user.str()),
                                                       static_cast<std::uint8_t>(role)));
  }
  const auto members = builder.CreateVector(offsets);
  return busproto::CreateGroupState(builder, group->members_at.value(),
                                    static_cast<std::uint8_t>(group->members.join()), members);
}

std::optional<GroupState> read_group(const busproto::GroupState* table, FieldReader& read) {
  if (table == nullptr) return std::nullopt;
  GroupMembers::Roles roles;
  if (table->members() != nullptr) {
    for (const auto* member : *table->members()) {
      if (member->role() == 0 || member->role() > static_cast<std::uint8_t>(GroupRole::kOwner)) {
        read.refuse(ErrorCode::kBadBody, "members.role", "is unknown");
      }
      roles.emplace(read.user(member->user(), "members.user"),
                    static_cast<GroupRole>(member->role()));
    }
  }
  if (table->join() > static_cast<std::uint8_t>(JoinPolicy::kAnyone)) {
    read.refuse(ErrorCode::kBadBody, "join", "is unknown");
  }
  return GroupState{read.seq(table->members_at(), "members_at"),
                    GroupMembers(std::move(roles), static_cast<JoinPolicy>(table->join()))};
}

ConversationHead read_head(const busproto::ConversationHead& table, FieldReader& read) {
  ConversationHead out;
  if (table.status() == busproto::HeadStatus::Unknown) {
    read.refuse(ErrorCode::kBadBody, "heads.status", "is unknown");
  }
  out.status = static_cast<HeadStatus>(
      read.enumerator(table.status(), busproto::HeadStatus::MAX, "heads.status"));
  out.last_seq = read.seq(table.last_seq(), "heads.last_seq");
  out.group = read_group(table.group(), read);
  return out;
}

StoredMessage read_stored(const busproto::StoredMessage& table, FieldReader& read) {
  StoredMessage out;
  out.found = table.found();
  out.seq = read.seq(table.seq(), "messages.seq");
  out.message_id = MessageId(table.message_id());
  out.time_ms = table.time_ms();
  out.content_hash = table.content_hash();
  return out;
}

}  // namespace

Bytes encode(const ClientRequest& request) {
  Builder builder(request.body.size() + 256);
  const auto body = put_nested(builder, request.body);
  const auto user = put_some(builder, request.user.str());
  const auto device = put_some(builder, request.device.str());
  return finish(builder, busproto::CreateClientRequest(
                             builder, static_cast<std::uint16_t>(request.command), user, device,
                             body, to_ms<std::uint32_t>(request.wait)));
}

Bytes encode(const ClientAnswer& answer) {
  Builder builder(answer.body.size() + 256);
  const auto body = put_nested(builder, answer.body);
  const auto detail = put_some(builder, answer.error.detail);
  return finish(builder,
                busproto::CreateClientAnswer(builder, static_cast<std::uint16_t>(answer.command),
                                             static_cast<std::uint16_t>(answer.error.code), detail,
                                             answer.error.retry_after_ms, body));
}

Bytes encode(const ShardQuestion& question) {
  Builder builder(64);
  return finish(builder, busproto::CreateShardQuestion(builder, question.shard.value(),
                                                       question.known.value()));
}

Bytes encode(const ShardAnswer& answer) {
  Builder builder(256);
  const auto detail = put_some(builder, answer.error.detail);
  return finish(builder,
                busproto::CreateShardAnswer(builder, static_cast<std::uint16_t>(answer.error.code),
                                            detail, answer.shard.value(), answer.generation.value(),
                                            answer.base, answer.watermark.value()));
}

Bytes encode(const ColdQuestion& question) {
  Builder builder(4096);
  std::vector<flatbuffers::Offset<flatbuffers::String>> names;
  names.reserve(question.conversations.size());
  for (const auto& name : question.conversations) names.push_back(put(builder, name.str()));
  std::vector<flatbuffers::Offset<busproto::MessageKey>> keys;
  keys.reserve(question.messages.size());
  for (const auto& key : question.messages) keys.push_back(put_key(builder, key));
  const auto conversations = builder.CreateVector(names);
  const auto messages = builder.CreateVector(keys);
  std::vector<flatbuffers::Offset<busproto::Newcomer>> newcomers;
  newcomers.reserve(question.users.size());
  for (const auto& user : question.users) newcomers.push_back(put_newcomer(builder, user));
  const auto users = builder.CreateVector(newcomers);
  return finish(builder, busproto::CreateColdQuestion(
                             builder, question.shard.value(), question.generation.value(),
                             question.min_watermark.value(), conversations, messages, users));
}

Bytes encode(const ColdAnswer& answer) {
  Builder builder(4096);
  std::vector<flatbuffers::Offset<busproto::ConversationHead>> head_offsets;
  head_offsets.reserve(answer.heads.size());
  for (const auto& head : answer.heads) {
    const auto group = put_group(builder, head.group);
    head_offsets.push_back(busproto::CreateConversationHead(
        builder, static_cast<busproto::HeadStatus>(head.status), head.last_seq.value(), group));
  }
  std::vector<flatbuffers::Offset<busproto::StoredMessage>> message_offsets;
  message_offsets.reserve(answer.messages.size());
  for (const auto& one : answer.messages) {
    message_offsets.push_back(busproto::CreateStoredMessage(builder, one.found, one.seq.value(),
                                                            one.message_id.value(), one.time_ms,
                                                            one.content_hash));
  }
  std::vector<std::uint8_t> statuses;
  for (const UserStatus status : answer.users)
    statuses.push_back(static_cast<std::uint8_t>(status));
  const auto users = builder.CreateVector(statuses);
  const auto heads = builder.CreateVector(head_offsets);
  const auto messages = builder.CreateVector(message_offsets);
  const auto detail = put_some(builder, answer.error.detail);
  return finish(builder,
                busproto::CreateColdAnswer(builder, static_cast<std::uint16_t>(answer.error.code),
                                           detail, answer.generation.value(),
                                           answer.watermark.value(), heads, messages, users));
}

Result<ClientRequest> parse_client_request(BytesView bytes) {
  const auto table = read_envelope<busproto::ClientRequest>(bytes, "ClientRequest");
  if (!table) return tl::unexpected<Error>(table.error());
  FieldReader read;
  ClientRequest out;
  out.command = static_cast<Command>((*table)->command());
  if ((*table)->user() != nullptr) out.user = read.user((*table)->user(), "user");
  if ((*table)->device() != nullptr) out.device = read.device((*table)->device(), "device");
  out.body = view((*table)->body());
  if ((*table)->wait_ms() != 0) out.wait = std::chrono::milliseconds((*table)->wait_ms());
  if (!is_request(out.command)) read.refuse(ErrorCode::kBadBody, "command", "is no request");
  return read.result(std::move(out));
}

Result<ClientAnswer> parse_client_answer(BytesView bytes) {
  const auto table = read_envelope<busproto::ClientAnswer>(bytes, "ClientAnswer");
  if (!table) return tl::unexpected<Error>(table.error());
  ClientAnswer out;
  out.command = static_cast<Command>((*table)->command());
  out.error = read_error(**table);
  out.error.retry_after_ms = (*table)->retry_after_ms();
  out.body = view((*table)->body());
  return out;
}

Result<ShardQuestion> parse_shard_question(BytesView bytes) {
  return read_envelope<busproto::ShardQuestion>(bytes, "ShardQuestion")
      .map([](const busproto::ShardQuestion* table) {
        return ShardQuestion{ShardId(table->shard()), LogPosition(table->known())};
      });
}

Result<ShardAnswer> parse_shard_answer(BytesView bytes) {
  return read_envelope<busproto::ShardAnswer>(bytes, "ShardAnswer")
      .map([](const busproto::ShardAnswer* table) {
        return ShardAnswer{read_error(*table), ShardId(table->shard()),
                           Generation(table->generation()), table->base(),
                           LogPosition(table->watermark())};
      });
}

Result<ColdQuestion> parse_cold_question(BytesView bytes) {
  const auto table = read_envelope<busproto::ColdQuestion>(bytes, "ColdQuestion");
  if (!table) return tl::unexpected<Error>(table.error());
  FieldReader read;
  ColdQuestion out;
  out.shard = ShardId((*table)->shard());
  out.generation = Generation((*table)->generation());
  out.min_watermark = LogPosition((*table)->min_watermark());
  if ((*table)->conversations() != nullptr) {
    for (const auto* name : *(*table)->conversations()) {
      out.conversations.push_back(read.conversation(name, "conversations"));
    }
  }
  out.messages = read_all((*table)->messages(), read, read_key);
  out.users = read_all((*table)->users(), read, read_newcomer);
  return read.result(std::move(out));
}

Result<ColdAnswer> parse_cold_answer(BytesView bytes) {
  const auto table = read_envelope<busproto::ColdAnswer>(bytes, "ColdAnswer");
  if (!table) return tl::unexpected<Error>(table.error());
  FieldReader read;
  ColdAnswer out;
  out.error = read_error(**table);
  out.generation = Generation((*table)->generation());
  out.watermark = LogPosition((*table)->watermark());
  out.heads = read_all((*table)->heads(), read, read_head);
  out.messages = read_all((*table)->messages(), read, read_stored);
  if ((*table)->users() != nullptr) {
    for (const std::uint8_t status : *(*table)->users()) {
      if (status == 0 || status > static_cast<std::uint8_t>(UserStatus::kCameTooOften)) {
        read.refuse(ErrorCode::kBadBody, "users", "have an unknown status");
      }
      out.users.push_back(static_cast<UserStatus>(status));
    }
  }
  return read.result(std::move(out));
}

}  // namespace martlet::wire
