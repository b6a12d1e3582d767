#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tools/device_command.h"
#include "tools/input.h"

namespace martlet::tools {

// Sends the words of the command line as one message, or each line of standard input as one; ends
// when all are acknowledged (or stored).
class Send : public DeviceCommand {
 public:
  struct Options {
    std::string peer;
    std::string text;
    bool from_stdin = false;
    bool wait_stored = false;
    bool trace = false;
  };
  Send(const ToolOptions& tool, Options options);

 protected:
  bool receives() const override { return false; }
  bool has_deadline() const override { return !options_.from_stdin; }
  Result<void> prepare() override;
  void on_acked(const client::SendQueue::Acked& acked) override;
  void on_stored(const client::SendQueue::Stored& stored) override;
  void on_refused(const client::SendQueue::Refused& refused) override;

 private:
  void on_line(std::optional<std::string> line);
  Result<ClientMsgId> queue(const std::string& text);
  void send_text(const std::string& text);
  void end_if_done();

  Options options_;
  ConversationId to_;
  std::unique_ptr<InputLines> lines_;
  bool input_ended_ = true;
  bool any_refused_ = false;
};

}  // namespace martlet::tools
