#include "tools/output.h"

#include <cstdio>
#include <nlohmann/json.hpp>

#include "wire/content.h"
#include "wire/members_change.h"

namespace martlet::tools {
namespace {

using Json = nlohmann::ordered_json;

// Flushed line by line: somebody may wait for it on a pipe.
void print_line(const std::string& line) {
  std::fputs((line + "\n").c_str(), stdout);
  std::fflush(stdout);
}

void print(const Json& json) {
  print_line(json.dump(-1, ' ', false, Json::error_handler_t::replace));
}

std::string names(const std::vector<UserId>& users) {
  std::string out;
  for (const UserId& user : users) out += (out.empty() ? "" : ", ") + user.str();
  return out;
}

std::string plain_change(const MembersChange& change) {
  const std::string users = names(change.users);
  switch (change.action) {
    case MembersAction::kCreated:
      return "created the group" + (change.title.empty() ? "" : " " + escaped(change.title)) +
             (users.empty() ? "" : " with " + users);
    case MembersAction::kInvited:
      return "invited " + users;
    case MembersAction::kJoined:
      return "joined";
    case MembersAction::kLeft:
      return "left";
    case MembersAction::kRemoved:
      return "removed " + users;
    case MembersAction::kRoleSet:
      return "made " + users + " " + name_of(change.role);
    case MembersAction::kDisbanded:
      break;
  }
  return "disbanded the group";
}

Json json_change(const MembersChange& change) {
  Json json;
  json["kind"] = "Members";
  json["action"] = proto::EnumNameMembersAction(static_cast<proto::MembersAction>(change.action));
  json["users"] = Json::array();
  for (const UserId& user : change.users) json["users"].push_back(user.str());
  if (change.role != GroupRole::kNone) json["role"] = name_of(change.role);
  if (change.action == MembersAction::kCreated) json["title"] = change.title;
  return json;
}

std::string plain_content(BytesView content, bool removed) {
  if (removed) return "(removed)";
  if (const auto change = wire::parse_members_change(content)) {
    return "(" + plain_change(*change) + ")";
  }
  const auto parsed = wire::parse_content(content);
  if (!parsed) return "(not understood)";
  switch (parsed->kind) {
    case wire::ContentKind::Text:
      return escaped(parsed->text);
    case wire::ContentKind::Custom:
      return "(custom " + escaped(parsed->type_name) + ", " + std::to_string(parsed->data.size()) +
             " bytes)";
    case wire::ContentKind::File:
      return "(file " + escaped(parsed->file->url) + ") " + escaped(parsed->text);
    case wire::ContentKind::Members:  // parse_content refuses them
    case wire::ContentKind::Unknown:
      break;
  }
  return "(not understood)";
}

Json json_content(BytesView content, bool removed) {
  if (removed) return nullptr;
  if (const auto change = wire::parse_members_change(content)) return json_change(*change);
  const auto parsed = wire::parse_content(content);
  if (!parsed) return nullptr;
  Json json;
  json["kind"] = proto::EnumNameContentKind(parsed->kind);
  if (parsed->kind == wire::ContentKind::Custom) {
    json["type_name"] = parsed->type_name;
    json["data"] = base::to_base64(parsed->data);
    return json;
  }
  json["text"] = parsed->text;
  if (!parsed->file) return json;
  json["file"] = {{"url", parsed->file->url},
                  {"size", parsed->file->size},
                  {"sha256", base::to_hex(parsed->file->sha256)},
                  {"mime", parsed->file->mime},
                  {"name", parsed->file->name}};
  return json;
}

const char* name_of(client::Origin origin) {
  switch (origin) {
    case client::Origin::kLive:
      return "live";
    case client::Origin::kFetched:
      return "fetched";
    case client::Origin::kOwn:
      break;
  }
  return "own";
}

// The user or the group.
std::string recipient(const client::OutgoingMessage& message) {
  return message.to.empty() ? message.conversation.str() : message.to.str();
}

std::string at(const ConversationId& conversation, Seq seq) {
  return conversation.str() + " seq=" + std::to_string(seq.value());
}

}  // namespace

const char* name_of(GroupRole role) {
  switch (role) {
    case GroupRole::kMember:
      return "member";
    case GroupRole::kAdmin:
      return "admin";
    case GroupRole::kOwner:
      return "owner";
    case GroupRole::kNone:
      break;
  }
  return "none";
}

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\\') {
      out += "\\\\";
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (byte < 0x20 || byte == 0x7F) {
      out += "\\x" + base::to_hex(std::string_view(&c, 1));
    } else {
      out += c;
    }
  }
  return out;
}

void Output::online(const UserId& user, const DeviceId& device, const std::string& edge) const {
  if (json_) {
    return print(
        {{"type", "online"}, {"user", user.str()}, {"device", device.str()}, {"edge", edge}});
  }
  print_line("online " + user.str() + "/" + device.str() + " at " + edge);
}

void Output::message(const client::Message& message, client::Origin origin) const {
  if (json_) {
    return print({{"type", "message"},
                  {"conversation", message.conversation.str()},
                  {"seq", message.seq.value()},
                  {"sender", message.sender.str()},
                  {"origin", name_of(origin)},
                  {"message_id", std::to_string(message.id.value())},
                  {"client_msg_id", to_string(message.client_msg_id)},
                  {"time_ms", message.time_ms},
                  {"content", json_content(message.content, message.removed)}});
  }
  print_line(at(message.conversation, message.seq) + " " + message.sender.str() + ": " +
             plain_content(message.content, message.removed));
}

