#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "edge/frame_meter.h"
#include "edge/limits.h"
#include "edge/metrics.h"
#include "edge/outgoing.h"
#include "edge/session.h"
#include "edge/timer_wheel.h"
#include "event/loop.h"
#include "event/turns.h"
#include "net/connection.h"
#include "net/tls.h"
#include "wire/bodies.h"
#include "wire/frame.h"

namespace martlet::edge {

class ClientLink;

// An admitted request with its FlatBuffers body, of the right size for its command but not parsed.
struct Request {
  ClientLink& link;
  wire::Command command = wire::Command::None;
  std::uint32_t id = 0;  // 0: wants no answer (PING only)
  BytesView body;
};

enum class Taken {
  kYes,
  kNoCredit,  // the same request comes again after ClientLink::wake
};

// Who owns the links.
class LinkHost {
 public:
  virtual ~LinkHost() = default;
  // An error is answered by the link.
  virtual Result<Taken> on_request(const Request& request) = 0;
  // The largest body of a command.
  virtual std::size_t max_body_bytes(wire::Command command) const = 0;
  // The session is over: no request is taken any more, no answer or event is sent. Once.
  virtual void on_ended(ClientLink& link, CloseReason reason) = 0;
  // The connection is closed as well: the link is to be deleted, by Loop::defer_delete. Once.
  virtual void on_gone(ClientLink& link) = 0;
};

// What links share; all of it outlives them.
struct LinkEnvironment {
  event::Loop& loop;
  const Clock& clock;
  TimerWheel& wheel;
  TimerWheel& throttle_wheel;  // its ticks are shorter
  EdgeMetrics& metrics;
  const SessionLimits& limits;
  const FrameRates& rates;
  UserMeter& users;
  event::Turns& token_turns;
  net::ConnectionOptions connection;
  Duration stop_linger{};  // for last words when the edge stops
  LinkHost& host;
  net::TlsServer* tls = nullptr;  // null: clients speak in the clear
};

// One client: its connection, decoder and session. Takes frames one after the other; a frame that
// can't be taken yet stops the reading of the socket until wake(). What is written to it never ends
// it at once: who has no room for it is ended with the turn. Loop thread.
class ClientLink final : private net::ConnectionListener {
 public:
  ClientLink(std::uint64_t number, net::UniqueFd fd, LinkEnvironment& environment);
  ~ClientLink() override;

  std::uint64_t number() const { return number_; }
  Session& session() { return session_; }
  bool has_ended() const { return ended_; }
  // Why its handshake failed; empty: it did not.
  std::string tls_trouble() const;
  // A stranger who waits for nothing.
  bool is_idle_stranger() const {
    return !ended_ && !token_waits_ && !token_granted_ && session_.phase() == Phase::kConnecting &&
           session_.unanswered_count() == 0;
  }

  // Bytes that the kernel has not taken.
  bool has_unwritten() const { return connection_.queued_bytes() > 0; }

  // Asked something that has no answer yet, or that was not taken yet.
  bool is_waiting() const { return !ended_ && (waiting_ || session_.unanswered_count() > 0); }

  // The request has its answer or refusal now: makes room for the next. False: no such request.
  bool finish(std::uint32_t request_id);

  void answer(std::uint32_t request_id, wire::Command command, BytesView body);
  void refuse(std::uint32_t request_id, const Error& error,
              const std::optional<ClientMsgId>& client_msg_id = {});
  // A live event: left out if the output is full, RESYNC follows then.
  void deliver(OutgoingEvent& event);
  // What the server says besides: RESYNC, RECONNECT, STORED.
  void notify(wire::Command command, BytesView body);
  // Left out if the client will sync anyway. No conversation: all.
  void hint_resync(std::uint32_t within_ms, const ConversationId& conversation = {});
  // Besides, events of the conversation come live from now on.
  void hint_added(std::uint32_t within_ms, const ConversationId& conversation);
  // The last page of a SYNC was written: what it was hinted meanwhile it is told now.
  void synced();

  void end(CloseReason reason);
  // With an error that is about the connection; a peer that does not read it is not waited for.
  void turn_away(const Error& error, CloseReason reason);
  void kick(CloseReason reason, wire::KickReason kick, bool may_reconnect);

  // The request that was taken costs as much as so many frames more.
  void charge(double frames);

  // Tries the frame that waits again, at the end of the turn.
  void wake();
  // After the session changed: its deadline may be another.
  void reschedule();

 private:
  void on_bytes(BytesView bytes) override;
  void on_drained() override;
  void on_secured() override;
  void on_closed(net::CloseCause cause) override;

  void work(BytesView& input);
  bool pay(const wire::Frame& frame);
  void resumed();
  bool try_take(const wire::Frame& frame);
  bool may_check_token();
  Result<BytesView> open(const wire::Frame& frame, Bytes& storage) const;
  void fail_and_close(std::uint32_t request_id, const Error& error, CloseReason reason);
  void finish_work(BytesView rest);
  void on_timer();
  void overdue(CloseReason reason);
  void end_with(CloseReason reason, BytesView last_words);
  Duration linger(CloseReason reason) const;
  Bytes refusal_frame(std::uint32_t request_id, const Error& error,
                      const std::optional<ClientMsgId>& client_msg_id) const;
  void transmit(BytesView bytes) { after_send(connection_.send(bytes)); }
  bool may_hint();
  void write_hint(std::uint32_t within_ms, const ConversationId& conversation);
  void after_send(net::SendResult result);
  void end_with_turn();

  const std::uint64_t number_;
  LinkEnvironment& environment_;
  Session session_;
  wire::FrameDecoder decoder_;
  std::optional<wire::Frame> waiting_;  // complete, and not taken yet
  Bytes backlog_;                       // what was read behind it
  FrameMeter meter_;
  bool paid_ = false;  // waiting_ is
  std::optional<ThrottledBy> throttled_by_;
  MonotonicTime throttled_since_;
  struct Answering {
    std::uint32_t id = 0;
    wire::Command command{};
  };
  Answering answering_;  // the request that was looked at last, or is being answered
  bool wake_scheduled_ = false;
  bool token_checked_ = false;  // one, ever: the next waits for its turn
  bool token_waits_ = false;
  bool token_granted_ = false;
  bool ends_with_turn_ = false;
  bool ended_ = false;
  TimerWheel::Entry timer_;
  TimerWheel::Entry throttle_;
  std::shared_ptr<ClientLink*> self_;
  net::Connection connection_;
};

}  // namespace martlet::edge
