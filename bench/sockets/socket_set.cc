#include "bench/sockets/socket_set.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/assert.h"

namespace martlet::bench {
namespace {

constexpr std::size_t kReadBytes = 64 * 1024;
constexpr std::size_t kEventsPerTurn = 256;
constexpr int kTurnMs = 100;
constexpr std::uint32_t kWaker = UINT32_MAX;

}  // namespace

SocketSet::SocketSet(OnFrame on_frame)
    : on_frame_(std::move(on_frame)),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      waker_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  epoll_event event{.events = EPOLLIN, .data = {.u32 = kWaker}};
  MARTLET_ASSERT(::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, waker_.get(), &event) == 0);
}

void SocketSet::add(net::UniqueFd fd) {
  sockets_.emplace_back().fd = std::move(fd);
  watch(EPOLL_CTL_ADD, static_cast<std::uint32_t>(sockets_.size() - 1), false);
}

void SocketSet::watch(int operation, std::uint32_t number, bool for_writing) {
  Socket& socket = sockets_[number];
  socket.wants_write = for_writing;
  epoll_event event{.events = for_writing ? EPOLLIN | EPOLLOUT : EPOLLIN, .data = {.u32 = number}};
  MARTLET_ASSERT(::epoll_ctl(epoll_.get(), operation, socket.fd.get(), &event) == 0);
}

void SocketSet::write(std::uint32_t number, const Tag& tag) {
  Socket& socket = sockets_[number];
  socket.out.append(reinterpret_cast<const char*>(&tag), sizeof tag);
  socket.out.append(tag.bytes - sizeof tag, 'x');
  if (!std::exchange(socket.is_dirty, true)) dirty_.push_back(number);
}

void SocketSet::read() {
  std::array<epoll_event, kEventsPerTurn> events{};
  const int ready = ::epoll_wait(epoll_.get(), events.data(), events.size(), kTurnMs);
  for (int i = 0; i < ready; ++i) {
    const std::uint32_t number = events[i].data.u32;
    if (number == kWaker) {
      eventfd_t count = 0;
      ::eventfd_read(waker_.get(), &count);
      continue;
    }
    if ((events[i].events & EPOLLOUT) != 0) flush_socket(number);
    if ((events[i].events & ~std::uint32_t(EPOLLOUT)) != 0) read_socket(number);
  }
}

void SocketSet::read_socket(std::uint32_t number) {
  Socket& socket = sockets_[number];
  std::array<char, kReadBytes> buffer;
  const std::size_t begun = socket.in.size();
  std::memcpy(buffer.data(), socket.in.data(), begun);
  const ssize_t got =
      ::recv(socket.fd.get(), buffer.data() + begun, buffer.size() - begun, MSG_DONTWAIT);
  if (got < 0 && errno == EAGAIN) return;
  MARTLET_ASSERT(got > 0);
  const std::size_t size = begun + static_cast<std::size_t>(got);
  const std::size_t taken = take_frames(number, buffer.data(), size);
  socket.in.assign(buffer.data() + taken, size - taken);
}

// How many of the bytes were whole frames.
std::size_t SocketSet::take_frames(std::uint32_t number, const char* data, std::size_t size) {
  std::size_t at = 0;
  Tag tag{};
  while (size - at >= sizeof tag) {
    std::memcpy(&tag, data + at, sizeof tag);
    MARTLET_ASSERT(tag.bytes >= sizeof tag && tag.bytes < kReadBytes);
    if (size - at < tag.bytes) break;
    on_frame_(number, tag);
    at += tag.bytes;
  }
  return at;
}

void SocketSet::flush() {
  for (const std::uint32_t number : std::exchange(dirty_, {})) {
    sockets_[number].is_dirty = false;
    if (!sockets_[number].wants_write) flush_socket(number);
  }
}

void SocketSet::flush_socket(std::uint32_t number) {
  Socket& socket = sockets_[number];
  const ssize_t sent =
      ::send(socket.fd.get(), socket.out.data(), socket.out.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  MARTLET_ASSERT(sent >= 0 || errno == EAGAIN);
  socket.out.erase(0, static_cast<std::size_t>(std::max<ssize_t>(sent, 0)));
  const bool is_left = !socket.out.empty();
  if (is_left != socket.wants_write) watch(EPOLL_CTL_MOD, number, is_left);
}

void SocketSet::wake() const {
  ::eventfd_write(waker_.get(), 1);
}

}  // namespace martlet::bench
