#include "tools/devices.h"

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
    output().note("signed_out", "signed out devices=" + std::to_string(answer->devices));
    done(Exit::kOk);
  });
  return {};
}

// The server may end this session before its answer is read.
void SignOut::on_kicked(const wire::KickedEvent& event) {
  if (!is_self_ || event.reason != wire::KickReason::Revoked) return;
  output().note("signed_out", "signed out devices=1");
  done(Exit::kOk);
}

}  // namespace martlet::tools
