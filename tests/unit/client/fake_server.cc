#include "fake_server.h"

#include <algorithm>

namespace martlet::client {
namespace {

constexpr std::size_t kPage = 5;

wire::Message view_of(const Message& message) {
  wire::Message out;
  out.conversation = message.conversation.str();
  out.seq = message.seq;
  out.message_id = message.id;
  out.sender = message.sender.str();
  out.client_msg_id = message.client_msg_id;
  out.time_ms = message.time_ms;
  out.content = message.content;
  out.generation = message.generation;
  return out;
}

}  // namespace

struct FakeServer::Session final : net::ConnectionListener {
  Session(FakeServer& its_server, net::UniqueFd fd)
      : server(its_server), connection(server.loop_, std::move(fd), {}, *this) {}

  void on_bytes(BytesView bytes) override {
    while (!gone && !server.mute) {
      const auto frame = decoder.next(bytes);
      if (!frame || !frame->has_value()) return;
      server.on_request(*this, (*frame)->header, (*frame)->body);
    }
  }
  void on_drained() override {}
  void on_closed(net::CloseCause) override { gone = true; }

  void frame(wire::Command command, std::uint32_t id, BytesView body) {
    wire::FrameHeader header;
    header.command = static_cast<std::uint16_t>(command);
    header.request_id = id;
    connection.send(wire::encode_frame(header, body));
  }
  void refuse(std::uint32_t id, const Error& error) {
    frame(wire::Command::Error, id, wire::encode(wire::Refusal{error, false, std::nullopt}));
  }
  void cut() {
    gone = true;
    connection.close_now();
  }

