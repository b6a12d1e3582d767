// Ids, conversations, addresses, and the texts that bytes are written as.
#include <nlohmann/json.hpp>

#include "base/assert.h"
#include "config/address.h"
#include "config/mask.h"
#include "model/conversation.h"
#include "net/address.h"
#include "targets.h"

namespace martlet::fuzz {
namespace {

void check_conversation(BytesView text) {
  const auto conversation = ConversationId::parse(text);
  if (!conversation) return;
  MARTLET_ASSERT(conversation->str() == text && shard_of(*conversation, 16) < ShardId(16));
  if (conversation->is_group()) {
    MARTLET_ASSERT(ConversationId::of_group(conversation->group()) == *conversation);
    return;
  }
  const auto [first, second] = conversation->users();
  MARTLET_ASSERT(ConversationId::between(second, first) == *conversation);
  MARTLET_ASSERT(conversation->peer_of(first) == second && conversation->has_user(second));
}

void check_addresses(BytesView text) {
  const auto listen = config::parse_address(text);
  if (listen) MARTLET_ASSERT(config::parse_address(config::to_string(*listen)) == *listen);
  const auto peer = net::parse_address(text);
  if (peer) MARTLET_ASSERT(net::parse_address(peer->str()) == *peer);
  // Whatever somebody takes for a password, a log does not show it.
  if (text.find("://") != BytesView::npos) return;
  const std::string url = "nats://user:sEcReT" + std::string(text) + "@host:4222";
  MARTLET_ASSERT(config::mask_url(url).find("sEcReT") == std::string::npos);
}

// Strict decoders: one text for each sequence of bytes, hexadecimal digits in capitals aside.
void check_texts(BytesView text) {
  MARTLET_ASSERT(base::from_hex(base::to_hex(text)) == text);
  MARTLET_ASSERT(base::from_base64(base::to_base64(text)) == text);
  MARTLET_ASSERT(base::from_base64url(base::to_base64url(text)) == text);
  const auto base64 = base::from_base64(text);
  if (base64) MARTLET_ASSERT(base::to_base64(*base64) == text);
  const auto base64url = base::from_base64url(text);
  if (base64url) MARTLET_ASSERT(base::to_base64url(*base64url) == text);
  bool another_says_so = true;
  try {
    (void)nlohmann::json(text).dump();
  } catch (const nlohmann::json::type_error&) {
    another_says_so = false;
  }
  MARTLET_ASSERT(base::is_utf8(text) == another_says_so);
}

}  // namespace

void names(BytesView text) {
  const auto user = UserId::parse(text);
  MARTLET_ASSERT(user.has_value() == is_valid_id(text));
  if (user) MARTLET_ASSERT(user->str() == text && text.size() <= kMaxIdBytes);
  check_conversation(text);
  check_addresses(text);
  check_texts(text);
}

}  // namespace martlet::fuzz
