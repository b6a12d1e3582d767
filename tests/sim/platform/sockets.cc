// The system calls of src/net on the simulated network. Descriptors that are not of a simulated
// socket go to the kernel.
#include "sim/sockets.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace {

using martlet::BytesView;
using martlet::sim::Sockets;

int result(int value) {
  if (value >= 0) return value;
  errno = -value;
  return -1;
}

ssize_t result_of_io(ssize_t value) {
  if (value >= 0) return value;
  errno = static_cast<int>(-value);
  return -1;
}

std::uint16_t port_of(const sockaddr* address) {
  sockaddr_in v4{};
  std::memcpy(&v4, address, sizeof v4);
  return ntohs(v4.sin_port);
}

int loopback(std::uint16_t port, sockaddr* to, socklen_t* size) {
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  v4.sin_port = htons(port);
  std::memcpy(to, &v4, sizeof v4);
  *size = sizeof v4;
  return 0;
}

}  // namespace

extern "C" {

int socket(int, int, int) noexcept {
  return Sockets::get().open();
}

int bind(int fd, const sockaddr* address, socklen_t) noexcept {
  return result(Sockets::get().bind(fd, port_of(address)));
}

int listen(int fd, int) noexcept {
  return result(Sockets::get().listen(fd));
}

int accept4(int fd, sockaddr*, socklen_t*, int) {
  return result(Sockets::get().accept(fd));
}

int connect(int fd, const sockaddr* address, socklen_t) {
  return result(Sockets::get().connect(fd, port_of(address)));
}

int setsockopt(int, int, int, const void*, socklen_t) noexcept {
  return 0;
}

int getsockopt(int fd, int, int, void* value, socklen_t*) noexcept {
  const int error = Sockets::get().take_error(fd);
  std::memcpy(value, &error, sizeof error);
  return 0;
}

int getsockname(int fd, sockaddr* address, socklen_t* size) noexcept {
  return loopback(Sockets::get().local_port(fd), address, size);
}

int getpeername(int fd, sockaddr* address, socklen_t* size) noexcept {
  return loopback(Sockets::get().peer_port(fd), address, size);
}

ssize_t recv(int fd, void* to, size_t size, int) {
  return result_of_io(Sockets::get().receive(fd, static_cast<char*>(to), size));
}

ssize_t send(int fd, const void* bytes, size_t size, int) {
  return result_of_io(Sockets::get().send(fd, {static_cast<const char*>(bytes), size}));
}

ssize_t sendmsg(int fd, const msghdr* message, int) {
  martlet::Bytes all;
  for (size_t i = 0; i < message->msg_iovlen; ++i) {
    const iovec& piece = message->msg_iov[i];
    all.append(static_cast<const char*>(piece.iov_base), piece.iov_len);
  }
  return result_of_io(Sockets::get().send(fd, all));
}

int shutdown(int fd, int) noexcept {
  Sockets::get().shut_down_writing(fd);
  return 0;
}

int close(int fd) {
  if (!Sockets::is_ours(fd)) return static_cast<int>(::syscall(SYS_close, fd));
  Sockets::get().close(fd);
  return 0;
}

}  // extern "C"