  FakeServer& server;
  wire::FrameDecoder decoder{kMaxBodyBytes};
  UserId user;
  DeviceId device;
  bool is_in = false;
  bool gone = false;
  net::Connection connection;
};

FakeServer::FakeServer(event::Loop& loop) : loop_(loop), address_{"127.0.0.1", 0} {
  come_back();
}

FakeServer::~FakeServer() = default;

void FakeServer::come_back() {
  auto listener = net::Listener::open(loop_, address_, {}, [this](net::UniqueFd fd) {
    sessions_.push_back(std::make_unique<Session>(*this, std::move(fd)));
  });
  listener_ = std::move(listener.value());
  address_ = listener_->address();
}

void FakeServer::go_down() {
  listener_.reset();
  cut_all();
}

void FakeServer::cut_all() {
  for (auto& session : sessions_) session->cut();
}

std::size_t FakeServer::sessions() const {
  return static_cast<std::size_t>(std::count_if(
      sessions_.begin(), sessions_.end(), [](const auto& s) { return s->is_in && !s->gone; }));
}

void FakeServer::send_event(const UserId& to, wire::Command command, BytesView body) {
  for (auto& session : sessions_) {
    if (session->is_in && !session->gone && session->user == to) session->frame(command, 0, body);
  }
}

ClientMsgId FakeServer::next_msg_id() const {
  ClientMsgId id;
  id.bytes[0] = 9;
  id.bytes[15] = static_cast<std::uint8_t>(next_message_id_);
  id.bytes[14] = static_cast<std::uint8_t>(next_message_id_ >> 8);
  return id;
}

void FakeServer::inject(const UserId& from, const UserId& to, std::string_view text) {
  inject(from, ConversationId::between(from, to), text);
}

void FakeServer::inject(const UserId& from, const ConversationId& to, std::string_view text) {
  publish(append(from, to, next_msg_id(), wire::encode_text(text)), nullptr);
}

void FakeServer::change(const UserId& actor, const GroupId& group, const MembersChange& change) {
  publish(append_change(actor, ConversationId::of_group(group), next_msg_id(), change), nullptr);
}

const Message* FakeServer::find(const ConversationId& conversation, const ClientMsgId& id) const {
  const auto line = log.find(conversation);
  if (line == log.end()) return nullptr;
  const auto found = std::find_if(line->second.begin(), line->second.end(),
                                  [&id](const Message& old) { return old.client_msg_id == id; });
  return found == line->second.end() ? nullptr : &*found;
}

const Message& FakeServer::append(const UserId& from, const ConversationId& to,
                                  const ClientMsgId& id, BytesView content) {
  if (const Message* old = find(to, id); old != nullptr) return *old;
  std::vector<Message>& line = log[to];
  Message message;
  message.conversation = to;
  message.seq = Seq(line.size() + 1);
  message.id = MessageId(next_message_id_++);
  message.sender = from;
  message.client_msg_id = id;
  message.content = Bytes(content);
  message.generation = Generation(1);
  line.push_back(std::move(message));
  return line.back();
}

const Message& FakeServer::append_change(const UserId& actor, const ConversationId& group,
                                         const ClientMsgId& id, const MembersChange& change) {
  const Message& message = append(actor, group, id, wire::encode(change));
  const GroupMembers::Moves moves = groups[group.group()].apply(actor, change);
  for (const UserId& user : moves.came) spans_[group][user] = Span{message.seq, Seq(0)};
  for (const UserId& user : moves.went) spans_[group][user].to = message.seq;
  return message;
}

bool FakeServer::sees(const UserId& user, const ConversationId& conversation, Seq seq) const {
  if (!conversation.is_group()) return conversation.has_user(user);
  const auto group = spans_.find(conversation);
  if (group == spans_.end()) return false;
  const auto span = group->second.find(user);
  return span != group->second.end() && span->second.has(seq);
}

void FakeServer::publish(const Message& message, const Session* origin) {
  if (lose_events) return;
  const Bytes body = wire::encode(view_of(message));
  for (auto& session : sessions_) {
    if (session.get() == origin || !session->is_in || session->gone) continue;
    if (!sees(session->user, message.conversation, message.seq)) continue;
    session->frame(wire::Command::MessageEvent, 0, body);
  }
}

void FakeServer::on_request(Session& session, const wire::FrameHeader& header, BytesView body) {
  const auto command = static_cast<wire::Command>(header.command);
  const std::uint32_t id = header.request_id;
  ++requests[command];
  if (const auto refusal = refuse.find(command); refusal != refuse.end()) {
    session.refuse(id, refusal->second);
    refuse.erase(refusal);
    return;
  }
  switch (command) {
    case wire::Command::Ping:
      return session.frame(wire::Command::Pong, id, wire::encode(wire::Pong{time_ms}));
    case wire::Command::Login: {
      const auto login = wire::parse_login(body);
      const bool is_good =
          login && (login->token.empty() ? login->password == password : login->token == token);
      if (!is_good) return session.refuse(id, Error{ErrorCode::kWrongPassword, ""});
      session.user = login->user;
      session.device = login->device;
      return give_tokens(session, id, wire::Command::Tokens);
    }
    case wire::Command::Refresh:
      if (wire::parse_refresh(body)->refresh_token != refresh_token) {
        return session.refuse(id, Error{ErrorCode::kTokenRevoked, ""});
      }
      return give_tokens(session, id, wire::Command::Refreshed);
    case wire::Command::Auth:
      return on_auth(session, id, body);
    case wire::Command::Send:
      return on_send(session, id, body);
    case wire::Command::Sync:
      return on_sync(session, id, body);
    case wire::Command::Fetch:
      return on_fetch(session, id, body);
    case wire::Command::History:
      return on_history(session, id, body);
    case wire::Command::Read: {
      const auto read = wire::parse_read(body);
      reads[read->conversation] = read->seq;
      return session.frame(wire::Command::ReadOk, id,
                           wire::encode(wire::ReadOk{read->conversation, read->seq}));
    }
    case wire::Command::Goodbye:
      return session.frame(wire::Command::GoodbyeOk, id, wire::encode(wire::GoodbyeOk{}));
    case wire::Command::Typing:
      return on_typing(session, id, body);
    default:
      if (wire::is_group_change(command)) return on_group_change(session, command, id, body);
      return on_question(session, command, id, body);
  }
}

// A repeat has the same answer; nothing else is judged before the group is.
void FakeServer::on_group_change(Session& session, wire::Command command, std::uint32_t id,
                                 BytesView body) {
  const auto asked = wire::parse_group_change(command, body);
  if (!asked) return session.refuse(id, asked.error());
  const ConversationId conversation = ConversationId::of_group(asked->group);
  const Message* message = find(conversation, asked->client_msg_id);
  if (message == nullptr) {
    const bool is_new = asked->change.action == MembersAction::kCreated;
    const auto group = groups.find(asked->group);
    ErrorCode why = is_new ? ErrorCode::kNone : ErrorCode::kNoSuchGroup;
    if (group != groups.end()) why = group->second.why_not(session.user, asked->change);
    if (why != ErrorCode::kNone) return session.refuse(id, Error{why, ""});
    message = &append_change(session.user, conversation, asked->client_msg_id, asked->change);
    publish(*message, &session);
  }
  if (std::exchange(cut_instead_of_change, false)) return session.cut();
  acknowledge(session, id, wire::answer_to(command), *message);
}

void FakeServer::on_typing(Session& session, std::uint32_t id, BytesView body) {
  const auto typing = wire::parse_typing(body);
  if (!typing) return session.refuse(id, typing.error());
  const bool is_group = !typing->to_group.empty();
  const ConversationId conversation = is_group
                                          ? ConversationId::of_group(typing->to_group)
                                          : ConversationId::between(session.user, typing->to_user);
  const Bytes event = wire::encode(wire::TypingEvent{conversation, session.user});
  for (auto& other : sessions_) {
    if (other.get() == &session || !other->is_in || other->gone) continue;
    if (!sees(other->user, conversation, Seq(UINT32_MAX))) continue;
    other->frame(wire::Command::TypingEvent, 0, event);
  }
  session.frame(wire::Command::TypingOk, id, wire::encode(wire::TypingOk{}));
}

void FakeServer::on_question(Session& session, wire::Command command, std::uint32_t id,
                             BytesView body) {
  if (command == wire::Command::GroupInfo) {
    wire::GroupInfoPage page;
    page.group = wire::parse_group_info(body)->group;
    for (const auto& [user, role] : groups[page.group].roles()) {
      page.members.push_back({user, role, Seq(1)});
    }
    session.frame(wire::answer_to(command), id, wire::encode(page));
  } else if (command == wire::Command::GroupList) {
    wire::GroupListPage page;
    for (const auto& [group, members] : groups) {
      if (members.has(session.user)) page.groups.push_back({group, "", GroupRole::kMember, 1});
    }
    session.frame(wire::answer_to(command), id, wire::encode(page));
  } else if (command == wire::Command::Devices) {
    const wire::DeviceList list{{{session.device, true, 5}}};
    session.frame(wire::answer_to(command), id, wire::encode(list));
  } else if (command == wire::Command::SignOut) {
    session.frame(wire::answer_to(command), id, wire::encode(wire::SignedOut{2}));
  } else {
    session.refuse(id, Error{ErrorCode::kUnknownCommand, ""});
  }
}

void FakeServer::give_tokens(Session& session, std::uint32_t id, wire::Command command) {
  ++tokens_given_;
  access_tokens_are_expired = false;
  refresh_token = "refresh-" + std::to_string(tokens_given_);
  wire::Tokens tokens;
  tokens.access_token = "access";
  tokens.refresh_token = refresh_token;
  tokens.expires_in_s = expires_in_s;
  session.frame(command, id, wire::encode(tokens));
}

// Access tokens name nobody here: the test's users sign in by LOGIN once, and the first session of
// a token without a LOGIN is alice's phone.
void FakeServer::on_auth(Session& session, std::uint32_t id, BytesView body) {
  if (swallow_auths) return;
  if (!wire::parse_auth(body) || access_tokens_are_expired) {
    return session.refuse(id, Error{ErrorCode::kTokenExpired, ""});
  }
  if (session.user.empty()) {
    session.user = UserId::trusted("alice");
    session.device = DeviceId::trusted("phone");
  }
  session.is_in = true;
  wire::AuthOk ok;
  ok.user = session.user;
  ok.device = session.device;
  ok.session = SessionId{1, 2};
  ok.edge = "fake";
  ok.heartbeat_ms = heartbeat_ms;
  ok.time_ms = time_ms;
  ok.tail_check_ms = 60'000;
  ok.max_body_bytes = kMaxBodyBytes;
  ok.max_unanswered = 64;
  ok.expires_in_s = expires_in_s;
  session.frame(wire::Command::AuthOk, id, wire::encode(ok));
}

void FakeServer::on_send(Session& session, std::uint32_t id, BytesView body) {
  if (swallow_sends) return;
  const auto send = wire::parse_send(body);
  if (!send) return session.refuse(id, send.error());
  const bool is_group = !send->to_group.empty();
  const ConversationId to = is_group ? ConversationId::of_group(send->to_group)
                                     : ConversationId::between(session.user, send->to_user);
  if (is_group && !groups[send->to_group].has(session.user)) {
    return session.refuse(id, Error{ErrorCode::kNotMember, ""});
  }
  const std::size_t before = log[to].size();
  const Message& message = append(session.user, to, send->client_msg_id, send->content);
  if (log[to].size() > before) publish(message, &session);
  if (std::exchange(cut_instead_of_ack, false)) return session.cut();
  acknowledge(session, id, wire::Command::Ack, message);
  if (send->want != wire::AckLevel::Stored) return;
  session.frame(
      wire::Command::StoredEvent, 0,
      wire::encode(wire::StoredEvent{send->client_msg_id, message.conversation, message.seq}));
}

void FakeServer::acknowledge(Session& session, std::uint32_t id, wire::Command command,
                             const Message& message) {
  wire::Ack ack;
  ack.client_msg_id = message.client_msg_id;
  ack.conversation = message.conversation;
  ack.seq = message.seq;
  ack.message_id = message.id;
  ack.generation = message.generation;
  session.frame(command, id, wire::encode(ack));
}

// Always all conversations; the newest messages only in a first sync.
void FakeServer::on_sync(Session& session, std::uint32_t id, BytesView body) {
  wire::SyncPage page;
  page.token = "token";
  const bool is_first = wire::parse_sync(body)->token.empty();
  for (const auto& [conversation, line] : log) {
    wire::ConversationState state;
    state.conversation = conversation;
    state.last_seq = Seq(line.size());
    state.generation = Generation(1);
    if (conversation.is_group()) {
      const auto span = spans_[conversation].find(session.user);
      if (span == spans_[conversation].end()) continue;
      state.first_seq = span->second.from;
      state.start_seq = span->second.from;
      if (span->second.to > Seq(0)) {
        state.membership = wire::Membership::Former;
        state.last_seq = span->second.to;
      }
    } else if (!conversation.has_user(session.user)) {
      continue;
    }
    for (const Message& message : line) {
      if (!is_first || !sees(session.user, conversation, message.seq)) continue;
      state.newest.push_back(view_of(message));
    }
    page.conversations.push_back(std::move(state));
  }
  session.frame(wire::Command::SyncPage, id, wire::encode(page));
}

void FakeServer::on_fetch(Session& session, std::uint32_t id, BytesView body) {
  wire::FetchPage page;
  const auto fetch = wire::parse_fetch(body);
  for (const wire::Range& range : fetch->ranges) {
    for (const Message& message : log[range.conversation]) {
      if (message.seq < range.from || message.seq > range.to) continue;
      if (!sees(session.user, range.conversation, message.seq)) {
        page.withheld.push_back({range.conversation, message.seq, message.seq});
        continue;
      }
      if (page.messages.size() == kPage) {
        page.remaining.push_back({range.conversation, message.seq, range.to});
        break;
      }
      page.messages.push_back(view_of(message));
    }
  }
  session.frame(wire::Command::FetchPage, id, wire::encode(page));
}

void FakeServer::on_history(Session& session, std::uint32_t id, BytesView body) {
  if (std::exchange(cut_instead_of_history, false)) return session.cut();
  wire::HistoryPage page;
  const auto query = wire::parse_history(body);
  for (const Message& message : log[query->conversation]) page.messages.push_back(view_of(message));
  if (query->direction == wire::Direction::Backward)
    std::reverse(page.messages.begin(), page.messages.end());
  page.behind = history_is_behind;
  page.again_in_ms = 20;
  session.frame(wire::Command::HistoryPage, id, wire::encode(page));
}

}  // namespace martlet::client
