#pragma once

#include <functional>
#include <string>

#include "edge/context.h"

namespace martlet::edge {

// What was refused by whoever was asked, before the client of a link that still lives is told.
using OnRefused = std::function<void(const Error& error)>;

// Forwards the request to whoever serves the subject and gives the client its answer, untouched.
// Without one the client may repeat it. kBusy: too many are under way in this process.
Result<Taken> ask_persist(EdgeContext& edge, const Request& request, const std::string& subject,
                          OnRefused on_refused = {});
// The same as soon as the edge listens to all groups of the user, so that nothing falls between the
// answer and what comes live. The session is authenticated.
Result<Taken> ask_persist_when_listening(EdgeContext& edge, const Request& request,
                                         const std::string& subject);

// Asks whether a device was signed out: its token does not say so. Without an answer within
// kDeviceCheckMs the token alone counts.
void check_device(EdgeContext& edge, const UserId& user, const DeviceId& device,
                  std::function<void(bool is_revoked)> then);

}  // namespace martlet::edge
