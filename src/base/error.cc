#include "base/error.h"

#include <algorithm>

namespace martlet {
namespace {

struct Entry {
  ErrorCode code;
  std::string_view name;
  std::string_view text;
};

constexpr Entry kEntries[] = {
    {ErrorCode::kBadMagic, "BAD_MAGIC", "the frame does not start with MT"},
    {ErrorCode::kBadVersion, "BAD_VERSION", "this protocol version is not spoken here"},
    {ErrorCode::kBadCodec, "BAD_CODEC", "the codec is neither 0 (FlatBuffers) nor 1 (JSON)"},
    {ErrorCode::kBodyTooLarge, "BODY_TOO_LARGE", "the body is longer than the limit"},
    {ErrorCode::kBadFlags, "BAD_FLAGS", "an undefined flag bit is set"},
    {ErrorCode::kUnknownCommand, "UNKNOWN_COMMAND", "no such command"},
    {ErrorCode::kBadBody, "BAD_BODY", "the body is malformed or lacks a required field"},
    {ErrorCode::kBadId, "BAD_ID", "an id is not 1 to 64 characters of A-Z a-z 0-9 _ -"},
    {ErrorCode::kBadRange, "BAD_RANGE",
     "a range is reversed, zero, too large, or there are too many"},
    {ErrorCode::kBadContent, "BAD_CONTENT", "the content does not fit its kind"},
    {ErrorCode::kNotAuthenticated, "NOT_AUTHENTICATED", "this command needs AUTH first"},
    {ErrorCode::kAlreadyAuthenticated, "ALREADY_AUTHENTICATED",
     "the connection belongs to another user or device"},
    {ErrorCode::kBadRequestId, "BAD_REQUEST_ID", "the request id is zero or still in use"},
    {ErrorCode::kTooManyUnanswered, "TOO_MANY_UNANSWERED",
     "the connection has too many unanswered requests"},
    {ErrorCode::kUserTaken, "USER_TAKEN", "the user name is taken (case does not count)"},
    {ErrorCode::kWrongPassword, "WRONG_PASSWORD", "no such user, or another password"},
    {ErrorCode::kBadPassword, "BAD_PASSWORD", "the password is too short or too long"},
    {ErrorCode::kTokenInvalid, "TOKEN_INVALID", "the token is not one of ours"},
    {ErrorCode::kTokenExpired, "TOKEN_EXPIRED", "the token has run out"},
    {ErrorCode::kTokenRevoked, "TOKEN_REVOKED", "the token was used before or was revoked"},
    {ErrorCode::kRegistrationClosed, "REGISTRATION_CLOSED", "this server takes no new users"},
    {ErrorCode::kDeviceBanned, "DEVICE_BANNED", "this device may not log in as this user"},
    {ErrorCode::kNoSuchUser, "NO_SUCH_USER", "the recipient does not exist"},
    {ErrorCode::kNoSuchGroup, "NO_SUCH_GROUP", "the group does not exist"},
    {ErrorCode::kNotMember, "NOT_MEMBER", "the user is not in this conversation"},
    {ErrorCode::kConflict, "CONFLICT", "this client_msg_id was used for another content"},
    {ErrorCode::kForbidden, "FORBIDDEN", "the user may not do this"},
    {ErrorCode::kGroupTaken, "GROUP_TAKEN", "a group with this id exists or existed"},
    {ErrorCode::kAlreadyMember, "ALREADY_MEMBER", "they are in the group already"},
    {ErrorCode::kGroupFull, "GROUP_FULL",
     "the group would have more members than a group may have"},
    {ErrorCode::kTooManyGroups, "TOO_MANY_GROUPS", "a user is in as many groups as one may be"},
    {ErrorCode::kOwnerStays, "OWNER_STAYS", "the owner hands the group over or disbands it first"},
    {ErrorCode::kNoSuchEdge, "NO_SUCH_EDGE", "there is no such edge, or it is gone"},
    {ErrorCode::kNoSuchMessage, "NO_SUCH_MESSAGE", "there is no such message"},
    {ErrorCode::kBusy, "BUSY", "a limit of the server is reached for the moment"},
    {ErrorCode::kTimeout, "TIMEOUT", "no answer in time; the request may have been carried out"},
    {ErrorCode::kLogFull, "LOG_FULL", "the log of the shard is full for the moment"},
    {ErrorCode::kUnavailable, "UNAVAILABLE", "a server behind this one does not answer"},
    {ErrorCode::kOutOfOrder, "OUT_OF_ORDER", "the message that this one follows is not there yet"},
    {ErrorCode::kRateLimited, "RATE_LIMITED", "too many requests"},
    {ErrorCode::kShuttingDown, "SHUTTING_DOWN", "the server is stopping"},
    {ErrorCode::kInternal, "INTERNAL", "a bug of the server; it is in its log"},
};

const Entry* find(ErrorCode code) {
  const auto* entry = std::find_if(std::begin(kEntries), std::end(kEntries),
                                   [code](const Entry& e) { return e.code == code; });
  return entry == std::end(kEntries) ? nullptr : entry;
}

}  // namespace

std::string_view error_name(ErrorCode code) {
  const Entry* entry = find(code);
  return entry != nullptr ? entry->name : "UNKNOWN";
}

std::string_view error_text(ErrorCode code) {
  const Entry* entry = find(code);
  return entry != nullptr ? entry->text : "an error code of a newer version";
}

bool is_retryable(ErrorCode code) {
  return code >= ErrorCode::kBusy && code <= ErrorCode::kShuttingDown;
}

const std::vector<ErrorCode>& all_error_codes() {
  static const std::vector<ErrorCode> kAll = [] {
    std::vector<ErrorCode> codes;
    for (const Entry& entry : kEntries) codes.push_back(entry.code);
    return codes;
  }();
  return kAll;
}

}  // namespace martlet
