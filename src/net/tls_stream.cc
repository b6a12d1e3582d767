#include "net/tls_stream.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/assert.h"

namespace martlet::net {
namespace {

// In one call; what is left is taken in the next turn, so that a peer that sends without an end
// (records without content, renewals of keys) does not keep the loop.
constexpr std::size_t kMaxRawBytesPerCall = 40 * 1024;

constexpr char kHandshakeRecord = 22;
constexpr char kClientHello = 1;

bool would_block(int error) {
  return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}

TlsStream& stream_of(BIO* bio) {
  return *static_cast<TlsStream*>(BIO_get_data(bio));
}

int read_socket(BIO* bio, char* data, int size) {
  BIO_clear_retry_flags(bio);
  const long got = stream_of(bio).receive(data, std::size_t(size));
  if (got < 0 && would_block(errno)) BIO_set_retry_read(bio);
  return int(got);
}

// A socket of OpenSSL's own would write without MSG_NOSIGNAL.
int write_socket(BIO* bio, const char* data, int size) {
  BIO_clear_retry_flags(bio);
  const ssize_t sent = ::send(stream_of(bio).fd(), data, std::size_t(size), MSG_NOSIGNAL);
  if (sent < 0 && would_block(errno)) BIO_set_retry_write(bio);
  return int(sent);
}

long control(BIO* bio, int command, long, void*) {
  if (command == BIO_CTRL_FLUSH) return 1;
  if (command == BIO_CTRL_EOF) return stream_of(bio).has_ended() ? 1 : 0;
  return 0;
}

const BIO_METHOD* socket_method() {
  static BIO_METHOD* const method = [] {
    BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "martlet");
    BIO_meth_set_read(made, read_socket);
    BIO_meth_set_write(made, write_socket);
    BIO_meth_set_ctrl(made, control);
    return made;
  }();
  return method;
}

}  // namespace

void SslDeleter::operator()(ssl_st* ssl) const {
  // Without it OpenSSL takes a session that ends without a goodbye for a broken one, which is not
  // to be resumed.
  SSL_set_shutdown(ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
  SSL_free(ssl);
}

TlsStream::TlsStream(SslPtr ssl, event::Turns* turns, std::string peer_name)
    : ssl_(std::move(ssl)), turns_(turns), peer_name_(std::move(peer_name)) {
  BIO* bio = BIO_new(socket_method());
  MARTLET_ASSERT(bio != nullptr);
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl_.get(), bio, bio);
  SSL_set_app_data(ssl_.get(), this);
}

TlsStream::~TlsStream() = default;

bool TlsStream::is_resumed() const {
  return SSL_session_reused(ssl_.get()) == 1;
}

bool TlsStream::is_server() const {
  return SSL_is_server(ssl_.get()) == 1;
}

long TlsStream::receive(char* data, std::size_t size) {
  if (budget_ == 0) {
    errno = EAGAIN;
    return -1;
  }
  const ssize_t got = ::recv(fd_, data, std::min(size, budget_), 0);
  ended_ = got == 0;
  if (got <= 0) return got;
  budget_ -= std::size_t(got);
  if (secured_ || is_acceptable({data, std::size_t(got)})) return got;
  refused_ = true;
  errno = EPROTO;
  return -1;
}

// Looks at the first bytes that a client sends.
bool TlsStream::is_acceptable(BytesView bytes) {
  if (!is_server() || hello_seen_ == hello_.size()) return true;
  const std::size_t taken = std::min(bytes.size(), hello_.size() - hello_seen_);
  std::copy_n(bytes.begin(), taken, hello_.begin() + std::ptrdiff_t(hello_seen_));
  hello_seen_ += taken;
  if (hello_[0] != kHandshakeRecord) return false;
  if (hello_seen_ < hello_.size()) return true;
  const auto byte = [this](std::size_t i) { return std::size_t(std::uint8_t(hello_[i])); };
  return hello_[5] == kClientHello &&
         (byte(6) << 16 | byte(7) << 8 | byte(8)) <= kMaxClientHelloBytes;
}

TlsOutcome TlsStream::shake_hands() {
  MARTLET_ASSERT(fd_ >= 0);
  ERR_clear_error();
  budget_ = kMaxRawBytesPerCall;
  const TlsOutcome outcome = outcome_of(SSL_do_handshake(ssl_.get()));
  secured_ = outcome == TlsOutcome::kDone;
  return outcome;
}

TlsMoved TlsStream::read(char* data, std::size_t size) {
  TlsMoved moved;
  budget_ = std::min(size + kMaxTlsRecordBytes, kMaxRawBytesPerCall);
  while (moved.bytes < size) {
    ERR_clear_error();
    std::size_t got = 0;
    const int returned = SSL_read_ex(ssl_.get(), data + moved.bytes, size - moved.bytes, &got);
    if (returned <= 0) {
      moved.outcome = outcome_of(returned);
      return moved;
    }
    moved.bytes += got;
  }
  return moved;
}

TlsMoved TlsStream::write(BytesView bytes) {
  ERR_clear_error();
  TlsMoved moved;
  const int returned = SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &moved.bytes);
  if (returned <= 0) moved.outcome = outcome_of(returned);
  return moved;
}

// One way is enough: the peer's own goodbye is not waited for.
TlsOutcome TlsStream::say_goodbye() {
  ERR_clear_error();
  const int returned = SSL_shutdown(ssl_.get());
  return returned >= 0 ? TlsOutcome::kDone : outcome_of(returned);
}

TlsOutcome TlsStream::outcome_of(int returned) {
  switch (SSL_get_error(ssl_.get(), returned)) {
    case SSL_ERROR_NONE:
      return TlsOutcome::kDone;
    case SSL_ERROR_WANT_READ:
      return TlsOutcome::kWantRead;
    case SSL_ERROR_WANT_WRITE:
      return TlsOutcome::kWantWrite;
    case SSL_ERROR_ZERO_RETURN:
      return TlsOutcome::kClosed;
    case SSL_ERROR_SYSCALL:
      if (ended_) return TlsOutcome::kClosed;
      why_ = refused_ ? "not a handshake" : "connection lost";
      break;
    default:
      if (ended_ && !secured_) return TlsOutcome::kClosed;
      fail_because_of_queue();
  }
  ERR_clear_error();
  return TlsOutcome::kFailed;
}

void TlsStream::fail_because_of_queue() {
  const long verified = SSL_get_verify_result(ssl_.get());
  const char* reason = ERR_reason_error_string(ERR_peek_error());
  why_ = reason != nullptr ? reason : "no reason given";
  if (!is_server() && verified != X509_V_OK) {
    why_ += std::string(": ") + X509_verify_cert_error_string(verified);
  }
}

}  // namespace martlet::net
