#pragma once

#include <memory>
#include <optional>
#include <string>

#include "client/client.h"
#include "client/file_store.h"
#include "client/http_routes.h"
#include "event/loop.h"
#include "tools/output.h"
#include "tools/tool.h"

namespace martlet::tools {

// A command that acts as the device whose memory is in the home directory: opens it, keeps a client
// connected while the command runs, ends at the deadline, at SIGINT and SIGTERM.
class DeviceCommand : public client::ClientListener {
 public:
  explicit DeviceCommand(const ToolOptions& options);
  ~DeviceCommand() override;

  Exit run();

 protected:
  // False: messages stay unseen, for commands that do not show them.
  virtual bool receives() const { return true; }
  // False: runs until it is told to end.
  virtual bool has_deadline() const { return true; }
  // Before the client starts: what goes wrong here ends the command.
  virtual Result<void> prepare() { return {}; }
  // Signed in (again).
  virtual void on_online(const std::string& /*edge*/) {}

  void on_state(client::State state, const std::string& why) override;
  void on_end(const Error& error) override;

  // Says goodbye and ends with this code.
  void done(Exit exit);
  // As done(), with a complaint; retryable errors too.
  void give_up(const Error& error);

  const ToolOptions& options() const { return options_; }
  const Output& output() const { return output_; }
  event::Loop& loop() { return loop_; }
  client::Client& client() { return *client_; }
  UserId self() const { return user_; }
  DeviceId device() const { return device_; }

 private:
  Result<void> open();
  void on_deadline();
  void interrupt_now();

  ToolOptions options_;
  Output output_;
  event::Loop loop_;
  SystemRandom random_;
  std::unique_ptr<client::FileStore> store_;
  std::optional<client::HttpRoutes> routes_;
  std::unique_ptr<net::TlsClient> tls_;
  std::unique_ptr<client::Client> client_;
  UserId user_;
  DeviceId device_;
  std::optional<Exit> exit_;
  std::string last_trouble_;
  event::Timer deadline_;
};

}  // namespace martlet::tools
