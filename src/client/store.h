#pragma once

#include <deque>
#include <map>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "client/cursor.h"
#include "client/types.h"

namespace martlet::client {

// Who this device is, and what proves it.
struct Credentials {
  UserId user;
  DeviceId device;
  std::string access_token;
  std::string refresh_token;
  WallMs access_expires_ms = 0;

  bool empty() const { return user.empty(); }
  friend bool operator==(const Credentials&, const Credentials&) = default;
};

// All that a device remembers.
struct StoreState {
  Credentials credentials;
  Bytes sync_token;
  std::map<ConversationId, Cursor> cursors;
  std::deque<OutgoingMessage> sends;   // not answered yet, in the order of sending
  std::deque<OutgoingChange> changes;  // likewise
};

// The memory of one device. One thread. A call returns when a kill of the process can't undo it;
// the order of calls is kept: whoever reads it back sees all of them up to some call.
class Store {
 public:
  virtual ~Store() = default;

  virtual const StoreState& state() const = 0;
  // Another user or device: everything else is forgotten.
  virtual void set_credentials(Credentials credentials) = 0;
  virtual void set_sync_token(Bytes token) = 0;
  virtual void set_cursor(const ConversationId& conversation, Cursor cursor) = 0;
  // The message was given to the application.
  virtual void set_shown(const ConversationId& conversation, Seq seq, MessageId id) = 0;
  virtual void add_send(const OutgoingMessage& message) = 0;
  virtual void remove_send(const ClientMsgId& id) = 0;
  virtual void add_change(const OutgoingChange& change) = 0;
  virtual void remove_change(const ClientMsgId& id) = 0;
  // Why the last calls may not survive (disk full …); empty: all is well.
  virtual std::string problem() const { return {}; }
};

// Forgets with the process.
class MemoryStore final : public Store {
 public:
  MemoryStore() = default;
  explicit MemoryStore(StoreState state) : state_(std::move(state)) {}

  const StoreState& state() const override { return state_; }
  void set_credentials(Credentials credentials) override;
  void set_sync_token(Bytes token) override { state_.sync_token = std::move(token); }
  void set_cursor(const ConversationId& conversation, Cursor cursor) override;
  void set_shown(const ConversationId& conversation, Seq seq, MessageId id) override;
  void add_send(const OutgoingMessage& message) override { state_.sends.push_back(message); }
  void remove_send(const ClientMsgId& id) override;
  void add_change(const OutgoingChange& change) override { state_.changes.push_back(change); }
  void remove_change(const ClientMsgId& id) override;

 private:
  StoreState state_;
};

}  // namespace martlet::client
