#include "tools/devices.h"

#include <utility>

namespace martlet::tools {

Result<void> Devices::prepare() {
  client().devices([this](const Result<wire::DeviceList>& list) {
    if (!list) return give_up(list.error());
    for (const wire::Device& one : list->devices) output().device(one);
    done(Exit::kOk);
  });
  return {};
}

Result<void> SignOut::prepare() {
  wire::SignOut which;
  if (!options_.others) {
    which.device = device();
    if (!options_.device.empty()) {
      const Result<DeviceId> other = parse_device(options_.device);
      if (!other) return tl::unexpected(other.error());
      which.device = *other;
    }
  }
  is_self_ = which.device == device();
  client().sign_out(which, [this](const Result<wire::SignedOut>& answer) {
    if (!answer) return give_up(answer.error());
    tell(answer->devices);
  });
  return {};
}

// The end of this session may come before the answer, and behind it.
void SignOut::on_kicked(const wire::KickedEvent& event) {
  if (!is_self_ || event.reason != wire::KickReason::Revoked) return;
  tell(1);
}

void SignOut::tell(std::uint32_t devices) {
  if (std::exchange(told_, true)) return;
  output().note("signed_out", "signed out devices=" + std::to_string(devices));
  done(Exit::kOk);
}

}  // namespace martlet::tools
