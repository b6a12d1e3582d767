#include <algorithm>
#include <utility>

#include "client/store.h"

namespace martlet::client {

void MemoryStore::set_credentials(Credentials credentials) {
  const Credentials& old = state_.credentials;
  const bool is_other = old.user != credentials.user || old.device != credentials.device;
  if (is_other && !old.empty()) state_ = StoreState{};
  state_.credentials = std::move(credentials);
}

void MemoryStore::set_cursor(const ConversationId& conversation, Cursor cursor) {
  state_.cursors[conversation] = std::move(cursor);
}

void MemoryStore::set_shown(const ConversationId& conversation, Seq seq, MessageId id) {
  state_.cursors[conversation].show(seq.value(), id.value());
}

void MemoryStore::remove_send(const ClientMsgId& id) {
  const auto at = std::find_if(state_.sends.begin(), state_.sends.end(),
                               [&id](const OutgoingMessage& send) { return send.id == id; });
  if (at != state_.sends.end()) state_.sends.erase(at);
}

void MemoryStore::remove_change(const ClientMsgId& id) {
  const auto at = std::find_if(state_.changes.begin(), state_.changes.end(),
                               [&id](const OutgoingChange& change) { return change.id == id; });
  if (at != state_.changes.end()) state_.changes.erase(at);
}

}  // namespace martlet::client
