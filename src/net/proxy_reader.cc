#include "net/proxy_reader.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace martlet::net {

ProxyReader::ProxyReader(event::Loop& loop, UniqueFd fd, Duration timeout, Done done)
    : fd_(std::move(fd)),
      done_(std::move(done)),
      watch_(loop, fd_.get(), [this](bool, bool) { on_readable(); }),
      timeout_(loop, [this] { finish(fail(ErrorCode::kTimeout, "no PROXY header in time")); }) {
  watch_.want(true, false);
  timeout_.start_once(timeout);
}

void ProxyReader::on_readable() {
  if (!fill(kProxyFixedBytes)) return;
  const auto size = proxy_header_size(header_);
  if (!size) return finish(tl::unexpected(size.error()));
  if (!fill(*size)) return;
  finish(parse_proxy_header(header_));
}

// True when so much is there.
bool ProxyReader::fill(std::size_t size) {
  while (header_.size() < size) {
    const std::size_t before = header_.size();
    header_.resize(size);
    const ssize_t got = ::recv(fd_.get(), header_.data() + before, size - before, 0);
    const int error = errno;
    header_.resize(before + std::size_t(std::max<ssize_t>(got, 0)));
    if (got > 0) continue;
    const bool waits = got < 0 && (error == EAGAIN || error == EWOULDBLOCK || error == EINTR);
    if (!waits) finish(fail(ErrorCode::kUnavailable, "closed before a PROXY header came"));
    return false;
  }
  return true;
}

void ProxyReader::finish(Result<ProxyHeader> result) {
  watch_.want(false, false);
  timeout_.cancel();
  const Done done = std::move(done_);
  done(std::move(result), std::move(fd_));
}

}  // namespace martlet::net
