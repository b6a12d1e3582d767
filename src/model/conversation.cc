#include "model/conversation.h"

#include "base/assert.h"
#include "base/hash.h"

namespace martlet {
namespace {

// The two names of "u:<a>:<b>"; ids have no colon.
std::pair<std::string_view, std::string_view> split_users(std::string_view text) {
  text.remove_prefix(2);
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return {};
  return {text.substr(0, colon), text.substr(colon + 1)};
}

}  // namespace

ConversationId ConversationId::between(const UserId& a, const UserId& b) {
  MARTLET_ASSERT(!a.empty() && !b.empty());
  const auto& [low, high] = std::minmax(a.str(), b.str());
  return ConversationId("u:" + low + ":" + high);
}

ConversationId ConversationId::of_group(const GroupId& group) {
  MARTLET_ASSERT(!group.empty());
  return ConversationId("g:" + group.str());
}

std::optional<ConversationId> ConversationId::parse(std::string_view text) {
  if (text.starts_with("u:")) {
    const auto [low, high] = split_users(text);
    if (!is_valid_id(low) || !is_valid_id(high) || low > high) return std::nullopt;
    return ConversationId(std::string(text));
  }
  if (text.starts_with("g:") && is_valid_id(text.substr(2))) {
    return ConversationId(std::string(text));
  }
  return std::nullopt;
}

ConversationId ConversationId::trusted(std::string_view text) {
  auto parsed = parse(text);
  MARTLET_ASSERT(parsed.has_value());
  return *parsed;
}

std::pair<UserId, UserId> ConversationId::users() const {
  MARTLET_ASSERT(!empty() && !is_group());
  const auto [low, high] = split_users(text_);
  return {UserId::trusted(low), UserId::trusted(high)};
}

bool ConversationId::has_user(const UserId& user) const {
  MARTLET_ASSERT(!empty() && !is_group());
  const auto [low, high] = split_users(text_);
  return user.str() == low || user.str() == high;
}

UserId ConversationId::peer_of(const UserId& user) const {
  const auto [low, high] = users();
  MARTLET_ASSERT(user == low || user == high);
  return user == low ? high : low;
}

GroupId ConversationId::group() const {
  MARTLET_ASSERT(is_group());
  return GroupId::trusted(std::string_view(text_).substr(2));
}

ShardId shard_of(const ConversationId& conversation, std::uint16_t shards) {
  MARTLET_ASSERT(shards > 0 && shards <= kMaxShards);
  return ShardId(static_cast<std::uint16_t>(base::hash64(conversation.str()) % shards));
}

}  // namespace martlet
