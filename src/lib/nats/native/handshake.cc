#include "lib/nats/native/handshake.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "base/clock.h"
#include "lib/nats/native/servers.h"

namespace martlet::nats::native {
namespace {

tl::unexpected<Error> unavailable(std::string why) {
  return fail(ErrorCode::kUnavailable, std::move(why));
}

std::string text_of(int error) {
  // NOLINTNEXTLINE(concurrency-mt-unsafe): the text of a known error is a constant
  return std::strerror(error);
}

// A socket that is used until a deadline and blocks meanwhile.
class Dialogue {
 public:
  explicit Dialogue(Duration timeout) : deadline_(clock_.now() + timeout) {}

  Result<void> connect(const net::Address& address) {
    const auto to = net::resolve(address);
    if (!to) return tl::unexpected(to.error());
    socket_.reset(::socket(to->storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!socket_.is_open()) return unavailable(text_of(errno));
    const int on = 1;
    ::setsockopt(socket_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (::connect(socket_.get(), to->raw(), to->size) == 0) return {};
    if (errno != EINPROGRESS) return unavailable(text_of(errno));
    if (auto ready = wait(POLLOUT); !ready) return ready;
    int error = 0;
    socklen_t size = sizeof error;
    ::getsockopt(socket_.get(), SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) return unavailable(text_of(error));
    return {};
  }

  Result<void> send(BytesView bytes) {
    while (!bytes.empty()) {
      if (auto ready = wait(POLLOUT); !ready) return ready;
      const ssize_t sent = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent < 0 && errno != EAGAIN && errno != EINTR) return unavailable(text_of(errno));
      if (sent > 0) bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return {};
  }

  // Valid until the next call.
  Result<Operation> receive() {
    received_.erase(0, received_.size() - unread_.size());
    unread_ = received_;
    while (true) {
      auto operation = take_operation(unread_);
      if (!operation) return tl::unexpected(operation.error());
      if (operation->has_value()) return **operation;
      if (auto more = read(); !more) return tl::unexpected(more.error());
    }
  }

  Opened opened(ServerInfo info) { return {std::move(socket_), std::move(info), Bytes(unread_)}; }

 private:
  Result<void> wait(short what) const {
    pollfd watched{socket_.get(), what, 0};
    const auto left = to_ms(deadline_ - clock_.now());
    if (left <= 0 || ::poll(&watched, 1, static_cast<int>(left)) == 0)
      return unavailable("no answer in time");
    return {};
  }

  Result<void> read() {
    if (auto ready = wait(POLLIN); !ready) return ready;
    std::array<char, 4096> buffer{};
    const ssize_t got = ::recv(socket_.get(), buffer.data(), buffer.size(), 0);
    if (got == 0) return unavailable("it closed the connection");
    if (got < 0 && errno != EAGAIN && errno != EINTR) return unavailable(text_of(errno));
    if (got > 0) received_.append(buffer.data(), static_cast<std::size_t>(got));
    unread_ = received_;
    return {};
  }

  const SystemClock clock_;
  const MonotonicTime deadline_;
  net::UniqueFd socket_;
  Bytes received_;
  BytesView unread_;  // the end of received_
};

tl::unexpected<Error> refused(std::string_view text) {
  const bool is_password = text.find("Authorization") != std::string_view::npos ||
                           text.find("Authentication") != std::string_view::npos;
  return fail(is_password ? ErrorCode::kForbidden : ErrorCode::kUnavailable, std::string(text));
}

Result<ServerInfo> receive_info(Dialogue& dialogue) {
  const auto first = dialogue.receive();
  if (!first) return tl::unexpected(first.error());
  if (first->kind == Operation::Kind::kError) return refused(first->text);
  auto info = first->kind == Operation::Kind::kInfo ? parse_info(first->text) : std::nullopt;
  if (!info) return unavailable("it is no NATS server");
  if (info->needs_tls) return unavailable("it wants TLS, which nats.client native does not speak");
  if (!info->headers) return unavailable("it does not know headers");
  return std::move(*info);
}

Result<Opened> try_server(const Servers::Server& server, Duration timeout,
                          const std::string& name) {
  Dialogue dialogue(timeout);
  if (auto done = dialogue.connect(server.address); !done) return tl::unexpected(done.error());
  auto info = receive_info(dialogue);
  if (!info) return tl::unexpected(info.error());
  Bytes hello;
  append_connect(hello, server.credentials, name);
  hello += kPing;
  if (auto done = dialogue.send(hello); !done) return tl::unexpected(done.error());
  while (true) {
    const auto answer = dialogue.receive();
    if (!answer) return tl::unexpected(answer.error());
    if (answer->kind == Operation::Kind::kError) return refused(answer->text);
    if (answer->kind == Operation::Kind::kPong) return dialogue.opened(std::move(*info));
  }
}

}  // namespace

Result<Opened> open_connection(const ConnectionOptions& options, const std::string& name) {
  std::shared_ptr<Servers> servers = options.servers;
  if (!servers) {
    auto parsed = Servers::parse(options.url);
    if (!parsed) return tl::unexpected(parsed.error());
    servers = std::move(*parsed);
  }
  Error last{ErrorCode::kUnavailable, "no server"};
  for (const Servers::Server& server : servers->in_turn()) {
    auto opened = try_server(server, options.connect_timeout, name);
    if (opened) {
      servers->learn(opened->info.connect_urls);
      return opened;
    }
    last = opened.error();
  }
  return connect_error(options, last);
}

}  // namespace martlet::nats::native
