#include "client/journal_lines.h"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

namespace martlet::client::journal {
namespace {

using nlohmann::json;

std::string line_of(const char* key, json value) {
  json line;
  line[key] = std::move(value);
  return line.dump() + "\n";
}

// The whole number of this type; what a conversion would cut off or make up is not ours.
template <class Number>
Number read_number(const json& value) {
  std::optional<std::uint64_t> number;
  if (value.is_number_unsigned()) number = value.get<std::uint64_t>();
  if (number > std::numeric_limits<Number>::max()) number.reset();
  return static_cast<Number>(number.value());
}

ClientMsgId read_id(const json& value) {
  const std::optional<Bytes> raw = base::from_hex(value.get<std::string>());
  ClientMsgId id;
  if (raw && raw->size() == id.bytes.size()) std::copy(raw->begin(), raw->end(), id.bytes.begin());
  return id;
}

ConversationId read_conversation(const json& value) {
  return ConversationId::parse(value.get<std::string>()).value();
}

Bytes read_bytes(const json& value) {
  return base::from_base64(value.get<std::string>()).value();
}

void apply_credentials(const json& value, Store& store) {
  Credentials credentials;
  credentials.user = UserId::parse(value.at("user").get<std::string>()).value();
  credentials.device = DeviceId::parse(value.at("device").get<std::string>()).value();
  credentials.access_token = value.at("access").get<std::string>();
  credentials.refresh_token = value.at("refresh").get<std::string>();
  credentials.access_expires_ms = read_number<WallMs>(value.at("expires_ms"));
  store.set_credentials(std::move(credentials));
}

void apply_cursor(const json& value, Store& store) {
  Cursor cursor;
  cursor.shown = read_number<std::uint64_t>(value.at("shown"));
  cursor.target = read_number<std::uint64_t>(value.at("target"));
  cursor.durable = read_number<std::uint64_t>(value.at("durable"));
  cursor.generation = read_number<std::uint32_t>(value.at("generation"));
  for (const json& pair : value.at("recent")) {
    cursor.recent[read_number<std::uint64_t>(pair.at(0))] = read_number<std::uint64_t>(pair.at(1));
  }
  store.set_cursor(read_conversation(value.at("conversation")), std::move(cursor));
}

void apply_send(const json& value, Store& store) {
  OutgoingMessage message;
  message.conversation = read_conversation(value.at("conversation"));
  if (!message.conversation.is_group()) {
    message.to = UserId::parse(value.at("to").get<std::string>()).value();
  }
  message.id = read_id(value.at("id"));
  message.content = read_bytes(value.at("content"));
  message.want = value.at("stored").get<bool>() ? Strength::kStored : Strength::kLogged;
  message.follow = value.value("trace", false) ? Follow::kAlways : Follow::kByChance;
  store.add_send(message);
}

// A number of an enum of which `last` is the greatest.
template <class Enum>
Enum read_enum(const json& value, Enum last) {
  std::optional<Enum> known(static_cast<Enum>(read_number<std::uint8_t>(value)));
  if (*known > last) known.reset();
  return known.value();
}

void apply_change(const json& value, Store& store) {
  OutgoingChange out;
  out.group = GroupId::parse(value.at("group").get<std::string>()).value();
  out.id = read_id(value.at("id"));
  MembersChange& change = out.change;
  change.action = read_enum(value.at("action"), MembersAction::kDisbanded);
  for (const json& user : value.at("users")) {
    change.users.push_back(UserId::parse(user.get<std::string>()).value());
  }
  change.role = read_enum(value.at("role"), GroupRole::kOwner);
  change.title = value.at("title").get<std::string>();
  change.join = read_enum(value.at("join"), JoinPolicy::kAnyone);
  change.earlier_history = read_enum(value.at("earlier_history"), EarlierHistory::kShown);
  store.add_change(out);
}

void apply(const std::string& key, const json& value, Store& store) {
  if (key == "credentials") return apply_credentials(value, store);
  if (key == "token") return store.set_sync_token(read_bytes(value));
  if (key == "cursor") return apply_cursor(value, store);
  if (key == "shown") {
    return store.set_shown(read_conversation(value.at(0)),
                           Seq(read_number<std::uint64_t>(value.at(1))),
                           MessageId(read_number<std::uint64_t>(value.at(2))));
  }
  if (key == "send") return apply_send(value, store);
  if (key == "sent") return store.remove_send(read_id(value));
  if (key == "change") return apply_change(value, store);
  if (key == "changed") return store.remove_change(read_id(value));
}

}  // namespace

std::string credentials_line(const Credentials& credentials) {
  return line_of("credentials", {{"user", credentials.user.str()},
                                 {"device", credentials.device.str()},
                                 {"access", credentials.access_token},
                                 {"refresh", credentials.refresh_token},
                                 {"expires_ms", credentials.access_expires_ms}});
}

std::string token_line(BytesView token) {
  return line_of("token", base::to_base64(token));
}

std::string cursor_line(const ConversationId& conversation, const Cursor& cursor) {
  json recent = json::array();
  for (const auto& [seq, id] : cursor.recent) recent.push_back(json::array({seq, id}));
  return line_of("cursor", {{"conversation", conversation.str()},
                            {"shown", cursor.shown},
                            {"target", cursor.target},
                            {"durable", cursor.durable},
                            {"generation", cursor.generation},
                            {"recent", std::move(recent)}});
}

std::string shown_line(const ConversationId& conversation, Seq seq, MessageId id) {
  return line_of("shown", json::array({conversation.str(), seq.value(), id.value()}));
}

std::string send_line(const OutgoingMessage& message) {
  json value = {{"to", message.to.str()},
                {"conversation", message.conversation.str()},
                {"id", to_string(message.id)},
                {"content", base::to_base64(message.content)},
                {"stored", message.want == Strength::kStored}};
  if (message.follow == Follow::kAlways) value["trace"] = true;
  return line_of("send", value);
}

std::string sent_line(const ClientMsgId& id) {
  return line_of("sent", to_string(id));
}

std::string change_line(const OutgoingChange& change) {
  const MembersChange& what = change.change;
  json users = json::array();
  for (const UserId& user : what.users) users.push_back(user.str());
  return line_of("change", {{"group", change.group.str()},
                            {"id", to_string(change.id)},
                            {"action", static_cast<int>(what.action)},
                            {"users", std::move(users)},
                            {"role", static_cast<int>(what.role)},
                            {"title", what.title},
                            {"join", static_cast<int>(what.join)},
                            {"earlier_history", static_cast<int>(what.earlier_history)}});
}

std::string changed_line(const ClientMsgId& id) {
  return line_of("changed", to_string(id));
}

std::string snapshot(const StoreState& state) {
  std::string lines;
  if (!state.credentials.empty()) lines += credentials_line(state.credentials);
  for (const auto& [id, cursor] : state.cursors) lines += cursor_line(id, cursor);
  if (!state.sync_token.empty()) lines += token_line(state.sync_token);
  for (const OutgoingMessage& send : state.sends) lines += send_line(send);
  for (const OutgoingChange& change : state.changes) lines += change_line(change);
  return lines;
}

// nlohmann and the optionals throw on what is not of the right shape: a file is start-up.
bool apply_line(std::string_view line, Store& store) {
  try {
    const json object = json::parse(line);
    if (!object.is_object() || object.size() != 1) return false;
    apply(object.begin().key(), object.begin().value(), store);
    return true;
  } catch (const std::exception&) {
    return false;
  }
}

}  // namespace martlet::client::journal
