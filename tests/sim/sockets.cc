#include "sim/sockets.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/assert.h"

namespace martlet::sim {
namespace {

using std::chrono::microseconds;

// Far above what a process has of its own.
constexpr int kFirstFd = 1 << 20;
constexpr std::size_t kBufferBytes = 64 * 1024;
constexpr std::size_t kMaxBacklog = 128;
constexpr Duration kMinDelay = microseconds(100);
constexpr Duration kMaxDelay = microseconds(3'000);
// Of a thousand reads, so many find only a piece of what is on its way.
constexpr std::uint64_t kPieces = 20;

Sockets*& current() {
  static Sockets* sockets = nullptr;
  return sockets;
}

Scheduler& scheduler() {
  return Scheduler::get();
}

}  // namespace

Sockets::Sockets() : last_fd_(kFirstFd) {
  MARTLET_ASSERT(current() == nullptr);
  current() = this;
}

Sockets::~Sockets() {
  current() = nullptr;
}

Sockets& Sockets::get() {
  return *current();
}

bool Sockets::is_ours(int fd) {
  return fd >= kFirstFd;
}

Sockets::Socket* Sockets::find(int fd) {
  const auto found = sockets_.find(fd);
  return found == sockets_.end() ? nullptr : &found->second;
}

const Sockets::Socket* Sockets::find(int fd) const {
  const auto found = sockets_.find(fd);
  return found == sockets_.end() ? nullptr : &found->second;
}

Sockets::Socket& Sockets::add(const LanePtr& lane) {
  Socket& socket = sockets_[++last_fd_];
  socket.lane = lane;
  return socket;
}

int Sockets::open() {
  add(scheduler().lane());
  return last_fd_;
}

int Sockets::bind(int fd, std::uint16_t port) {
  Socket& socket = *find(fd);
  socket.port = port != 0 ? port : ++last_port_;
  return listeners_.contains(socket.port) ? -EADDRINUSE : 0;
}

int Sockets::listen(int fd) {
  Socket& socket = *find(fd);
  socket.state = State::kListening;
  listeners_[socket.port] = fd;
  return 0;
}

int Sockets::accept(int fd) {
  Socket& socket = *find(fd);
  if (socket.backlog.empty()) return -EAGAIN;
  const int accepted = socket.backlog.front();
  socket.backlog.pop_front();
  return accepted;
}

int Sockets::connect(int fd, std::uint16_t port) {
  Socket& socket = *find(fd);
  socket.state = State::kConnecting;
  socket.port = ++last_port_;
  scheduler().after(scheduler().between(kMinDelay, kMaxDelay), nullptr,
                    [this, fd, port] { request_arrived(fd, port); });
  return -EINPROGRESS;
}

// The kernel of the listener answers, also while its process stands still.
void Sockets::request_arrived(int client, std::uint16_t port) {
  Socket* socket = find(client);
  if (socket == nullptr || socket->state != State::kConnecting) return;
  const auto found = listeners_.find(port);
  if (found == listeners_.end() || find(found->second)->backlog.size() >= kMaxBacklog) {
    return fail(client, ECONNREFUSED);
  }
  const int listener = found->second;
  Socket& server = add(find(listener)->lane);
  const int accepted = last_fd_;
  server.state = State::kConnected;
  server.port = port;
  server.peer = client;
  socket = find(client);  // the table may have moved
  socket->peer = accepted;
  socket->state = State::kConnected;
  find(listener)->backlog.push_back(accepted);
  told(listener);
  told(client);
}

void Sockets::fail(int fd, int error) {
  Socket* socket = find(fd);
  if (socket == nullptr) return;
  socket->error = error;
  socket->state = State::kFailed;
  told(fd);
}

int Sockets::take_error(int fd) {
  return std::exchange(find(fd)->error, 0);
}

std::uint16_t Sockets::local_port(int fd) const {
  return find(fd)->port;
}

std::uint16_t Sockets::peer_port(int fd) const {
  const Socket* peer = find(find(fd)->peer);
  return peer == nullptr ? 0 : peer->port;
}

ssize_t Sockets::receive(int fd, char* to, std::size_t size) {
  Socket& socket = *find(fd);
  if (socket.error != 0) return -std::exchange(socket.error, 0);
  const std::size_t there = socket.input.size() - socket.read;
  if (there == 0) return socket.input_ended ? 0 : -EAGAIN;
  std::size_t taken = std::min(there, size);
  if (taken > 1 && scheduler().chance(kPieces)) taken = 1 + scheduler().random().below(taken);
  std::memcpy(to, socket.input.data() + socket.read, taken);
  socket.read += taken;
  if (socket.read == socket.input.size()) {
    socket.input.clear();
    socket.read = 0;
  }
  scheduler().after(kMinDelay, nullptr, [this, peer = socket.peer] { told(peer); });
  return static_cast<ssize_t>(taken);
}

std::size_t Sockets::room(const Socket& socket) const {
  const Socket* peer = find(socket.peer);
  const std::size_t unread = peer == nullptr ? 0 : peer->input.size() - peer->read;
  const std::size_t used = socket.on_its_way + unread;
  return used >= kBufferBytes ? 0 : kBufferBytes - used;
}

MonotonicTime Sockets::arrival(Socket& socket) {
  const MonotonicTime now = scheduler().now();
  socket.arrives = std::max(
      {socket.arrives, now + scheduler().between(kMinDelay, kMaxDelay), socket.stands_until});
  return socket.arrives;
}

ssize_t Sockets::send(int fd, BytesView bytes) {
  Socket& socket = *find(fd);
  if (socket.error != 0) return -std::exchange(socket.error, 0);
  if (socket.state != State::kConnected || socket.output_ended) return -EPIPE;
  const std::size_t taken = std::min(bytes.size(), room(socket));
  if (taken == 0) return -EAGAIN;
  socket.on_its_way += taken;
  if (socket.silent) return static_cast<ssize_t>(taken);
  scheduler().at(arrival(socket), nullptr, [this, fd, piece = Bytes(bytes.substr(0, taken))] {
    Socket* from = find(fd);
    if (from == nullptr) return;
    from->on_its_way -= piece.size();
    Socket* to = find(from->peer);
    if (to == nullptr || from->silent) return;
    to->input.append(piece);
    told(from->peer);
  });
  return static_cast<ssize_t>(taken);
}

void Sockets::shut_down_writing(int fd) {
  Socket& socket = *find(fd);
  if (std::exchange(socket.output_ended, true)) return;
  end_input_of_peer(fd, false);
}

// In its turn behind what was sent before.
void Sockets::end_input_of_peer(int fd, bool reset) {
  Socket& socket = *find(fd);
  if (socket.peer < 0 || socket.silent) return;
  scheduler().at(arrival(socket), nullptr, [this, peer = socket.peer, reset] {
    Socket* to = find(peer);
    if (to == nullptr) return;
    if (reset) return fail(peer, ECONNRESET);
    to->input_ended = true;
    told(peer);
  });
}

// Bytes on their way are delivered: the socket stays in the table until they are.
void Sockets::close(int fd) {
  Socket* socket = find(fd);
  if (socket == nullptr) return;
  if (socket->state == State::kListening) {
    listeners_.erase(socket->port);
    for (const int waiting : std::exchange(socket->backlog, {})) close(waiting);
    sockets_.erase(fd);
    return;
  }
  const bool reset = socket->read < socket->input.size();
  if (socket->state == State::kConnected && (reset || !socket->output_ended)) {
    socket->output_ended = true;
    end_input_of_peer(fd, reset);
  }
  socket->listener.reset();
  const MonotonicTime gone = std::max(socket->arrives, scheduler().now()) + kMaxDelay;
  scheduler().at(gone, nullptr, [this, fd] { sockets_.erase(fd); });
}

Readiness Sockets::readiness(int fd) const {
  const Socket* socket = find(fd);
  if (socket == nullptr) return {};
  if (socket->error != 0 || socket->state == State::kFailed) return {true, true};
  if (socket->state == State::kListening) return {!socket->backlog.empty(), false};
  if (socket->state != State::kConnected) return {};
  return {socket->input_ended || socket->read<socket->input.size(), room(*socket)> 0};
}

void Sockets::listen_to(int fd, std::weak_ptr<SocketListener> listener) {
  if (Socket* socket = find(fd)) socket->listener = std::move(listener);
}

void Sockets::told(int fd) {
  const Socket* socket = find(fd);
  if (socket == nullptr) return;
  if (const auto listener = socket->listener.lock()) listener->on_change();
}

void Sockets::process_died(const LanePtr& lane) {
  std::vector<int> its;
  for (const auto& [fd, socket] : sockets_) {
    if (socket.lane == lane) its.push_back(fd);
  }
  std::sort(its.begin(), its.end());
  for (const int fd : its) close(fd);
}

std::size_t Sockets::hit(const LanePtr& lane, Fault fault, Duration time) {
  std::vector<int> its;
  for (const auto& [fd, socket] : sockets_) {
    if (socket.lane == lane && socket.state == State::kConnected) its.push_back(fd);
  }
  std::sort(its.begin(), its.end());
  for (const int fd : its) {
    for (const int end : {fd, find(fd)->peer}) {
      Socket* socket = find(end);
      if (socket == nullptr) continue;
      if (fault == Fault::kReset) fail(end, ECONNRESET);
      if (fault == Fault::kSilence) socket->silent = true;
      if (fault == Fault::kStandStill) socket->stands_until = scheduler().now() + time;
    }
  }
  return its.size();
}

}  // namespace martlet::sim
