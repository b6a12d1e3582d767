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
constexpr std::size_t kMaxWaitingHistories = 100;
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

}  // namespace

// ---- the application's requests -----------------------------------------------------------

Result<ClientMsgId> Client::send(const UserId& to, BytesView content, Strength want,
                                 std::optional<ClientMsgId> id) {
  if (content.size() > kMaxContentBytes) {
    return fail(ErrorCode::kBodyTooLarge, "the message is too long");
  }
  if (const auto good = wire::parse_content(content); !good) return tl::unexpected(good.error());
  OutgoingMessage message;
  message.to = to;
  message.conversation = ConversationId::between(options_.user, to);
  message.id = id ? *id : make_client_msg_id(clock_, random_);
  message.content = Bytes(content);
  message.want = want;
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

void Client::mark_read(const ConversationId& conversation, Seq seq) {
  Seq& wanted = reads_[conversation];
  wanted = std::max(wanted, seq);
  send_reads();
}

void Client::history(const wire::History& query, OnHistory on_history) {
  if (waiting_.size() >= kMaxWaitingHistories) {
    on_history(fail(ErrorCode::kBusy, "too many questions wait for the connection"));
    return;
  }
  ask_history({query, std::move(on_history)});
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
    if (sync_actions.empty() && send_actions.empty()) break;
    run_sync_actions(std::move(sync_actions));
    run_send_actions(std::move(send_actions));
  }
  pumping_ = false;
  arm_timer();
}

void Client::arm_timer() {
  std::optional<MonotonicTime> next = sync_.next_deadline();
  const std::optional<MonotonicTime> send = queue_.next_deadline();
  if (send && (!next || *send < *next)) next = send;
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
  if (!options_.receives) return;
  Message own;
  own.conversation = acked.ack.conversation;
  own.seq = acked.ack.seq;
  own.id = acked.ack.message_id;
  own.sender = options_.user;
  own.client_msg_id = acked.ack.id;
  own.time_ms = acked.ack.time_ms;
  own.content = acked.message.content;
  own.generation = acked.ack.generation;
  sync_.on_own(std::move(own), loop_.now());
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

void Client::ask_history(Waiting waiting) {
  if (state_ != State::kOnline || !link_ || !link_->is_up()) {
    waiting_.push_back(std::move(waiting));
    return;
  }
  const Bytes body = wire::encode(waiting.query);
  link_->request(wire::Command::History, body,
                 [this, waiting = std::move(waiting)](const Answer& answer) {
                   on_history_answer(waiting, answer);
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

void Client::on_history_answer(const Waiting& waiting, const Answer& answer) {
  // The next connection asks again.
  if (answer.kind == Answer::Kind::kLost) return waiting_.push_back(waiting);
  if (answer.kind == Answer::Kind::kRefused) {
    return waiting.on_history(tl::unexpected(answer.refusal.error));
  }
  const auto page = wire::parse_history_page(answer.body);
  if (!page) return waiting.on_history(tl::unexpected(page.error()));
  FetchAnswer same = to_fetch_answer({page->messages, page->withheld, {}});
  HistoryAnswer out{std::move(same.messages), std::move(same.withheld), page->more, {}};
  if (page->behind) out.again_in = std::chrono::milliseconds(page->again_in_ms);
  waiting.on_history(std::move(out));
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
