#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace martlet {

// Every error code that a client, a service or an operator can meet. The numbers are part of the
// protocol: never reused, only added to. docs/protocol.md lists them; a test compares.
enum class ErrorCode : std::uint16_t {
  kNone = 0,

  // The frame. The connection is closed after the first five.
  kBadMagic = 1,
  kBadVersion = 2,
  kBadCodec = 3,
  kBodyTooLarge = 4,
  kBadFlags = 5,
  kUnknownCommand = 6,
  kBadBody = 7,      // does not verify, a required field is missing, not UTF-8
  kBadId = 8,        // not 1 to 64 characters of A-Z a-z 0-9 _ -
  kBadRange = 9,     // reversed, zero, too many ranges
  kBadContent = 10,  // fields do not fit the kind
  kNotAuthenticated = 11,
  kAlreadyAuthenticated = 12,
  kBadRequestId = 13,  // zero where an answer is needed, or in use
  kTooManyUnanswered = 14,

  // Accounts.
  kUserTaken = 32,
  kWrongPassword = 33,  // or no such user: not told apart
  kBadPassword = 34,    // too short or too long
  kTokenInvalid = 35,
  kTokenExpired = 36,
  kTokenRevoked = 37,
  kRegistrationClosed = 38,
  kDeviceBanned = 39,

  // Conversations.
  kNoSuchUser = 48,
  kNoSuchGroup = 49,
  kNotMember = 50,
  kConflict = 51,  // the same client_msg_id with another content
  kForbidden = 52,
  kGroupTaken = 53,
  kAlreadyMember = 54,
  kGroupFull = 55,
  kTooManyGroups = 56,  // a user is in as many as one may be
  kOwnerStays = 57,     // the owner hands the group over or disbands it before leaving
  kNoSuchEdge = 58,     // the api's answer to people
  kNoSuchMessage = 59,  // the same

  // Retryable: the request is open, repeat it unchanged after retry_after_ms.
  kBusy = 64,
  kTimeout = 65,
  kLogFull = 66,
  kUnavailable = 67,  // a server behind us does not answer
  kOutOfOrder = 68,   // the message that this one follows is not there yet
  kRateLimited = 69,
  kShuttingDown = 70,

  kInternal = 127,
};

// "BAD_MAGIC" …; "UNKNOWN" for a number that is none of ours.
std::string_view error_name(ErrorCode code);
// One line for people and documentation.
std::string_view error_text(ErrorCode code);
// True if the same request may be repeated unchanged and may then succeed.
bool is_retryable(ErrorCode code);
// All codes but kNone, in the order of their numbers.
const std::vector<ErrorCode>& all_error_codes();

// Why something did not work, when the reason is the environment or a peer.
struct Error {
  ErrorCode code = ErrorCode::kInternal;
  std::string detail;  // for people; no secrets, no payload
  std::uint32_t retry_after_ms = 0;
};

}  // namespace martlet
