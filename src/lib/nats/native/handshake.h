#pragma once

#include <memory>
#include <string>
#include <vector>

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

// Subscribes to the subjects on a connection of its own, without a queue group and for a moment;
// the subjects that the broker refuses. Blocks, and fails, as open_connection does.
struct Tried {
  ServerInfo info;
  std::vector<std::string> refused;
};
Result<Tried> try_subjects(const ConnectionOptions& options, const std::string& name,
                           const std::vector<std::string>& subjects);

}  // namespace martlet::nats::native
