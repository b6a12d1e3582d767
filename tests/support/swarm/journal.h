#pragma once

#include <fstream>
#include <string>

#include "client/client.h"

namespace martlet::swarm {

// What one device sent and saw, a JSON object a line, written at once: the account that tests
// compare with the others' and with the database. "at" is the monotonic clock in ms. Each process
// begins with a line "started", before which a line may be cut short by the kill of the one before.
// tests/integration/account.py and tests/chaos/journal.py read it.
class Journal {
 public:
  explicit Journal(const std::string& file);

  void sent(const ConversationId& conversation, const ClientMsgId& id, BytesView content);
  // Beside sent(): what the message changes.
  void change(const GroupId& group, const ClientMsgId& id, const MembersChange& change);
  void acked(const client::Acknowledged& ack, double ms);
  void stored(const client::SendQueue::Stored& stored);
  void refused(const ConversationId& conversation, const ClientMsgId& id, const Error& error);
  void received(const client::Message& message, client::Origin origin);
  void dropped(const ConversationId& conversation, Seq from);
  void synced(bool behind, const client::SyncEngine::Counters& counters);
  void state(const std::string& state, const std::string& why);
  // The device reads its history; then what it finds; then the end of that.
  void history_begins();
  void history(const client::Message& message);
  void history_ends(std::size_t conversations);

 private:
  void received(const char* kind, const client::Message& message, const char* origin);

  std::ofstream file_;
};

}  // namespace martlet::swarm
