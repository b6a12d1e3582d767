#pragma once

#include <sys/types.h>

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <unordered_map>
#include <vector>

#include "base/bytes.h"
#include "sim/scheduler.h"

namespace martlet::sim {

struct Readiness {
  bool readable = false;
  bool writable = false;
};

// Told when the readiness of its socket may have become better.
class SocketListener {
 public:
  virtual ~SocketListener() = default;
  virtual void on_change() = 0;
};

// The network between clients and edges: stream sockets of simulated processes, under descriptors
// of their own (platform/sockets.cc puts the system calls of src/net onto it). Bytes arrive in
// order, after a delay, in pieces of any size; buffers are bounded as a kernel's are; the sockets
// of a dead process are closed by its kernel.
class Sockets {
 public:
  Sockets();
  ~Sockets();
  Sockets(const Sockets&) = delete;
  Sockets& operator=(const Sockets&) = delete;

  static Sockets& get();
  static bool is_ours(int fd);

  // The system calls; errors as negative errno.
  int open();
  int bind(int fd, std::uint16_t port);  // 0: the next free one
  int listen(int fd);
  int accept(int fd);
  int connect(int fd, std::uint16_t port);
  int take_error(int fd);
  std::uint16_t local_port(int fd) const;
  std::uint16_t peer_port(int fd) const;
  ssize_t receive(int fd, char* to, std::size_t size);
  ssize_t send(int fd, BytesView bytes);
  void shut_down_writing(int fd);
  void close(int fd);

  Readiness readiness(int fd) const;
  void listen_to(int fd, std::weak_ptr<SocketListener> listener);

  // The process is gone: its kernel closes what it had.
  void process_died(const LanePtr& lane);

  // ---- faults of the connections that a process has
  enum class Fault {
    kReset,      // both ends see an error
    kSilence,    // nothing arrives any more, and nobody is told
    kStandStill  // nothing arrives until the time is over
  };
  // How many it hit.
  std::size_t hit(const LanePtr& lane, Fault fault, Duration time = {});

 private:
  enum class State { kNew, kListening, kConnecting, kConnected, kFailed };
  struct Socket {
    State state = State::kNew;
    LanePtr lane;
    std::uint16_t port = 0;  // local
    int peer = -1;
    int error = 0;
    std::deque<int> backlog;     // of a listener
    Bytes input;                 // arrived, not read yet
    std::size_t read = 0;        // of it
    std::size_t on_its_way = 0;  // sent by us, not arrived yet
    bool input_ended = false;
    bool output_ended = false;
    bool silent = false;
    MonotonicTime arrives{};  // the last thing sent
    MonotonicTime stands_until{};
    std::weak_ptr<SocketListener> listener;
  };

  Socket* find(int fd);
  const Socket* find(int fd) const;
  Socket& add(const LanePtr& lane);
  void told(int fd);
  std::size_t room(const Socket& socket) const;
  MonotonicTime arrival(Socket& socket);
  void request_arrived(int client, std::uint16_t port);
  void fail(int fd, int error);
  void end_input_of_peer(int fd, bool reset);

  std::unordered_map<int, Socket> sockets_;
  std::map<std::uint16_t, int> listeners_;
  int last_fd_;
  std::uint16_t last_port_ = 10'000;
};

}  // namespace martlet::sim
