#include "commit_loser.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string_view>

#include "base/assert.h"

namespace martlet::store {
namespace {

sockaddr_in address_of(const std::string& host, std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  MARTLET_ASSERT(inet_pton(AF_INET, host.c_str(), &address.sin_addr) == 1);
  return address;
}

}  // namespace

CommitLoser::CommitLoser(const std::string& server_host, std::uint16_t server_port)
    : server_host_(server_host), server_port_(server_port) {
  listener_ = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = address_of("127.0.0.1", 0);
  socklen_t length = sizeof address;
  auto* raw = reinterpret_cast<sockaddr*>(&address);
  MARTLET_ASSERT(bind(listener_, raw, length) == 0 && listen(listener_, 1) == 0);
  MARTLET_ASSERT(getsockname(listener_, raw, &length) == 0);
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { run(); });
}

CommitLoser::~CommitLoser() {
  shutdown(listener_, SHUT_RDWR);
  thread_.join();
  close(listener_);
}

void CommitLoser::run() {
  client_ = accept(listener_, nullptr, nullptr);
  if (client_ < 0) return;
  server_ = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = address_of(server_host_, server_port_);
  bool open = connect(server_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  while (open) {
    pollfd fds[] = {{client_, POLLIN, 0}, {server_, POLLIN, 0}, {listener_, POLLRDHUP, 0}};
    if (poll(fds, 3, -1) < 0 || (fds[2].revents & (POLLHUP | POLLRDHUP)) != 0) break;
    if (fds[0].revents != 0) open = forward(client_, server_, true);
    if (open && fds[1].revents != 0) open = forward(server_, client_, false);
  }
  close(client_);
  close(server_);
}

bool CommitLoser::forward(int from, int to, bool from_client) {
  char buffer[64 * 1024];
  const ssize_t size = recv(from, buffer, sizeof buffer, 0);
  if (size <= 0) return false;
  if (send(to, buffer, static_cast<std::size_t>(size), MSG_NOSIGNAL) != size) return false;
  const std::string_view bytes(buffer, static_cast<std::size_t>(size));
  if (!from_client || bytes.find("COMMIT") == std::string_view::npos) return true;
  // The server answers when it has committed.
  lost_ = recv(server_, buffer, sizeof buffer, 0) > 0;
  return false;
}

}  // namespace martlet::store
