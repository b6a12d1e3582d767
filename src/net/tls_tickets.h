#pragma once

#include "net/tls.h"

namespace martlet::net {

// A key by chance.
TicketKey new_ticket_key();
// Tickets of this context are sealed and opened by the server's keys, whatever they are then.
void use_ticket_keys(ssl_ctx_st* context, TlsServer& server);

}  // namespace martlet::net
