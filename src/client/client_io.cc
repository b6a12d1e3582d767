#include <algorithm>
#include <utility>

#include "client/client.h"
#include "client/convert.h"
#include "client/limits.h"

// What goes over the connection: carrying out what the cores decide, and telling them the answers.
namespace martlet::client {
namespace {

constexpr std::size_t kMaxContentBytes = kMaxBodyBytes - 1024;
constexpr std::size_t kMaxReadsOut = 4;
constexpr std::size_t kMaxWaitingQuestions = 100;
constexpr Duration kReadRetry = std::chrono::seconds(2);

Duration ms(std::uint32_t count) {
  return std::chrono::milliseconds(count);
}

// These say something about the connection or the session, not about the message.
bool is_about_connection(ErrorCode code) {
  return code == ErrorCode::kNotAuthenticated || code == ErrorCode::kTokenExpired ||
         code == ErrorCode::kTokenInvalid || code == ErrorCode::kTokenRevoked ||
         code == ErrorCode::kTooManyUnanswered || code == ErrorCode::kBadRequestId ||
         code == ErrorCode::kInternal;
}

// As the server will read it: with exactly the fields of its action.
Result<MembersChange> checked(const OutgoingChange& change) {
  const MembersChange& what = change.change;
  if (change.group.empty()) return fail(ErrorCode::kBadId, "which group?");
  if (what.users.size() > kMaxUsersPerChange) {
    return fail(ErrorCode::kBadRange, "names too many users");
  }
  const bool needs_users =
      what.action == MembersAction::kInvited || what.action == MembersAction::kRemoved;
  if (needs_users && what.users.empty()) return fail(ErrorCode::kBadBody, "names nobody");
  if (what.action == MembersAction::kRoleSet && what.users.size() != 1) {
    return fail(ErrorCode::kBadBody, "a role is for one user");
  }
  return wire::parse_group_change(wire::command_of(what.action),
                                  wire::encode(to_group_change(change, {})))
      .map([](wire::GroupChange good) { return std::move(good.change); });
}

// Hands a reply on as what `parse` makes of its body.
template <class Parse, class OnDone>
auto parsed_by(Parse parse, OnDone on_done) {
  return [parse, on_done = std::move(on_done)](Result<BytesView> body) {
    if (body) return on_done(parse(*body));
    on_done(tl::unexpected(body.error()));
  };
}

}  // namespace

// ---- the application's requests -----------------------------------------------------------

Result<ClientMsgId> Client::send(const UserId& to, BytesView content, Strength want,
                                 std::optional<ClientMsgId> id) {
  return send(ConversationId::between(options_.user, to), content, want, id);
}

Result<ClientMsgId> Client::send(const ConversationId& to, BytesView content, Strength want,
                                 std::optional<ClientMsgId> id, Follow follow) {
  if (!to.is_group() && !to.has_user(options_.user)) {
    return fail(ErrorCode::kNotMember, "not a conversation of this user");
  }
  if (content.size() > kMaxContentBytes) {
    return fail(ErrorCode::kBodyTooLarge, "the message is too long");
  }
  if (const auto good = wire::parse_content(content); !good) return tl::unexpected(good.error());
  OutgoingMessage message;
  if (!to.is_group()) message.to = to.peer_of(options_.user);
  message.conversation = to;
  message.id = id ? *id : make_client_msg_id(clock_, random_);
  message.content = Bytes(content);
  message.want = want;
  message.follow = follow;
  const ClientMsgId used = message.id;
  // Before it can be sent: what the server has must not be unknown to us after a crash.
  store_.add_send(message);
  if (Result<void> added = queue_.add(std::move(message), loop_.now()); !added) {
    store_.remove_send(used);
    return tl::unexpected(added.error());
  }
  pump();
  return used;
}

Result<ClientMsgId> Client::change_group(const GroupId& group, const MembersChange& change,
                                         std::optional<ClientMsgId> id) {
  OutgoingChange out{group, id ? *id : make_client_msg_id(clock_, random_), change};
  Result<MembersChange> good = checked(out);
  if (!good) return tl::unexpected(good.error());
  out.change = std::move(*good);
  const ClientMsgId used = out.id;
  store_.add_change(out);
  if (Result<void> added = changes_.add(std::move(out), loop_.now()); !added) {
    store_.remove_change(used);
    return tl::unexpected(added.error());
  }
  pump();
  return used;
}

void Client::tell_typing(const ConversationId& to) {
  if (!link_ || state_ != State::kOnline) return;
  if (!to.is_group() && !to.has_user(options_.user)) return;
  wire::Typing typing;
  if (to.is_group()) {
    typing.to_group = to.group();
  } else {
    typing.to_user = to.peer_of(options_.user);
  }
  link_->request(wire::Command::Typing, wire::encode(typing), {});
}

void Client::mark_read(const ConversationId& conversation, Seq seq) {
  Seq& wanted = reads_[conversation];
  wanted = std::max(wanted, seq);
  send_reads();
}

void Client::history(const wire::History& query, OnHistory on_history) {
  const auto parse = [](BytesView body) {
    return wire::parse_history_page(body).map([](const wire::HistoryPage& page) {
      FetchAnswer same = to_fetch_answer({page.messages, page.withheld, {}});
      HistoryAnswer out{std::move(same.messages), std::move(same.withheld), page.more, {}};
      if (page.behind) out.again_in = std::chrono::milliseconds(page.again_in_ms);
      return out;
    });
  };
  ask(wire::Command::History, wire::encode(query), parsed_by(parse, std::move(on_history)));
}

void Client::group_info(const wire::GroupInfo& query,
                        std::function<void(Result<wire::GroupInfoPage>)> on_page) {
  ask(wire::Command::GroupInfo, wire::encode(query),
      parsed_by(&wire::parse_group_info_page, std::move(on_page)));
}

void Client::group_list(const wire::GroupList& query,
                        std::function<void(Result<wire::GroupListPage>)> on_page) {
  ask(wire::Command::GroupList, wire::encode(query),
      parsed_by(&wire::parse_group_list_page, std::move(on_page)));
}

void Client::devices(std::function<void(Result<wire::DeviceList>)> on_list) {
  ask(wire::Command::Devices, wire::encode(wire::Devices{}),
      parsed_by(&wire::parse_device_list, std::move(on_list)));
}

void Client::sign_out(const wire::SignOut& which,
                      std::function<void(Result<wire::SignedOut>)> on_done) {
  ask(wire::Command::SignOut, wire::encode(which),
      parsed_by(&wire::parse_signed_out, std::move(on_done)));
}

void Client::ask(wire::Command command, Bytes body, OnReply on_reply) {
  if (waiting_.size() >= kMaxWaitingQuestions) {
    on_reply(fail(ErrorCode::kBusy, "too many questions wait for the connection"));
    return;
  }
  ask_now({command, std::move(body), std::move(on_reply)});
}

void Client::sync_now() {
  if (state_ != State::kOnline) return;
  sync_.sync_now(loop_.now());
  pump();
}

// ---- carrying out -------------------------------------------------------------------------

void Client::pump() {
  if (pumping_) return;
  pumping_ = true;
  while (true) {
    std::vector<SyncEngine::Action> sync_actions = sync_.take_actions();
    std::vector<SendQueue::Action> send_actions = queue_.take_actions();
    std::vector<GroupChanges::Action> change_actions = changes_.take_actions();
    if (sync_actions.empty() && send_actions.empty() && change_actions.empty()) break;
    run_sync_actions(std::move(sync_actions));
    run_send_actions(std::move(send_actions));
    run_change_actions(std::move(change_actions));
  }
  pumping_ = false;
  arm_timer();
}

void Client::arm_timer() {
  std::optional<MonotonicTime> next = sync_.next_deadline();
  for (const auto& other : {queue_.next_deadline(), changes_.next_deadline()}) {
    if (other && (!next || *other < *next)) next = other;
  }
  if (!next || state_ != State::kOnline) return core_timer_.cancel();
  core_timer_.start_once(std::max<Duration>(*next - loop_.now(), std::chrono::milliseconds(1)));
}

void Client::run_sync_actions(std::vector<SyncEngine::Action> actions) {
  for (SyncEngine::Action& action : actions) {
    if (auto* show = std::get_if<SyncEngine::Show>(&action)) {
      do_show(*show);
    } else if (auto* dropped = std::get_if<SyncEngine::Dropped>(&action)) {
      listener_.on_dropped(dropped->conversation, dropped->from);
    } else if (auto* save = std::get_if<SyncEngine::SaveCursor>(&action)) {
      store_.set_cursor(save->conversation, std::move(save->cursor));
    } else if (auto* token = std::get_if<SyncEngine::SaveToken>(&action)) {
      store_.set_sync_token(std::move(token->token));
    } else if (auto* sync = std::get_if<SyncEngine::AskSync>(&action)) {
      ask_sync(*sync);
    } else if (auto* fetch = std::get_if<SyncEngine::AskFetch>(&action)) {
      ask_fetch(*fetch);
    } else if (auto* news = std::get_if<SyncEngine::News>(&action)) {
      listener_.on_news(news->news);
    } else if (auto* synced = std::get_if<SyncEngine::Synced>(&action)) {
      listener_.on_synced(synced->behind);
    }
  }
}

// The application first: after a crash between the two it gets the message again rather than never.
void Client::do_show(const SyncEngine::Show& show) {
  listener_.on_message(show.message, show.origin);
  store_.set_shown(show.message.conversation, show.message.seq, show.message.id);
}

void Client::run_send_actions(std::vector<SendQueue::Action> actions) {
  for (SendQueue::Action& action : actions) {
    if (auto* send = std::get_if<SendQueue::Send>(&action)) {
      do_send(*send);
    } else if (auto* acked = std::get_if<SendQueue::Acked>(&action)) {
      do_acked(*acked);
    } else if (auto* stored = std::get_if<SendQueue::Stored>(&action)) {
      listener_.on_stored(*stored);
    } else if (auto* refused = std::get_if<SendQueue::Refused>(&action)) {
      listener_.on_refused(*refused);
    } else if (auto* done = std::get_if<SendQueue::Forget>(&action)) {
      store_.remove_send(done->id);
    } else if (std::holds_alternative<SendQueue::Reconnect>(action)) {
      reconnect();
    }
  }
}

void Client::do_send(const SendQueue::Send& send) {
  if (!link_ || state_ != State::kOnline) return;
  link_->request(
      wire::Command::Send, wire::encode(to_send(send.message, send.age, send.follows)),
      [this, id = send.message.id](const Answer& answer) { on_send_answer(id, answer); });
}

// The session that sends gets no event: its own message takes its place in the conversation here.
void Client::do_acked(const SendQueue::Acked& acked) {
  listener_.on_acked(acked);
  show_own(acked.ack, acked.message.content);
}

void Client::show_own(const Acknowledged& ack, BytesView content) {
  if (!options_.receives) return;
  Message own;
  own.conversation = ack.conversation;
  own.seq = ack.seq;
  own.id = ack.message_id;
  own.sender = options_.user;
  own.client_msg_id = ack.id;
  own.time_ms = ack.time_ms;
  own.content = Bytes(content);
  own.generation = ack.generation;
  sync_.on_own(std::move(own), loop_.now());
}

void Client::run_change_actions(std::vector<GroupChanges::Action> actions) {
  for (const GroupChanges::Action& action : actions) {
    if (const auto* ask = std::get_if<GroupChanges::Ask>(&action)) {
      do_change(*ask);
    } else if (const auto* done = std::get_if<GroupChanges::Done>(&action)) {
      do_changed(*done);
    } else if (const auto* refused = std::get_if<GroupChanges::Refused>(&action)) {
      store_.remove_change(refused->change.id);
      listener_.on_change_refused(*refused);
    }
  }
}

void Client::do_change(const GroupChanges::Ask& ask) {
  if (!link_ || state_ != State::kOnline) return;
  link_->request(
      wire::command_of(ask.change.change.action),
      wire::encode(to_group_change(ask.change, ask.age)),
      [this, id = ask.change.id](const Answer& answer) { on_change_answer(id, answer); });
}

// The server wrote the same bytes: they follow from the change alone.
void Client::do_changed(const GroupChanges::Done& done) {
  store_.remove_change(done.change.id);
  listener_.on_changed(done);
  show_own(done.ack, wire::encode(done.change.change));
}

void Client::ask_sync(const SyncEngine::AskSync& ask) {
  if (!link_ || state_ != State::kOnline) return;
  link_->request(wire::Command::Sync, wire::encode(wire::Sync{ask.token, ask.page}),
                 [this](const Answer& answer) { on_sync_answer(answer); });
}

void Client::ask_fetch(const SyncEngine::AskFetch& ask) {
  if (!link_ || state_ != State::kOnline) return;
  link_->request(wire::Command::Fetch, wire::encode(to_fetch(ask)),
                 [this](const Answer& answer) { on_fetch_answer(answer); });
}

void Client::ask_now(Waiting waiting) {
  if (state_ != State::kOnline || !link_ || !link_->is_up()) {
    waiting_.push_back(std::move(waiting));
    return;
  }
  const wire::Command command = waiting.command;
  const Bytes body = waiting.body;
  link_->request(command, body, [this, waiting = std::move(waiting)](const Answer& answer) {
    on_reply(waiting, answer);
  });
}

void Client::send_reads() {
  if (!link_ || state_ != State::kOnline) return;
  for (const auto& [conversation, seq] : reads_) {
    if (reads_out_.size() >= kMaxReadsOut) return;
    if (!reads_out_.emplace(conversation, seq).second) continue;
    link_->request(wire::Command::Read, wire::encode(wire::Read{conversation, seq}),
                   [this, conversation = conversation, seq = seq](const Answer& answer) {
                     on_read_answer(conversation, seq, answer);
                   });
    if (!link_) return;
  }
}

// ---- answers ------------------------------------------------------------------------------

void Client::on_send_answer(const ClientMsgId& id, const Answer& answer) {
  const MonotonicTime now = loop_.now();
  if (answer.kind == Answer::Kind::kLost) return;
  if (answer.kind == Answer::Kind::kBody) {
    const auto ack = wire::parse_ack(answer.body);
    if (!ack || ack->client_msg_id != id) return;
    queue_.on_ack(to_acknowledged(*ack), now);
  } else {
    const wire::Refusal& refusal = answer.refusal;
    if (refusal.client_msg_id && *refusal.client_msg_id != id) return;
    const bool retryable = refusal.retryable || is_about_connection(refusal.error.code);
    queue_.on_refused(id, refusal.error, retryable, now);
  }
  pump();
}

void Client::on_sync_answer(const Answer& answer) {
  const MonotonicTime now = loop_.now();
  if (answer.kind == Answer::Kind::kLost) return;
  if (answer.kind == Answer::Kind::kRefused) {
    const wire::Refusal& refusal = answer.refusal;
    const bool retryable = refusal.retryable || is_about_connection(refusal.error.code);
    sync_.on_sync_error(retryable, ms(refusal.error.retry_after_ms), now);
  } else if (const auto page = wire::parse_sync_page(answer.body); page) {
    sync_.on_sync_answer(to_sync_answer(*page), now);
  } else {
    sync_.on_sync_error(true, {}, now);
  }
  pump();
}

void Client::on_fetch_answer(const Answer& answer) {
  const MonotonicTime now = loop_.now();
  if (answer.kind == Answer::Kind::kLost) return;
  const bool has_body = answer.kind == Answer::Kind::kBody;
  const auto page = has_body ? wire::parse_fetch_page(answer.body)
                             : Result<wire::FetchPage>(tl::unexpected(answer.refusal.error));
  if (page) {
    sync_.on_fetch_answer(to_fetch_answer(*page), now);
  } else if (page.error().code == ErrorCode::kNotMember) {
    sync_.on_fetch_of_others(now);
  } else {
    sync_.on_fetch_error(ms(page.error().retry_after_ms), now);
  }
  pump();
}

void Client::on_read_answer(const ConversationId& conversation, Seq seq, const Answer& answer) {
  if (answer.kind == Answer::Kind::kLost) return;
  reads_out_.erase(conversation);
  const bool refused = answer.kind == Answer::Kind::kRefused;
  if (refused && answer.refusal.retryable) {
    read_timer_.start_once(std::max(ms(answer.refusal.error.retry_after_ms), kReadRetry));
    return;
  }
  const auto wanted = reads_.find(conversation);
  if (wanted != reads_.end() && (refused || wanted->second <= seq)) reads_.erase(wanted);
  std::optional<Error> error;
  if (refused) error = answer.refusal.error;
  listener_.on_read_done(conversation, seq, error);
  send_reads();
}

void Client::on_change_answer(const ClientMsgId& id, const Answer& answer) {
  const MonotonicTime now = loop_.now();
  if (answer.kind == Answer::Kind::kLost) return;
  if (answer.kind == Answer::Kind::kBody) {
    const auto ack = wire::parse_ack(answer.body);
    if (!ack || ack->client_msg_id != id) return;
    changes_.on_ack(to_acknowledged(*ack), now);
  } else {
    const wire::Refusal& refusal = answer.refusal;
    if (refusal.client_msg_id && *refusal.client_msg_id != id) return;
    const bool retryable = refusal.retryable || is_about_connection(refusal.error.code);
    changes_.on_refused(id, refusal.error, retryable, now);
  }
  pump();
}

void Client::on_reply(const Waiting& waiting, const Answer& answer) {
  switch (answer.kind) {
    case Answer::Kind::kLost:  // the next connection asks again
      return waiting_.push_back(waiting);
    case Answer::Kind::kRefused:
      return waiting.on_reply(tl::unexpected(answer.refusal.error));
    case Answer::Kind::kBody:
      return waiting.on_reply(answer.body);
  }
}

// ---- events -------------------------------------------------------------------------------

void Client::on_link_event(wire::Command command, BytesView body) {
  const MonotonicTime now = loop_.now();
  if (command == wire::Command::MessageEvent) {
    if (!options_.receives) return;
    if (const auto message = wire::parse_message(body)) sync_.on_event(to_message(*message), now);
  } else if (command == wire::Command::StoredEvent) {
    if (const auto event = wire::parse_stored_event(body)) {
      queue_.on_stored(event->client_msg_id, event->seq, now);
    }
  } else if (command == wire::Command::ReadEvent) {
    if (const auto event = wire::parse_read_event(body)) listener_.on_read(*event);
  } else if (command == wire::Command::TypingEvent) {
    if (const auto event = wire::parse_typing_event(body)) listener_.on_typing(*event);
  } else if (command == wire::Command::ResyncEvent) {
    if (const auto event = wire::parse_resync_event(body)) {
      sync_.on_resync(ms(event->within_ms), now);
    }
  } else if (command == wire::Command::KickedEvent) {
    if (const auto event = wire::parse_kicked_event(body)) on_kicked(*event);
  } else if (command == wire::Command::ReconnectEvent) {
    if (const auto event = wire::parse_reconnect_event(body)) on_reconnect_event(*event);
  }
  pump();
}

}  // namespace martlet::client
