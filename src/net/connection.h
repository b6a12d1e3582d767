#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "event/loop.h"
#include "net/fd.h"
#include "net/tls_stream.h"

namespace martlet::net {

// Bytes that several connections send: never changed after they were made.
using SharedBytes = std::shared_ptr<const Bytes>;

enum class SendResult {
  kOk,
  kBackpressure,  // taken, but the queue is above the high mark: slow down until on_drained
  kDropped,       // not taken: the queue is at its hard limit, or the connection is closing
};

enum class CloseCause {
  kPeerClosed,      // the peer ended its side
  kPeerFailed,      // reset, unreachable …
  kOurs,            // close_now or close_after_flush
  kFlushTimeout,    // close_after_flush, but the peer did not take the rest in time
  kHandshakeFailed  // TLS: the peer is not who it should be, or speaks something else
};

// What a connection tells its owner, on the loop.
class ConnectionListener {
 public:
  virtual ~ConnectionListener() = default;
  virtual void on_bytes(BytesView bytes) = 0;
  // The queue went from above the high mark to the low mark or below.
  virtual void on_drained() = 0;
  // TLS: the handshake is done. Not called without TLS.
  virtual void on_secured() {}
  // The last call, exactly once, never from inside a call of the owner. The owner may end the
  // connection in it, by Loop::defer_delete.
  virtual void on_closed(CloseCause cause) = 0;
};

// Sums over connections; for metrics. One thread.
struct ConnectionTotals {
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
  std::uint64_t queued_bytes = 0;
};

struct ConnectionOptions {
  std::size_t high_mark_bytes = 256 * 1024;
  std::size_t low_mark_bytes = 64 * 1024;
  std::size_t hard_limit_bytes = 4 * 1024 * 1024;
  std::size_t max_read_per_turn_bytes = 64 * 1024;  // of one read
  std::size_t max_reads_per_turn = 1;               // while each is full
  ConnectionTotals* totals = nullptr;               // must outlive the connection
};

// One connected stream socket: bytes in, bytes out, a bounded queue between. Knows no messages.
// Loop thread; loop and listener must outlive it. What is sent in one turn of the loop leaves in
// one system call at its end. With TLS a call for each record; what is sent before the handshake is
// done waits in the queue, and marks, limits and progress are those of the bytes inside.
class Connection {
 public:
  // The socket must be non-blocking. Reading starts at once. tls: attached to this socket or to
  // none, before, behind or in the middle of its handshake.
  Connection(event::Loop& loop, UniqueFd fd, const ConnectionOptions& options,
             ConnectionListener& listener, std::unique_ptr<TlsStream> tls = nullptr);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  SendResult send(BytesView bytes);
  SendResult send(const SharedBytes& bytes);

  // Writes what the socket takes now rather than at the end of the turn.
  void flush();

  void pause_reading();
  void resume_reading();
  // Of one turn, from the next one on; instead of what the options say.
  void read_at_most(std::size_t bytes_per_turn) {
    options_.max_read_per_turn_bytes = bytes_per_turn;
  }

  // Takes the last words whatever the queue holds, ends our side when all is written, and waits for
  // the peer to end its own (input is thrown away: closing with unread input would reset the
  // connection and could destroy the last words on their way). At the deadline it ends anyway;
  // before the end of a handshake at once, without last words.
  void close_after_flush(BytesView last_words, Duration deadline);
  void close_now();

  bool is_secured() const { return !tls_ || tls_->is_secured(); }
  // None without TLS.
  const TlsStream* tls() const { return tls_.get(); }
  bool is_closing() const { return state_ != State::kOpen; }
  std::size_t queued_bytes() const { return queued_; }
  bool is_above_high_mark() const { return above_high_mark_; }
  // When the peer took bytes last; the construction before that.
  MonotonicTime last_progress() const { return last_progress_; }

 private:
  enum class State { kOpen, kFlushing, kLingering, kClosed };
  struct Piece {
    Bytes own;
    SharedBytes shared;  // null: own
    BytesView view() const { return shared ? BytesView(*shared) : BytesView(own); }
  };

  void on_ready(bool readable, bool writable);
  void read_some();
  bool read_once();
  void on_end_of_input();
  // With TLS, in connection_tls.cc.
  void on_tls_ready(bool readable, bool writable);
  void shake_hands();
  bool take_handshake_turn();
  void become_secured();
  void read_records(std::span<char> buffer);
  bool read_records_once(std::span<char> buffer);
  void read_on_later();
  void write_records();
  BytesView next_record();
  bool say_goodbye();
  bool has_output() const { return front_ < queue_.size(); }
  void enqueue(BytesView bytes);
  SendResult after_enqueue(std::size_t size);
  void flush_at_turn_end();
  void write_once();
  void drop_written(std::size_t size);
  void finish_flushing();
  void close_later(CloseCause cause);
  void update_watch();

  event::Loop& loop_;
  UniqueFd fd_;
  std::unique_ptr<TlsStream> tls_;
  ConnectionOptions options_;
  ConnectionListener& listener_;
  State state_ = State::kOpen;
  bool paused_ = false;
  bool above_high_mark_ = false;
  bool flush_scheduled_ = false;
  bool want_write_ = false;
  bool failed_ = false;
  // A vector, since an empty deque takes 0.6 kB of each idle connection.
  std::vector<Piece> queue_;
  std::size_t front_ = 0;         // what is before it was written
  std::size_t front_offset_ = 0;  // of the front piece
  std::size_t queued_ = 0;
  MonotonicTime last_progress_;
  std::unique_ptr<event::Timer> deadline_;
  std::shared_ptr<Connection*> self_;  // null content: gone; for tasks at the end of a turn
  event::SocketWatch watch_;
};

}  // namespace martlet::net
