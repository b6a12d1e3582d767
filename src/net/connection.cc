#include "net/connection.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/assert.h"

namespace martlet::net {
namespace {

constexpr std::size_t kReadBufferBytes = 64 * 1024;
constexpr std::size_t kMaxPiecesPerWrite = 128;
// Small sends of one turn are gathered in pieces of about this size.
constexpr std::size_t kGatherBytes = 16 * 1024;
// Such a piece grows in big steps: each of them copies what it has.
constexpr std::size_t kGatherGrowth = 4;

// One for all connections of a thread: it is empty again when on_bytes returns.
std::array<char, kReadBufferBytes>& read_buffer() {
  thread_local std::array<char, kReadBufferBytes> buffer;
  return buffer;
}

void append(Bytes& piece, BytesView bytes) {
  const std::size_t size = piece.size() + bytes.size();
  if (size > piece.capacity()) piece.reserve(std::min(kGatherGrowth * size, kGatherBytes));
  piece.append(bytes);
}

bool would_block(int error) {
  return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}

}  // namespace

Connection::Connection(event::Loop& loop, UniqueFd fd, const ConnectionOptions& options,
                       ConnectionListener& listener, std::unique_ptr<TlsStream> tls)
    : loop_(loop),
      fd_(std::move(fd)),
      tls_(std::move(tls)),
      options_(options),
      listener_(listener),
      last_progress_(loop.now()),
      self_(std::make_shared<Connection*>(this)),
      watch_(loop, fd_.get(),
             [this](bool readable, bool writable) { on_ready(readable, writable); }) {
  MARTLET_ASSERT(fd_.is_open());
  MARTLET_ASSERT(options_.low_mark_bytes <= options_.high_mark_bytes);
  MARTLET_ASSERT(options_.high_mark_bytes <= options_.hard_limit_bytes);
  if (tls_) tls_->attach(fd_.get());
  // A client does, as soon as the socket takes something.
  const bool speaks_first = !is_secured() && !tls_->is_server();
  watch_.want(!speaks_first, speaks_first);
  if (tls_ && is_secured()) {
    tls_->waits.holds_input = true;  // maybe: no watch would tell
    read_on_later();
  }
}

Connection::~Connection() {
  *self_ = nullptr;
  if (options_.totals != nullptr) options_.totals->queued_bytes -= queued_;
}

SendResult Connection::send(BytesView bytes) {
  if (state_ != State::kOpen) return SendResult::kDropped;
  if (queued_ + bytes.size() > options_.hard_limit_bytes) return SendResult::kDropped;
  enqueue(bytes);
  return after_enqueue(bytes.size());
}

SendResult Connection::send(const SharedBytes& bytes) {
  if (bytes->size() < kGatherBytes / 8) return send(BytesView(*bytes));
  if (state_ != State::kOpen) return SendResult::kDropped;
  if (queued_ + bytes->size() > options_.hard_limit_bytes) return SendResult::kDropped;
  queue_.push_back({{}, bytes});
  return after_enqueue(bytes->size());
}

void Connection::enqueue(BytesView bytes) {
  const bool fits = has_output() && !queue_.back().shared &&
                    queue_.back().own.size() + bytes.size() <= kGatherBytes;
  if (fits) {
    append(queue_.back().own, bytes);
  } else {
    queue_.push_back({Bytes(bytes), nullptr});
  }
}

SendResult Connection::after_enqueue(std::size_t size) {
  queued_ += size;
  if (options_.totals != nullptr) options_.totals->queued_bytes += size;
  // A turn that sends much does not wait for its end: above the mark is what the socket does not
  // take, not what nobody has offered to it yet.
  if (queued_ > options_.high_mark_bytes && !want_write_ && state_ == State::kOpen) {
    write_once();
    if (failed_) {
      close_later(CloseCause::kPeerFailed);
      return SendResult::kDropped;
    }
  }
  if (queued_ > options_.high_mark_bytes) above_high_mark_ = true;
  flush_at_turn_end();
  return above_high_mark_ ? SendResult::kBackpressure : SendResult::kOk;
}

void Connection::flush_at_turn_end() {
  if (flush_scheduled_ || want_write_) return;
  flush_scheduled_ = true;
  loop_.at_turn_end([self = self_] {
    if (*self == nullptr) return;
    (*self)->flush_scheduled_ = false;
    (*self)->flush();
  });
}

void Connection::pause_reading() {
  paused_ = true;
  update_watch();
}

void Connection::resume_reading() {
  paused_ = false;
  update_watch();
  if (tls_) read_on_later();
}

void Connection::close_after_flush(BytesView last_words, Duration deadline) {
  if (state_ != State::kOpen) return;
  if (!is_secured()) return close_now();
  if (!last_words.empty()) {
    enqueue(last_words);
    after_enqueue(last_words.size());
    if (state_ != State::kOpen) return;  // the peer is gone
  }
  state_ = State::kFlushing;
  deadline_ = std::make_unique<event::Timer>(
      loop_, [this] { close_later(has_output() ? CloseCause::kFlushTimeout : CloseCause::kOurs); });
  deadline_->start_once(deadline);
  update_watch();
  flush_at_turn_end();
}

void Connection::close_now() {
  close_later(CloseCause::kOurs);
}

void Connection::on_ready(bool readable, bool writable) {
  if (tls_) return on_tls_ready(readable, writable);
  if (writable && has_output()) flush();
  if (readable && state_ != State::kClosed) read_some();
}

void Connection::read_some() {
  if (tls_ && state_ == State::kOpen) return read_records(read_buffer());
  for (std::size_t reads = 0; reads < options_.max_reads_per_turn; ++reads)
    if (!read_once() || state_ == State::kClosed || paused_) return;
}

// True if there may be more.
bool Connection::read_once() {
  auto& buffer = read_buffer();
  const std::size_t limit = std::min(buffer.size(), options_.max_read_per_turn_bytes);
  const ssize_t got = ::recv(fd_.get(), buffer.data(), limit, 0);
  if (got < 0) {
    if (!would_block(errno)) close_later(CloseCause::kPeerFailed);
    return false;
  }
  if (got == 0) {
    on_end_of_input();
    return false;
  }
  if (options_.totals != nullptr) options_.totals->bytes_in += static_cast<std::uint64_t>(got);
  const bool is_full = static_cast<std::size_t>(got) == limit;
  if (state_ == State::kOpen)
    listener_.on_bytes(BytesView(buffer.data(), static_cast<std::size_t>(got)));
  return is_full;
}

void Connection::on_end_of_input() {
  const bool ours = state_ != State::kOpen;
  flush();  // what was sent before the peer's end may still be read by it
  close_later(ours ? CloseCause::kOurs : CloseCause::kPeerClosed);
}

void Connection::flush() {
  if (state_ == State::kClosed || state_ == State::kLingering || !is_secured()) return;
  if (has_output()) write_once();
  if (failed_) return close_later(CloseCause::kPeerFailed);
  want_write_ = has_output();
  update_watch();
  if (above_high_mark_ && queued_ <= options_.low_mark_bytes) {
    above_high_mark_ = false;
    if (state_ == State::kOpen) listener_.on_drained();
  }
  if (!has_output() && state_ == State::kFlushing) finish_flushing();
}

// What does not fit waits until the loop says that there is room.
void Connection::write_once() {
  if (tls_) return write_records();
  std::array<iovec, kMaxPiecesPerWrite> pieces{};
  std::size_t count = 0;
  for (std::size_t i = front_; i < queue_.size() && count < pieces.size(); ++i) {
    BytesView view = queue_[i].view();
    if (count == 0) view.remove_prefix(front_offset_);
    pieces[count++] = {const_cast<char*>(view.data()), view.size()};
  }
  msghdr message{};
  message.msg_iov = pieces.data();
  message.msg_iovlen = count;
  const ssize_t sent = ::sendmsg(fd_.get(), &message, MSG_NOSIGNAL);
  if (sent < 0) {
    failed_ = !would_block(errno);
    return;
  }
  drop_written(static_cast<std::size_t>(sent));
}

void Connection::drop_written(std::size_t size) {
  if (size > 0) last_progress_ = loop_.now();
  queued_ -= size;
  if (options_.totals != nullptr) {
    options_.totals->queued_bytes -= size;
    options_.totals->bytes_out += size;
  }
  while (size > 0) {
    const std::size_t left = queue_[front_].view().size() - front_offset_;
    if (size < left) {
      front_offset_ += size;
      break;
    }
    size -= left;
    front_offset_ = 0;
    queue_[front_++] = {};
  }
  if (!has_output()) {
    std::vector<Piece>().swap(queue_);  // an idle connection keeps nothing
    front_ = 0;
  } else if (front_ > queue_.size() / 2) {
    queue_.erase(queue_.begin(), queue_.begin() + static_cast<std::ptrdiff_t>(front_));
    front_ = 0;
  }
}

void Connection::finish_flushing() {
  if (tls_ && !say_goodbye()) return;
  state_ = State::kLingering;
  ::shutdown(fd_.get(), SHUT_WR);
  update_watch();
}

// The owner is told at the end of the turn: never from inside one of its own calls.
void Connection::close_later(CloseCause cause) {
  if (state_ == State::kClosed) return;
  state_ = State::kClosed;
  if (deadline_) deadline_->cancel();
  watch_.want(false, false);
  loop_.at_turn_end([self = self_, cause] {
    if (*self == nullptr) return;
    Connection& connection = **self;
    connection.fd_.reset();
    connection.listener_.on_closed(cause);
  });
}

// While closing, input is read and thrown away.
void Connection::update_watch() {
  if (state_ == State::kClosed || !is_secured()) return;
  const bool read = state_ != State::kOpen || !paused_;
  if (!tls_) return watch_.want(read, want_write_);
  const TlsStream::Waits& waits = tls_->waits;
  watch_.want((read && !waits.read_for_write) || waits.write_for_read,
              (want_write_ && !waits.write_for_read) || waits.read_for_write);
}

}  // namespace martlet::net
