#include "edge/client_link.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "wire/json_codec.h"

namespace martlet::edge {

ClientLink::ClientLink(std::uint64_t number, net::UniqueFd fd, LinkEnvironment& environment)
    : number_(number),
      environment_(environment),
      session_(environment.limits, environment.clock.now()),
      decoder_(kMaxBodyBeforeAuth),
      meter_(environment.rates, environment.clock.now()),
      timer_([this] { on_timer(); }),
      throttle_([this] { wake(); }),
      self_(std::make_shared<ClientLink*>(this)),
      connection_(environment.loop, std::move(fd), environment.connection, *this,
                  environment.tls != nullptr ? environment.tls->accept() : nullptr) {
  environment_.metrics.opened();
  connection_.read_at_most(kMaxReadBeforeAuth);
  reschedule();
}

ClientLink::~ClientLink() {
  *self_ = nullptr;
}

// ---- input -----------------------------------------------------------------------------------

void ClientLink::on_bytes(BytesView bytes) {
  work(bytes);
  finish_work(bytes);
}

void ClientLink::on_secured() {
  environment_.metrics.shook_hands(connection_.tls()->is_resumed());
}

std::string ClientLink::tls_trouble() const {
  if (connection_.is_secured()) return "";
  const std::string& why = connection_.tls()->why();
  return why.empty() ? "not done in time" : why;
}

void ClientLink::wake() {
  if (wake_scheduled_ || ended_) return;
  wake_scheduled_ = true;
  environment_.loop.at_turn_end([self = self_] {
    ClientLink* link = *self;
    if (link == nullptr) return;
    link->wake_scheduled_ = false;
    if (link->ended_ || !link->waiting_) return;
    const Bytes input = std::exchange(link->backlog_, {});
    BytesView rest = input;
    link->work(rest);
    link->finish_work(rest);
  });
}

// A frame stays in waiting_ until it is taken; the decoder is not touched meanwhile, so the frame's
// body stays where it is.
void ClientLink::work(BytesView& input) {
  while (!ended_ && !ends_with_turn_) {
    if (waiting_) {
      if (!pay(*waiting_) || !try_take(*waiting_)) return;
      waiting_.reset();
      paid_ = false;
      continue;
    }
    decoder_.limit(session_.is_stranger() ? kMaxBodyBeforeAuth : kMaxBodyBytes);
    auto next = decoder_.next(input);
    if (!next) {
      const wire::FrameHeader& header = decoder_.header();
      session_.heard(header.codec, environment_.clock.now());
      return fail_and_close(header.request_id, next.error(), CloseReason::kBadFrame);
    }
    if (!*next) return;
    session_.heard((*next)->header.codec, environment_.clock.now());
    waiting_ = **next;
  }
}

void ClientLink::finish_work(BytesView rest) {
  if (ended_) return;
  backlog_.assign(rest);
  if (waiting_) {
    connection_.pause_reading();
  } else {
    connection_.resume_reading();
  }
  connection_.read_at_most(session_.is_stranger() ? kMaxReadBeforeAuth : kMaxReadPerTurnBytes);
  session_.reading(!waiting_, environment_.clock.now());
  reschedule();
}

void ClientLink::charge(double frames) {
  meter_.charge(session_.user(), frames, environment_.users, environment_.clock.now());
}

// Once for each frame. False: those before it came too fast, and it waits for its time.
bool ClientLink::pay(const wire::Frame& frame) {
  if (paid_) return true;
  const MonotonicTime now = environment_.clock.now();
  const auto [wait, by] = meter_.take(session_.user(), frame.body.size(), environment_.users, now);
  paid_ = wait == Duration(0);
  if (paid_) {
    resumed();
    return true;
  }
  environment_.throttle_wheel.schedule(throttle_, now + wait);
  if (!throttled_by_) {
    environment_.metrics.throttled();
    throttled_since_ = now;
    throttled_by_ = by;
  }
  return false;
}

void ClientLink::resumed() {
  TimerWheel::cancel(throttle_);
  if (!throttled_by_) return;
  environment_.metrics.resumed(*throttled_by_, environment_.clock.now() - throttled_since_);
  throttled_by_.reset();
}

// False: not now.
bool ClientLink::try_take(const wire::Frame& frame) {
  const auto command = static_cast<wire::Command>(frame.header.command);
  const std::uint32_t id = frame.header.request_id;
  if (session_.must_wait(command)) return false;
  answering_ = {id, command};
  if (const auto admitted = session_.admit(wire::find_command(command), id); !admitted) {
    refuse(id, admitted.error());
    return true;
  }
  if (command == wire::Command::Auth && !may_check_token()) return false;
  Bytes storage;
  const auto body = open(frame, storage);
  if (!body) {
    refuse(id, body.error());
    return true;
  }
  const auto taken = environment_.host.on_request({*this, command, id, *body});
  if (taken && *taken == Taken::kNoCredit) return false;
  environment_.metrics.frame(command);
  if (!taken) refuse(id, taken.error());
  return true;
}

// One a turn at most, and only a few of all clients: neither one that sends one token after the
// other nor a crowd that comes back at once must keep the rest waiting.
bool ClientLink::may_check_token() {
  if (std::exchange(token_granted_, false)) return true;
  if (token_waits_) return false;
  if (!token_checked_ && environment_.token_turns.take()) {
    token_checked_ = true;
    return true;
  }
  token_waits_ = true;
  environment_.token_turns.wait([self = self_] {
    ClientLink* link = *self;
    if (link == nullptr) return;
    link->token_waits_ = false;
    link->token_granted_ = true;
    link->token_checked_ = true;
    link->wake();
  });
  return false;
}

// The FlatBuffers body, whatever codec and compression it came in.
Result<BytesView> ClientLink::open(const wire::Frame& frame, Bytes& storage) const {
  const auto command = static_cast<wire::Command>(frame.header.command);
  const std::size_t limit = environment_.host.max_body_bytes(command);
  auto body = wire::open_body(frame, kMaxBodyBytes, storage);
  if (!body) return body;
  if (frame.header.codec == wire::Codec::kJson) {
    auto transcoded = wire::json_to_body(command, *body, limit);
    if (!transcoded) return tl::unexpected(transcoded.error());
    storage = std::move(*transcoded);
    body = BytesView(storage);
  }
  if (body->size() > limit) {
    return fail(ErrorCode::kBodyTooLarge, "this command takes " + std::to_string(limit) + " bytes");
  }
  return body;
}

// ---- output ----------------------------------------------------------------------------------

bool ClientLink::finish(std::uint32_t request_id) {
  const MonotonicTime now = environment_.clock.now();
  const auto request = session_.finish(request_id, now);
  if (!request) return false;
  answering_ = {request_id, request->command};
  environment_.metrics.answered(request->command, now - request->since);
  reschedule();
  wake();
  return true;
}

void ClientLink::answer(std::uint32_t request_id, wire::Command command, BytesView body) {
  if (ended_) return;
  const auto frame = make_frame(session_.codec(), command, request_id, body);
  if (!frame) return refuse(request_id, frame.error());
  transmit(*frame);
}

void ClientLink::refuse(std::uint32_t request_id, const Error& error,
                        const std::optional<ClientMsgId>& client_msg_id) {
  if (ended_) return;
  if (wire::is_fatal(error.code)) return fail_and_close(request_id, error, CloseReason::kBadFrame);
  environment_.metrics.error(error.code);
  if (request_id == answering_.id) environment_.metrics.failed(answering_.command);
  transmit(refusal_frame(request_id, error, client_msg_id));
}

Bytes ClientLink::refusal_frame(std::uint32_t request_id, const Error& error,
                                const std::optional<ClientMsgId>& client_msg_id) const {
  const Bytes body = wire::encode(wire::Refusal{.error = error, .client_msg_id = client_msg_id});
  return make_frame(session_.codec(), wire::Command::Error, request_id, body).value_or(Bytes());
}

void ClientLink::deliver(OutgoingEvent& event) {
  if (ended_) return;
  if (connection_.is_above_high_mark()) session_.mark_lossy();
  if (session_.is_lossy()) return environment_.metrics.dropped(DropReason::kLossySession);
  const net::SharedBytes& bytes = event.in(session_.codec());
  if (bytes == nullptr) return;
  environment_.metrics.event_delivered(1);
  event.handed_to(number_);
  after_send(connection_.send(bytes));
}

void ClientLink::notify(wire::Command command, BytesView body) {
  if (ended_) return;
  const auto frame = make_frame(session_.codec(), command, 0, body);
  if (frame) transmit(*frame);
}

void ClientLink::hint_resync(std::uint32_t within_ms, const ConversationId& conversation) {
  const MonotonicTime now = environment_.clock.now();
  const MonotonicTime by = now + std::chrono::milliseconds(within_ms);
  if (!may_hint() || !session_.hints().want(by, session_.is_syncing(), now)) return;
  write_hint(within_ms, conversation);
}

void ClientLink::hint_added(std::uint32_t within_ms, const ConversationId& conversation) {
  const MonotonicTime now = environment_.clock.now();
  if (!may_hint()) return;
  session_.hints().written(now + std::chrono::milliseconds(within_ms), session_.is_syncing(), now);
  write_hint(within_ms, conversation);
}

// Hints don't fill the output of one who does not read: when it has read it gets one for all.
bool ClientLink::may_hint() {
  if (connection_.is_above_high_mark()) session_.mark_lossy();
  return !ended_ && !session_.is_lossy();
}

void ClientLink::write_hint(std::uint32_t within_ms, const ConversationId& conversation) {
  environment_.metrics.resync();
  notify(wire::Command::ResyncEvent,
         wire::encode(wire::ResyncEvent{.within_ms = within_ms, .conversation = conversation}));
}

void ClientLink::synced() {
  const auto by = session_.hints().answered();
  const Duration left = by ? *by - environment_.clock.now() : Duration(0);
  if (by) hint_resync(to_ms<std::uint32_t>(std::max(left, Duration(0))));
}

void ClientLink::after_send(net::SendResult result) {
  if (ended_ || connection_.is_closing()) return;
  if (result == net::SendResult::kBackpressure && !session_.is_output_blocked()) {
    session_.output_blocked(environment_.clock.now());
    reschedule();
  }
  if (result == net::SendResult::kDropped) end_with_turn();
}

// Not at once: whoever writes may be in the middle of those who are to get it.
void ClientLink::end_with_turn() {
  if (std::exchange(ends_with_turn_, true)) return;
  environment_.loop.at_turn_end([self = self_] {
    ClientLink* link = *self;
    if (link != nullptr && !link->ended_) link->overdue(CloseReason::kSlowConsumer);
  });
}

void ClientLink::on_drained() {
  if (ended_) return;
  session_.output_drained();
  if (session_.is_lossy()) {
    session_.mark_repaired();
    hint_resync(0);
  }
  reschedule();
  wake();
}

// ---- end -------------------------------------------------------------------------------------

void ClientLink::reschedule() {
  const MonotonicTime deadline = session_.deadline();
  if (ended_ || deadline == MonotonicTime::max()) return TimerWheel::cancel(timer_);
  environment_.wheel.schedule(timer_, deadline);
}

void ClientLink::on_timer() {
  session_.output_progress(connection_.last_progress());
  const auto reason = session_.overdue(environment_.clock.now());
  if (!reason) return reschedule();
  overdue(*reason);
}

void ClientLink::overdue(CloseReason reason) {
  if (!connection_.is_secured()) return end(CloseReason::kTlsHandshake);
  switch (reason) {
    case CloseReason::kSlowConsumer:
      environment_.metrics.slow_consumer();
      return kick(reason, wire::KickReason::SlowConsumer, true);
    case CloseReason::kAuthTimeout:
      return fail_and_close(0, {ErrorCode::kNotAuthenticated, "no AUTH in time"}, reason);
    case CloseReason::kTokenExpired:
      refuse(0, {ErrorCode::kTokenExpired, "the grace period is over"});
      return kick(reason, wire::KickReason::TokenExpired, true);
    default:
      return end(reason);
  }
}

void ClientLink::fail_and_close(std::uint32_t request_id, const Error& error, CloseReason reason) {
  environment_.metrics.error(error.code);
  end_with(reason, refusal_frame(request_id, error, {}));
}

void ClientLink::turn_away(const Error& error, CloseReason reason) {
  fail_and_close(0, error, reason);
}

void ClientLink::kick(CloseReason reason, wire::KickReason kick, bool may_reconnect) {
  const Bytes body = wire::encode(wire::KickedEvent{kick, may_reconnect});
  end_with(reason,
           make_frame(session_.codec(), wire::Command::KickedEvent, 0, body).value_or(Bytes()));
}

void ClientLink::end(CloseReason reason) {
  end_with(reason, {});
}

void ClientLink::end_with(CloseReason reason, BytesView last_words) {
  if (ended_) return;
  ended_ = true;
  TimerWheel::cancel(timer_);
  resumed();
  environment_.metrics.closed(reason);
  environment_.host.on_ended(*this, reason);
  connection_.close_after_flush(last_words, linger(reason));
}

// How long the peer may take for its last words.
Duration ClientLink::linger(CloseReason reason) const {
  if (reason == CloseReason::kStopping) return environment_.stop_linger;
  if (reason == CloseReason::kMadeRoom) return Duration(0);
  return std::chrono::milliseconds(kCloseDeadlineMs);
}

void ClientLink::on_closed(net::CloseCause cause) {
  if (cause == net::CloseCause::kPeerFailed) {
    end(CloseReason::kPeerFailed);
  } else if (cause == net::CloseCause::kHandshakeFailed) {
    end(CloseReason::kTlsHandshake);
  } else {
    end(CloseReason::kPeerClosed);
  }
  environment_.host.on_gone(*this);
}

}  // namespace martlet::edge
