#pragma once

#include <fstream>
#include <string>

#include "client/client.h"

namespace martlet::swarm {

// What one device sent and saw, a JSON object a line, written at once: the account that tests
// compare with the others' and with the database. tests/integration/account.py reads it.
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

 private:
  std::ofstream file_;
};

}  // namespace martlet::swarm