void Output::sent(const UserId& self, const client::SendQueue::Acked& acked) const {
  if (json_) {
    return print({{"type", "acked"},
                  {"to", recipient(acked.message)},
                  {"conversation", acked.ack.conversation.str()},
                  {"seq", acked.ack.seq.value()},
                  {"message_id", std::to_string(acked.ack.message_id.value())},
                  {"client_msg_id", to_string(acked.ack.id)}});
  }
  print_line(self.str() + " -> " + at(acked.ack.conversation, acked.ack.seq) + " " +
             plain_content(acked.message.content, false));
}

void Output::stored(const client::SendQueue::Stored& stored) const {
  if (json_) {
    return print({{"type", "stored"},
                  {"conversation", stored.conversation.str()},
                  {"seq", stored.seq.value()},
                  {"client_msg_id", to_string(stored.id)}});
  }
  print_line("stored " + at(stored.conversation, stored.seq));
}

void Output::refused(const client::SendQueue::Refused& refused) const {
  if (json_) {
    return print({{"type", "refused"},
                  {"to", recipient(refused.message)},
                  {"client_msg_id", to_string(refused.message.id)},
                  {"error", error_name(refused.error.code)}});
  }
  print_line("refused to " + recipient(refused.message) + ": " +
             std::string(error_name(refused.error.code)));
}

void Output::changed(const UserId& self, const client::GroupChanges::Done& done) const {
  const client::OutgoingChange& asked = done.change;
  if (json_) {
    return print({{"type", "changed"},
                  {"conversation", done.ack.conversation.str()},
                  {"seq", done.ack.seq.value()},
                  {"message_id", std::to_string(done.ack.message_id.value())},
                  {"client_msg_id", to_string(asked.id)},
                  {"content", json_change(asked.change)}});
  }
  print_line(self.str() + " -> " + at(done.ack.conversation, done.ack.seq) + " (" +
             plain_change(asked.change) + ")");
}

void Output::typing(const wire::TypingEvent& event) const {
  if (json_) {
    return print({{"type", "typing"},
                  {"conversation", event.conversation.str()},
                  {"user", event.user.str()}});
  }
  print_line("typing " + event.conversation.str() + " " + event.user.str());
}

void Output::group(const wire::GroupInfoPage& group) const {
  const bool anyone = group.join == JoinPolicy::kAnyone;
  const bool shown = group.earlier_history == EarlierHistory::kShown;
  if (json_) {
    return print({{"type", "group"},
                  {"group", group.group.str()},
                  {"title", group.title},
                  {"join", anyone ? "anyone" : "invited"},
                  {"earlier_history", shown ? "shown" : "hidden"},
                  {"members", group.members_count},
                  {"members_at", group.members_at.value()}});
  }
  print_line("group " + group.group.str() + " members=" + std::to_string(group.members_count) +
             " members_at=" + std::to_string(group.members_at.value()) +
             " join=" + (anyone ? "anyone" : "invited") +
             " history=" + (shown ? "shown" : "hidden") + " " + escaped(group.title));
}

void Output::member(const GroupId& group, const wire::GroupMember& member) const {
  if (json_) {
    return print({{"type", "member"},
                  {"group", group.str()},
                  {"user", member.user.str()},
                  {"role", name_of(member.role)},
                  {"since_seq", member.since_seq.value()}});
  }
  print_line("member " + member.user.str() + " " + name_of(member.role) +
             " since=" + std::to_string(member.since_seq.value()));
}

void Output::summary(const wire::GroupSummary& group) const {
  if (json_) {
    return print({{"type", "group"},
                  {"group", group.group.str()},
                  {"title", group.title},
                  {"role", name_of(group.role)},
                  {"members", group.members_count}});
  }
  print_line("group " + group.group.str() + " " + name_of(group.role) +
             " members=" + std::to_string(group.members_count) + " " + escaped(group.title));
}

void Output::device(const wire::Device& device) const {
  if (json_) {
    return print({{"type", "device"},
                  {"device", device.device.str()},
                  {"this_one", device.this_one},
                  {"last_login_ms", device.last_login_ms}});
  }
  print_line("device " + device.device.str() + " last_login_ms=" +
             std::to_string(device.last_login_ms) + (device.this_one ? " (this one)" : ""));
}

void Output::dropped(const ConversationId& conversation, Seq from) const {
  if (json_) {
    return print(
        {{"type", "dropped"}, {"conversation", conversation.str()}, {"from", from.value()}});
  }
  print_line("lost " + conversation.str() + " from seq=" + std::to_string(from.value()));
}

void Output::read(const ConversationId& conversation, const UserId& user, Seq seq) const {
  if (json_) {
    return print({{"type", "read"},
                  {"conversation", conversation.str()},
                  {"user", user.str()},
                  {"seq", seq.value()}});
  }
  print_line("read " + at(conversation, seq) + " by " + user.str());
}

void Output::news(const client::ConversationNews& news) const {
  if (json_) {
    return print({{"type", "conversation"},
                  {"conversation", news.conversation.str()},
                  {"last_seq", news.last_seq.value()},
                  {"read_seq", news.read_seq.value()},
                  {"peer_read_seq", news.peer_read_seq.value()},
                  {"unread", news.unread},
                  {"generation", news.generation.value()},
                  {"former", news.former}});
  }
  print_line(news.conversation.str() + " last=" + std::to_string(news.last_seq.value()) +
             " read=" + std::to_string(news.read_seq.value()) +
             " peer_read=" + std::to_string(news.peer_read_seq.value()) +
             " unread=" + std::to_string(news.unread) + (news.former ? " former" : ""));
}

void Output::note(const std::string& type, const std::string& text) const {
  if (json_) return print({{"type", type}, {"text", text}});
  print_line(text);
}

}  // namespace martlet::tools
