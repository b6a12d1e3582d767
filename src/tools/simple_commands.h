#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tools/device_command.h"

namespace martlet::tools {

// Signs in with a password and keeps the tokens in the home.
class Login : public DeviceCommand {
 public:
  using DeviceCommand::DeviceCommand;

 protected:
  bool receives() const override { return false; }
  void on_online(const std::string& edge) override;
};

// Fetches what this device missed, prints it and what each changed conversation is at.
class Sync : public DeviceCommand {
 public:
  using DeviceCommand::DeviceCommand;

 protected:
  void on_message(const client::Message& message, client::Origin origin) override;
  void on_dropped(const ConversationId& conversation, Seq from) override;
  void on_news(const client::ConversationNews& news) override;
  void on_synced(bool behind) override;

 private:
  void end_if_settled();

  std::vector<client::ConversationNews> news_;
  std::uint64_t messages_ = 0;
  bool synced_ = false;
  event::Timer settled_{loop(), [this] { end_if_settled(); }};
};

// Moves the read cursor of a conversation.
class Read : public DeviceCommand {
 public:
  Read(const ToolOptions& tool, std::string peer, std::uint64_t seq)
      : DeviceCommand(tool), peer_(std::move(peer)), seq_(seq) {}

 protected:
  bool receives() const override { return false; }
  Result<void> prepare() override;
  void on_read_done(const ConversationId& conversation, Seq seq,
                    const std::optional<Error>& error) override;

 private:
  std::string peer_;
  Seq seq_;
};

}  // namespace martlet::tools
