#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "client/types.h"
#include "event/loop.h"
#include "net/connection.h"
#include "net/listener.h"
#include "wire/bodies.h"
#include "wire/commands.h"
#include "wire/frame.h"

namespace martlet::client {

// A whole backend in the memory of a test: accounts, conversations, groups, live events, sync. Does
// what it is told to go wrong. Somebody is in a group once at most.
class FakeServer {
 public:
  explicit FakeServer(event::Loop& loop);
  ~FakeServer();

  net::Address address() const { return listener_->address(); }
  // Ends all connections and refuses new ones, as a dead edge does.
  void go_down();
  void come_back();
  void cut_all();
  void send_event(const UserId& to, wire::Command command, BytesView body);
  // A message of somebody who is not connected here.
  void inject(const UserId& from, const UserId& to, std::string_view text);
  void inject(const UserId& from, const ConversationId& to, std::string_view text);
  // What somebody who is not connected here does to a group.
  void change(const UserId& actor, const GroupId& group, const MembersChange& change);
  std::size_t sessions() const;

  // What goes wrong.
  bool lose_events = false;
  bool swallow_auths = false;           // no answer
  bool swallow_sends = false;           // no answer
  bool cut_instead_of_ack = false;      // takes the message, then the connection dies
  bool cut_instead_of_change = false;   // does it, then the connection dies
  bool cut_instead_of_history = false;  // the connection dies upon the question
  bool history_is_behind = false;
  bool access_tokens_are_expired = false;  // until REFRESH
  std::map<wire::Command, Error> refuse;   // the next request of the command
  std::uint32_t expires_in_s = 3600;
  std::uint32_t heartbeat_ms = 30'000;
  WallMs time_ms = 0;  // what it says of its clock; 0: nothing
  bool mute = false;   // reads nothing, says nothing

  std::map<wire::Command, int> requests;  // how many of each came
  std::map<ConversationId, std::vector<Message>> log;
  std::map<ConversationId, Seq> reads;
  std::map<GroupId, GroupMembers> groups;
  std::string refresh_token = "refresh-0";  // the one that is good
  std::string password = "password";
  std::string token;  // of another service, that it trusts

 private:
  struct Session;
  // What a member of a group may see.
  struct Span {
    Seq from;
    Seq to;  // 0: a member still
    bool has(Seq seq) const { return seq >= from && (to == Seq(0) || seq <= to); }
  };
  friend struct Session;
  void on_request(Session& session, const wire::FrameHeader& header, BytesView body);
  void on_send(Session& session, std::uint32_t id, BytesView body);
  void on_sync(Session& session, std::uint32_t id, BytesView body);
  void on_fetch(Session& session, std::uint32_t id, BytesView body);
  void on_history(Session& session, std::uint32_t id, BytesView body);
  void on_group_change(Session& session, wire::Command command, std::uint32_t id, BytesView body);
  void on_question(Session& session, wire::Command command, std::uint32_t id, BytesView body);
  void on_typing(Session& session, std::uint32_t id, BytesView body);
  void on_auth(Session& session, std::uint32_t id, BytesView body);
  void give_tokens(Session& session, std::uint32_t id, wire::Command command);
  const Message& append(const UserId& from, const ConversationId& to, const ClientMsgId& id,
                        BytesView content);
  const Message& append_change(const UserId& actor, const ConversationId& group,
                               const ClientMsgId& id, const MembersChange& change);
  ClientMsgId next_msg_id() const;
  const Message* find(const ConversationId& conversation, const ClientMsgId& id) const;
  bool sees(const UserId& user, const ConversationId& conversation, Seq seq) const;
  void acknowledge(Session& session, std::uint32_t id, wire::Command command,
                   const Message& message);
  void publish(const Message& message, const Session* origin);

  event::Loop& loop_;
  net::Address address_;
  std::unique_ptr<net::Listener> listener_;
  std::vector<std::unique_ptr<Session>> sessions_;
  std::map<ConversationId, std::map<UserId, Span>> spans_;  // of groups
  std::uint64_t next_message_id_ = 1;
  int tokens_given_ = 0;
};

}  // namespace martlet::client
