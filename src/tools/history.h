#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tools/device_command.h"

namespace martlet::tools {

// Prints stored messages of a conversation, oldest first, asking page by page. While the database
// is behind the log it waits for the newest.
class History : public DeviceCommand {
 public:
  struct Options {
    std::string peer;
    std::uint64_t before = 0;  // 0: from the end
    std::uint64_t after = 0;   // with forward
    bool forward = false;
    std::uint64_t limit = 50;  // 0: all
  };
  History(const ToolOptions& tool, Options options);

 protected:
  bool receives() const override { return false; }
  Result<void> prepare() override;

 private:
  void ask();
  void on_page(Result<client::HistoryAnswer> page);
  void print();
  std::uint64_t wanted() const;

  Options options_;
  ConversationId conversation_;
  std::uint64_t from_ = 0;
  std::vector<client::Message> messages_;  // in the order in which they came
  event::Timer again_;
};

}  // namespace martlet::tools
