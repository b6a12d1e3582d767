#include "lib/nats/native/handshake.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "base/clock.h"
#include "lib/nats/native/servers.h"
#include "net/tls.h"

namespace martlet::nats::native {
namespace {

tl::unexpected<Error> unavailable(std::string why) {
  return fail(ErrorCode::kUnavailable, std::move(why));
}

std::string text_of(int error) {
  // NOLINTNEXTLINE(concurrency-mt-unsafe): the text of a known error is a constant
  return std::strerror(error);
}

constexpr std::size_t kReadBytes = 4096;

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

  // What was said before is not to be trusted, and nothing may stand behind it.
  Result<void> secure(net::TlsClient& client, const std::string& host) {
    if (!unread_.empty()) return unavailable("it went on in plain text where TLS begins");
    tls_ = client.connect(host);
    tls_->attach(socket_.get());
    net::TlsOutcome outcome = tls_->shake_hands();
    for (; outcome != net::TlsOutcome::kDone; outcome = tls_->shake_hands()) {
      if (auto ready = wait_for(outcome); !ready) return ready;
    }
    return {};
  }

  Result<void> send(BytesView bytes) {
    while (!bytes.empty()) {
      const auto sent = tls_ ? send_record(bytes) : send_plain(bytes);
      if (!sent) return tl::unexpected(sent.error());
      bytes.remove_prefix(*sent);
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

  // On a connection that was opened before.
  explicit Dialogue(Opened opened, Duration timeout) : Dialogue(timeout) {
    socket_ = std::move(opened.socket);
    tls_ = std::move(opened.tls);
    received_ = std::move(opened.received);
    unread_ = received_;
  }

  Opened opened(ServerInfo info) {
    return {std::move(socket_), std::move(tls_), std::move(info), Bytes(unread_)};
  }

 private:
  Result<void> wait(short what) const {
    pollfd watched{socket_.get(), what, 0};
    const auto left = to_ms(deadline_ - clock_.now());
    if (left <= 0 || ::poll(&watched, 1, static_cast<int>(left)) == 0)
      return unavailable("no answer in time");
    return {};
  }

  // Until TLS can go on.
  Result<void> wait_for(net::TlsOutcome outcome) const {
    switch (outcome) {
      case net::TlsOutcome::kWantWrite:
        return wait(POLLOUT);
      case net::TlsOutcome::kClosed:
        return unavailable("it closed the connection");
      case net::TlsOutcome::kFailed:
        return unavailable("TLS: " + tls_->why());
      default:
        return wait(POLLIN);
    }
  }

  Result<std::size_t> send_plain(BytesView bytes) const {
    if (auto ready = wait(POLLOUT); !ready) return tl::unexpected(ready.error());
    const ssize_t sent = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN && errno != EINTR) return unavailable(text_of(errno));
    return static_cast<std::size_t>(std::max<ssize_t>(sent, 0));
  }

  Result<std::size_t> send_record(BytesView bytes) const {
    const net::TlsMoved moved = tls_->write(bytes);
    if (moved.outcome == net::TlsOutcome::kDone) return moved.bytes;
    if (auto ready = wait_for(moved.outcome); !ready) return tl::unexpected(ready.error());
    return 0;
  }

  Result<void> read() {
    const auto got = tls_ ? read_record() : read_plain();
    unread_ = received_;
    return got;
  }

  Result<void> read_plain() {
    if (auto ready = wait(POLLIN); !ready) return ready;
    std::array<char, kReadBytes> buffer{};
    const ssize_t got = ::recv(socket_.get(), buffer.data(), buffer.size(), 0);
    if (got == 0) return unavailable("it closed the connection");
    if (got < 0 && errno != EAGAIN && errno != EINTR) return unavailable(text_of(errno));
    if (got > 0) received_.append(buffer.data(), static_cast<std::size_t>(got));
    return {};
  }

  Result<void> read_record() {
    std::array<char, kReadBytes> buffer{};
    const net::TlsMoved moved = tls_->read(buffer.data(), buffer.size());
    received_.append(buffer.data(), moved.bytes);
    return moved.bytes > 0 ? Result<void>() : wait_for(moved.outcome);
  }

  const SystemClock clock_;
  const MonotonicTime deadline_;
  net::UniqueFd socket_;
  std::unique_ptr<net::TlsStream> tls_;
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
  if (!info->headers) return unavailable("it does not know headers");
  return std::move(*info);
}

// The server's wish or ours; never without it if we want it.
Result<void> secure_if_wanted(Dialogue& dialogue, const Servers::Server& server,
                              const ServerInfo& info, net::TlsClient* tls) {
  if (!server.needs_tls && !info.needs_tls) return {};
  if (!info.offers_tls) return unavailable("it does not speak TLS");
  if (tls == nullptr) return unavailable("it wants TLS");
  return dialogue.secure(*tls, server.address.host);
}

Result<Opened> try_server(const Servers::Server& server, const ConnectionOptions& options,
                          const std::string& name) {
  Dialogue dialogue(options.connect_timeout);
  if (auto done = dialogue.connect(server.address); !done) return tl::unexpected(done.error());
  auto info = receive_info(dialogue);
  if (!info) return tl::unexpected(info.error());
  if (auto done = secure_if_wanted(dialogue, server, *info, options.tls.get()); !done) {
    return tl::unexpected(done.error());
  }
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
    auto opened = try_server(server, options, name);
    if (opened) {
      servers->learn(opened->info.connect_urls);
      return opened;
    }
    last = opened.error();
  }
  return connect_error(options, last);
}

Result<Tried> try_subjects(const ConnectionOptions& options, const std::string& name,
                           const std::vector<std::string>& subjects) {
  auto opened = open_connection(options, name);
  if (!opened) return tl::unexpected(opened.error());
  Tried tried{std::move(opened->info), {}};
  Dialogue dialogue(std::move(*opened), options.connect_timeout);
  // One at a time: what is refused is told by a text that is not ours.
  for (std::size_t i = 0; i < subjects.size(); ++i) {
    Bytes said;
    append_subscribe(said, i + 1, subjects[i], "");
    append_unsubscribe(said, i + 1);
    said += kPing;
    if (auto done = dialogue.send(said); !done) return tl::unexpected(done.error());
    bool is_refused = false;
    while (true) {
      const auto answer = dialogue.receive();
      if (!answer) return tl::unexpected(answer.error());
      if (answer->kind == Operation::Kind::kError) is_refused = true;
      if (answer->kind == Operation::Kind::kPong) break;
    }
    if (is_refused) tried.refused.push_back(subjects[i]);
  }
  return tried;
}

}  // namespace martlet::nats::native
