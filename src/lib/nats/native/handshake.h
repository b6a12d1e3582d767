#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "lib/nats/native/protocol.h"
#include "lib/nats/options.h"
#include "net/fd.h"
#include "net/tls_stream.h"

namespace martlet::nats::native {

// A connection that the broker has taken: it answered our CONNECT with a PONG.
struct Opened {
  net::UniqueFd socket;                 // non-blocking
  std::unique_ptr<net::TlsStream> tls;  // behind its handshake; null: without TLS
  ServerInfo info;
  Bytes received;  // what came behind the PONG
};

// Tries the servers one after the other, each for options.connect_timeout at most; blocks. The
// error is one line for people: kForbidden (wrong user, password or token), kUnavailable.
Result<Opened> open_connection(const ConnectionOptions& options, const std::string& name);

}  // namespace martlet::nats::native
