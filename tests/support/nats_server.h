#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace martlet::test {

// A private nats-server with JetStream on disk: its own directory and port, ended with the test.
class NatsServer {
 public:
  // settings: further lines of its configuration.
  explicit NatsServer(std::vector<std::string> settings = {});
  ~NatsServer();
  NatsServer(const NatsServer&) = delete;
  NatsServer& operator=(const NatsServer&) = delete;

  std::string url() const;  // nats://127.0.0.1:port
  int port() const { return port_; }

  void kill();     // SIGKILL, and waits for the end
  void restart();  // on the same port, with what is on disk
  void set_settings(std::vector<std::string> settings) { settings_ = std::move(settings); }
  // Only while it is killed: forgets what is on disk; keeps a copy of it; puts that copy back, as
  // if nothing later had reached the disk.
  void wipe();
  void keep_disk();
  void put_disk_back();
  void pause();
  void resume();

 private:
  void start();

  std::filesystem::path directory_;
  std::vector<std::string> settings_;
  int port_ = -1;
  pid_t pid_ = -1;
};

}  // namespace martlet::test
