#pragma once

#include "edge/context.h"

// One function and one file for each command. A handler answers itself, now or later, or returns
// the error that the link answers.
namespace martlet::edge {

Result<Taken> handle_ping(EdgeContext& edge, const Request& request);
Result<Taken> handle_register(EdgeContext& edge, const Request& request);
Result<Taken> handle_login(EdgeContext& edge, const Request& request);
Result<Taken> handle_auth(EdgeContext& edge, const Request& request);
Result<Taken> handle_refresh(EdgeContext& edge, const Request& request);
Result<Taken> handle_goodbye(EdgeContext& edge, const Request& request);
Result<Taken> handle_send(EdgeContext& edge, const Request& request);
Result<Taken> handle_read(EdgeContext& edge, const Request& request);
Result<Taken> handle_sync(EdgeContext& edge, const Request& request);
Result<Taken> handle_fetch(EdgeContext& edge, const Request& request);
Result<Taken> handle_history(EdgeContext& edge, const Request& request);
// GROUP_CREATE to GROUP_DISBAND.
Result<Taken> handle_group_change(EdgeContext& edge, const Request& request);
Result<Taken> handle_group_info(EdgeContext& edge, const Request& request);
Result<Taken> handle_group_list(EdgeContext& edge, const Request& request);
Result<Taken> handle_typing(EdgeContext& edge, const Request& request);
Result<Taken> handle_devices(EdgeContext& edge, const Request& request);
Result<Taken> handle_sign_out(EdgeContext& edge, const Request& request);

}  // namespace martlet::edge
