#include "net/connector.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace martlet::net {

Connector::Connector(event::Loop& loop, const Address& address, Duration timeout, Done done,
                     Resolver::LookUp look_up)
    : loop_(loop),
      address_(address),
      done_(std::move(done)),
      timer_(loop,
             [this] {
               if (started_) {
                 finish(error("connect", ETIMEDOUT));
               } else {
                 start();
               }
             }),
      timeout_(timeout),
      resolver_(loop, std::move(look_up)) {
  timer_.start_once(Duration(0));
}

tl::unexpected<Error> Connector::error(const char* what, int number) const {
  // NOLINTNEXTLINE(concurrency-mt-unsafe): one thread
  return fail(ErrorCode::kUnavailable, address_.str() + ": " + what + ": " + std::strerror(number));
}

void Connector::start() {
  started_ = true;
  timer_.start_once(timeout_);
  resolver_.resolve(address_, [this](const Result<SocketAddress>& to) { connect(to); });
}

void Connector::connect(const Result<SocketAddress>& to) {
  if (!to) return finish(tl::unexpected(to.error()));
  const int family = to->storage.ss_family;
  fd_.reset(::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd_.is_open()) return finish(error("socket", errno));
  const int on = 1;
  ::setsockopt(fd_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (from_) {
    // The port is chosen as it connects: one may be used towards several servers at once.
    ::setsockopt(fd_.get(), IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    if (::bind(fd_.get(), from_->raw(), from_->size) != 0) return finish(error("bind", errno));
  }
  if (::connect(fd_.get(), to->raw(), to->size) != 0 && errno != EINPROGRESS) {
    return finish(error("connect", errno));
  }
  watch_ =
      std::make_unique<event::SocketWatch>(loop_, fd_.get(), [this](bool, bool) { on_writable(); });
  watch_->want(false, true);
}

void Connector::on_writable() {
  int number = 0;
  socklen_t size = sizeof number;
  ::getsockopt(fd_.get(), SOL_SOCKET, SO_ERROR, &number, &size);
  if (number != 0) return finish(error("connect", number));
  finish(std::move(fd_));
}

// The callback may destroy this object: nothing of it is touched afterwards.
void Connector::finish(Result<UniqueFd> result) {
  timer_.cancel();
  resolver_.give_up();
  watch_.reset();
  const Done done = std::move(done_);
  done(std::move(result));
}

}  // namespace martlet::net
