#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "model/ids.h"

namespace martlet {

// A conversation: "u:<min>:<max>" of two users in bytewise order (both the same: notes to oneself),
// or "g:<gid>".
class ConversationId {
 public:
  ConversationId() = default;
  static ConversationId between(const UserId& a, const UserId& b);
  static ConversationId with_self(const UserId& user) { return between(user, user); }
  static ConversationId of_group(const GroupId& group);
  // From a peer. Empty if malformed, if an id is bad, or if the users are in the wrong order.
  static std::optional<ConversationId> parse(std::string_view text);
  // For text that was checked before it was stored or published: asserts.
  static ConversationId trusted(std::string_view text);

  const std::string& str() const { return text_; }
  bool empty() const { return text_.empty(); }
  bool is_group() const { return text_.starts_with("g:"); }
  // One-to-one only: both users, smaller first.
  std::pair<UserId, UserId> users() const;
  // One-to-one only: true if the user is one of the two.
  bool has_user(const UserId& user) const;
  // One-to-one only: the other user (the user itself for notes to oneself).
  UserId peer_of(const UserId& user) const;
  // Groups only.
  GroupId group() const;

  friend auto operator<=>(const ConversationId&, const ConversationId&) = default;

 private:
  explicit ConversationId(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

// The shard that orders a conversation: xxh3_64(conversation) modulo the cluster's shard count.
ShardId shard_of(const ConversationId& conversation, std::uint16_t shards);

}  // namespace martlet

template <>
struct std::hash<martlet::ConversationId> {
  std::size_t operator()(const martlet::ConversationId& id) const noexcept {
    return std::hash<std::string>()(id.str());
  }
};
