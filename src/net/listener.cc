#include "net/listener.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

namespace martlet::net {
namespace {

Error system_error(const Address& address, const char* what) {
  return {ErrorCode::kUnavailable,
          address.str() + ": " + what + ": " + std::strerror(errno)};  // NOLINT: one thread
}

bool is_out_of_resources(int error) {
  return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

}  // namespace

Result<std::unique_ptr<Listener>> Listener::open(event::Loop& loop, const Address& address,
                                                 ListenerOptions options, Accepted accepted) {
  const auto resolved = resolve(address);
  if (!resolved) return tl::unexpected(resolved.error());
  const int family = resolved->storage.ss_family;
  UniqueFd fd(::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd.is_open()) return tl::unexpected(system_error(address, "socket"));
  const int on = 1;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (::bind(fd.get(), resolved->raw(), resolved->size) != 0) {
    return tl::unexpected(system_error(address, "bind"));
  }
  if (::listen(fd.get(), options.backlog) != 0) {
    return tl::unexpected(system_error(address, "listen"));
  }
  return std::unique_ptr<Listener>(new Listener(loop, std::move(fd), options, std::move(accepted)));
}

Listener::Listener(event::Loop& loop, UniqueFd fd, ListenerOptions options, Accepted accepted)
    : fd_(std::move(fd)),
      options_(options),
      accepted_(std::move(accepted)),
      watch_(loop, fd_.get(), [this](bool, bool) { accept_some(); }),
      resume_(loop, [this] { watch_.want(true, false); }) {
  watch_.want(true, false);
}

void Listener::accept_some() {
  for (int i = 0; i < options_.max_accepts_per_turn; ++i) {
    UniqueFd fd(::accept4(fd_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!fd.is_open()) {
      if (is_out_of_resources(errno)) return pause();
      if (errno == EAGAIN || errno == EWOULDBLOCK) return;
      continue;  // this connection died while it waited; the next one may be fine
    }
    const int on = 1;
    ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    const int unsent = options_.max_unsent_bytes;
    ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent, sizeof unsent);
    accepted_(std::move(fd));
  }
}

// The watch is level-triggered: it would call again at once, for ever, as long as somebody waits.
void Listener::pause() {
  ++pauses_;
  watch_.want(false, false);
  resume_.start_once(options_.pause_without_fds);
}

}  // namespace martlet::net
