#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace martlet::edge {

// Why a client's connection ended. Names for metrics and logs.
enum class CloseReason : std::uint8_t {
  kPeerClosed,
  kPeerFailed,
  kGoodbye,
  kBadFrame,
  kAuthTimeout,
  kHeartbeat,
  kTokenExpired,
  kReplaced,
  kRevoked,
  kSlowConsumer,
  kByAdmin,
  kTooManyConnections,
  kTooManyStrangers,
  kAddressFull,
  kAddressRate,
  kMadeRoom,
  kBadTokens,
  kStopping,
  kStoodStill,
  kTlsHandshake,
  kProxyHeader,
};

struct CloseReasonName {
  CloseReason reason;
  std::string_view name;
};

inline constexpr std::array kCloseReasons{
    CloseReasonName{CloseReason::kPeerClosed, "peer_closed"},
    CloseReasonName{CloseReason::kPeerFailed, "peer_failed"},
    CloseReasonName{CloseReason::kGoodbye, "goodbye"},
    CloseReasonName{CloseReason::kBadFrame, "bad_frame"},
    CloseReasonName{CloseReason::kAuthTimeout, "auth_timeout"},
    CloseReasonName{CloseReason::kHeartbeat, "heartbeat"},
    CloseReasonName{CloseReason::kTokenExpired, "token_expired"},
    CloseReasonName{CloseReason::kReplaced, "replaced"},
    CloseReasonName{CloseReason::kRevoked, "revoked"},
    CloseReasonName{CloseReason::kSlowConsumer, "slow_consumer"},
    CloseReasonName{CloseReason::kByAdmin, "by_admin"},
    CloseReasonName{CloseReason::kTooManyConnections, "too_many_connections"},
    CloseReasonName{CloseReason::kTooManyStrangers, "too_many_strangers"},
    CloseReasonName{CloseReason::kAddressFull, "address_full"},
    CloseReasonName{CloseReason::kAddressRate, "address_rate"},
    CloseReasonName{CloseReason::kMadeRoom, "made_room"},
    CloseReasonName{CloseReason::kBadTokens, "bad_tokens"},
    CloseReasonName{CloseReason::kStopping, "stopping"},
    CloseReasonName{CloseReason::kStoodStill, "stood_still"},
    CloseReasonName{CloseReason::kTlsHandshake, "tls_handshake"},
    CloseReasonName{CloseReason::kProxyHeader, "proxy_header"},
};

constexpr std::string_view close_reason_name(CloseReason reason) {
  for (const CloseReasonName& entry : kCloseReasons) {
    if (entry.reason == reason) return entry.name;
  }
  return "unknown";
}

}  // namespace martlet::edge
