#pragma once

#include <nats/nats.h>

#include <memory>
#include <string>

#include "base/result.h"
#include "lib/nats/options.h"

namespace martlet::nats {

struct OptionsDeleter {
  void operator()(natsOptions* options) const { natsOptions_Destroy(options); }
};
using OptionsPtr = std::unique_ptr<natsOptions, OptionsDeleter>;

// What both kinds of connection have in common: reconnects for ever, drops what is published while
// disconnected, delivers on one library thread. Any thread.
Result<OptionsPtr> common_options(const ConnectionOptions& options);

// The same of the library's status.
tl::unexpected<Error> connect_error(natsStatus status, const ConnectionOptions& options);

}  // namespace martlet::nats
