#pragma once

#include "edge/context.h"
#include "wire/envelopes.h"

namespace martlet::edge {

// AUTH on a new connection: listens to the user's subject, waits until the broker knows, asks
// whether the device was signed out, then makes the session known here, to other edges and in the
// directory.
void begin_session(EdgeContext& edge, const Request& request, const TokenClaims& claims);
// AUTH again on the same connection: a later token.
void renew_session(EdgeContext& edge, const Request& request, const TokenClaims& claims);
// Undoes what begin_session did, in whatever phase the session is.
void end_session(EdgeContext& edge, ClientLink& link);

// Another session of the device exists somewhere. The older one ends: as a rule the smaller, but
// clocks of edges differ, and one that is said to be there already was there before
// (docs/adr/0043-sessions-of-a-device.md).
void on_session_started(EdgeContext& edge, const UserId& user, const wire::SessionStarted& other);

}  // namespace martlet::edge
