#pragma once

#include <cstdint>
#include <string>

#include "tools/device_command.h"

namespace martlet::tools {

// Prints the user's devices that are signed in.
class Devices : public DeviceCommand {
 public:
  using DeviceCommand::DeviceCommand;

 protected:
  bool receives() const override { return false; }
  Result<void> prepare() override;
};

// Signs out a device of the user: this one, another one, or all but this one.
class SignOut : public DeviceCommand {
 public:
  struct Options {
    std::string device;  // empty: this one
    bool others = false;
  };
  SignOut(const ToolOptions& tool, Options options)
      : DeviceCommand(tool), options_(std::move(options)) {}

 protected:
  bool receives() const override { return false; }
  Result<void> prepare() override;
  void on_kicked(const wire::KickedEvent& event) override;

 private:
  void tell(std::uint32_t devices);

  Options options_;
  bool is_self_ = false;
  bool told_ = false;
};

}  // namespace martlet::tools
