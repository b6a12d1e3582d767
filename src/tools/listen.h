#pragma once

#include <cstdint>

#include "tools/device_command.h"

namespace martlet::tools {

// Prints what was missed and what comes, message by message.
class Listen : public DeviceCommand {
 public:
  struct Options {
    std::uint64_t count = 0;  // 0: for ever
    double until_idle_s = 0;  // 0: for ever
    bool show_own = false;    // also what this user's other devices sent
  };
  Listen(const ToolOptions& tool, const Options& options);

 protected:
  bool has_deadline() const override { return false; }
  void on_online(const std::string& edge) override { edge_ = edge; }
  void on_message(const client::Message& message, client::Origin origin) override;
  void on_dropped(const ConversationId& conversation, Seq from) override;
  void on_read(const wire::ReadEvent& event) override;
  void on_synced(bool behind) override;

 private:
  void check_idle();
  void restart_idle();

  Options options_;
  std::string edge_;
  std::uint64_t shown_ = 0;
  bool said_online_ = false;
  event::Timer idle_;
};

}  // namespace martlet::tools
