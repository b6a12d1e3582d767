#pragma once

#include <string>

#include "client/client.h"

// What the tool prints. Lines are stable: scripts and transcripts rely on them. Plain lines escape
// control characters (\n, \t, \xNN) and backslashes, so that one message is one line and can't
// drive a terminal; --json gives the exact text.
namespace martlet::tools {

class Output {
 public:
  explicit Output(bool json) : json_(json) {}

  bool is_json() const { return json_; }
  void online(const UserId& user, const DeviceId& device, const std::string& edge) const;
  void message(const client::Message& message, client::Origin origin) const;
  void sent(const UserId& self, const client::SendQueue::Acked& acked) const;
  void stored(const client::SendQueue::Stored& stored) const;
  void refused(const client::SendQueue::Refused& refused) const;
  void changed(const UserId& self, const client::GroupChanges::Done& done) const;
  void typing(const wire::TypingEvent& event) const;
  void group(const wire::GroupInfoPage& group) const;
  void member(const GroupId& group, const wire::GroupMember& member) const;
  void summary(const wire::GroupSummary& group) const;
  void device(const wire::Device& device) const;
  void dropped(const ConversationId& conversation, Seq from) const;
  void read(const ConversationId& conversation, const UserId& user, Seq seq) const;
  void news(const client::ConversationNews& news) const;
  // Any other line: plain text, and the same as fields of a JSON object.
  void note(const std::string& type, const std::string& text) const;

 private:
  bool json_;
};

// "none", "member", "admin", "owner".
const char* name_of(GroupRole role);

// A text as one printable line.
std::string escaped(std::string_view text);

}  // namespace martlet::tools
