#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>

namespace martlet::store {

// A relay in front of PostgreSQL that takes one connection. When it sees a COMMIT pass, it lets the
// server carry it out, drops the answer and cuts the connection. A thread of its own.
class CommitLoser {
 public:
  CommitLoser(const std::string& server_host, std::uint16_t server_port);
  ~CommitLoser();
  CommitLoser(const CommitLoser&) = delete;
  CommitLoser& operator=(const CommitLoser&) = delete;

  std::uint16_t port() const { return port_; }
  bool has_lost_one() const { return lost_; }

 private:
  void run();
  // False: the relay is over.
  bool forward(int from, int to, bool from_client);

  const std::string server_host_;
  const std::uint16_t server_port_;
  int listener_ = -1;
  int client_ = -1;
  int server_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<bool> lost_ = false;
  std::thread thread_;
};

}  // namespace martlet::store
