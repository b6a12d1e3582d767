#pragma once

#include <string>
#include <string_view>

#include "client/store.h"

// The lines of a FileStore. Each ends with a line feed and is one JSON object with one key that
// says what changed.
namespace martlet::client::journal {

std::string credentials_line(const Credentials& credentials);
std::string token_line(BytesView token);
std::string cursor_line(const ConversationId& conversation, const Cursor& cursor);
std::string shown_line(const ConversationId& conversation, Seq seq, MessageId id);
std::string send_line(const OutgoingMessage& message);
std::string sent_line(const ClientMsgId& id);
std::string change_line(const OutgoingChange& change);
std::string changed_line(const ClientMsgId& id);
// All lines that make the state.
std::string snapshot(const StoreState& state);

// False: not a line of ours.
bool apply_line(std::string_view line, Store& store);

}  // namespace martlet::client::journal
