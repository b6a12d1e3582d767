// What a connection does otherwise with TLS: reading may have to wait for the socket to take
// something and the other way round, and input may lie inside of OpenSSL, where no watch of the
// socket tells of it.
#include <algorithm>
#include <array>
#include <utility>

#include "net/connection.h"

namespace martlet::net {
namespace {

// Written before the others have their turn.
constexpr std::size_t kMaxRecordsPerWrite = 16;

// One for all connections of a thread: only used until the record is made of it.
std::array<char, kMaxTlsRecordBytes>& record_buffer() {
  thread_local std::array<char, kMaxTlsRecordBytes> buffer;
  return buffer;
}

}  // namespace

// ---- handshake -------------------------------------------------------------------------------

void Connection::on_tls_ready(bool readable, bool writable) {
  if (!is_secured()) return shake_hands();
  TlsStream::Waits& waits = tls_->waits;
  const bool may_write = writable || (readable && waits.write_for_read);
  const bool may_read = readable || (writable && waits.read_for_write);
  if (readable) waits.write_for_read = false;
  if (writable) waits.read_for_write = false;
  if (may_write && (has_output() || state_ == State::kFlushing)) flush();
  const bool wants_input = state_ != State::kOpen || !paused_;
  if (may_read && wants_input && state_ != State::kClosed && !waits.continues) read_some();
  update_watch();
}

void Connection::shake_hands() {
  if (state_ != State::kOpen || !take_handshake_turn()) return;
  switch (tls_->shake_hands()) {
    case TlsOutcome::kDone:
      return become_secured();
    case TlsOutcome::kWantRead:
      return watch_.want(true, false);
    case TlsOutcome::kWantWrite:
      return watch_.want(false, true);
    case TlsOutcome::kClosed:
      return close_later(CloseCause::kPeerClosed);
    case TlsOutcome::kFailed:
      return close_later(CloseCause::kHandshakeFailed);
  }
}

// False: others are before it; it is called again.
bool Connection::take_handshake_turn() {
  TlsStream::Waits& waits = tls_->waits;
  if (tls_->turns() == nullptr || std::exchange(waits.has_turn, false)) return true;
  if (waits.for_turn) return false;
  if (tls_->turns()->take()) return true;
  waits.for_turn = true;
  watch_.want(false, false);
  tls_->turns()->wait([self = self_] {
    if (*self == nullptr) return;
    Connection& connection = **self;
    connection.tls_->waits.for_turn = false;
    connection.tls_->waits.has_turn = true;
    connection.shake_hands();
  });
  return false;
}

// The peer's first bytes may have come with the last ones of its handshake.
void Connection::become_secured() {
  last_progress_ = loop_.now();
  tls_->waits.holds_input = true;
  listener_.on_secured();
  if (state_ != State::kOpen) return;
  update_watch();
  if (has_output()) flush_at_turn_end();
  read_on_later();
}

// ---- input -----------------------------------------------------------------------------------

void Connection::read_records(std::span<char> buffer) {
  for (std::size_t reads = 0; reads < options_.max_reads_per_turn; ++reads)
    if (!read_records_once(buffer) || state_ != State::kOpen || paused_) break;
  read_on_later();
}

// True if there may be more.
bool Connection::read_records_once(std::span<char> buffer) {
  const std::size_t limit = std::min(buffer.size(), options_.max_read_per_turn_bytes);
  const TlsMoved moved = tls_->read(buffer.data(), limit);
  tls_->waits.holds_input = moved.outcome == TlsOutcome::kDone;
  if (options_.totals != nullptr) options_.totals->bytes_in += moved.bytes;
  if (moved.bytes > 0) listener_.on_bytes(BytesView(buffer.data(), moved.bytes));
  if (state_ == State::kClosed) return false;
  switch (moved.outcome) {
    case TlsOutcome::kDone:
      return true;
    case TlsOutcome::kWantRead:
      return false;
    case TlsOutcome::kWantWrite:
      tls_->waits.read_for_write = true;
      update_watch();
      return false;
    case TlsOutcome::kClosed:
      on_end_of_input();
      return false;
    case TlsOutcome::kFailed:
      close_later(CloseCause::kPeerFailed);
      return false;
  }
  return false;
}

// What is inside of the stream is taken in the next turn, as if the socket had it.
void Connection::read_on_later() {
  TlsStream::Waits& waits = tls_->waits;
  if (!waits.holds_input || waits.continues || paused_ || state_ != State::kOpen) return;
  waits.continues = true;
  loop_.post([self = self_] {
    if (*self == nullptr) return;
    Connection& connection = **self;
    connection.tls_->waits.continues = false;
    if (connection.state_ == State::kOpen && !connection.paused_) connection.read_some();
  });
}

// ---- output ----------------------------------------------------------------------------------

// A record that the socket did not take is in the stream already: the same bytes stay at the head
// of the queue until it has.
void Connection::write_records() {
  if (!is_secured()) return;
  for (std::size_t records = 0; records < kMaxRecordsPerWrite && has_output(); ++records) {
    const TlsMoved moved = tls_->write(next_record());
    if (moved.outcome == TlsOutcome::kDone) {
      drop_written(moved.bytes);
      continue;
    }
    tls_->waits.write_for_read = moved.outcome == TlsOutcome::kWantRead;
    failed_ = moved.outcome == TlsOutcome::kFailed || moved.outcome == TlsOutcome::kClosed;
    return;
  }
}

// The first bytes of the queue, from as many pieces as go into one record.
BytesView Connection::next_record() {
  BytesView first = queue_[front_].view().substr(front_offset_);
  if (first.size() >= kMaxTlsRecordBytes || front_ + 1 == queue_.size()) {
    return first.substr(0, kMaxTlsRecordBytes);
  }
  auto& buffer = record_buffer();
  std::size_t size = 0;
  for (std::size_t i = front_; i < queue_.size() && size < buffer.size(); ++i) {
    const BytesView piece = i == front_ ? first : queue_[i].view();
    size += piece.copy(buffer.data() + size, buffer.size() - size);
  }
  return {buffer.data(), size};
}

// False: not yet, the socket does not take it.
bool Connection::say_goodbye() {
  switch (tls_->say_goodbye()) {
    case TlsOutcome::kWantWrite:
      want_write_ = true;
      update_watch();
      return false;
    case TlsOutcome::kFailed:
      close_later(CloseCause::kPeerFailed);
      return false;
    default:
      return true;
  }
}

}  // namespace martlet::net
