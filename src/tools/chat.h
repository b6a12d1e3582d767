#pragma once

#include <memory>
#include <optional>
#include <string>

#include "tools/device_command.h"
#include "tools/input.h"

namespace martlet::tools {

// Lines both ways: standard input goes out, what comes is printed. With --json, a line of input is
// {"to": user or g:group, "text": text} (to may be left out when a peer is named), and everything
// is printed as JSON; without, only the conversation with the peer is shown.
class Chat : public DeviceCommand {
 public:
  struct Options {
    std::string peer;   // may be empty with --json
    bool stay = false;  // goes on listening when the input has ended
  };
  Chat(const ToolOptions& tool, Options options);

 protected:
  bool has_deadline() const override { return false; }
  Result<void> prepare() override;
  void on_online(const std::string& edge) override;
  void on_state(client::State state, const std::string& why) override;
  void on_message(const client::Message& message, client::Origin origin) override;
  void on_acked(const client::SendQueue::Acked& acked) override;
  void on_refused(const client::SendQueue::Refused& refused) override;
  void on_dropped(const ConversationId& conversation, Seq from) override;
  void on_read(const wire::ReadEvent& event) override;
  void on_typing(const wire::TypingEvent& event) override;
  void on_synced(bool behind) override;

 private:
  void take_input();
  void on_still_offline();
  void on_line(std::optional<std::string> line);
  Result<void> send_line(const std::string& line);
  bool is_shown(const ConversationId& conversation) const;
  void end_if_done();

  Options options_;
  ConversationId conversation_;  // empty: of all
  std::string edge_;
  std::unique_ptr<InputLines> lines_;
  event::Timer still_offline_;
  bool said_offline_ = false;  // since it was online last
  bool said_online_ = false;
  bool input_ended_ = false;
};

}  // namespace martlet::tools
