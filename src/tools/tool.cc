#include "tools/tool.h"

#include <cstdio>
#include <filesystem>
#include <fstream>

namespace martlet::tools {
namespace {

std::string server_file(const ToolOptions& options) {
  return options.home + "/server";
}

}  // namespace

void complain(const Error& error) {
  const std::string name(error_name(error.code));
  const std::string text =
      error.detail.empty() ? std::string(error_text(error.code)) : error.detail;
  std::fprintf(stderr, "martlet: %s: %s\n", name.c_str(), text.c_str());
}

Exit exit_of(const Error& error) {
  switch (error.code) {
    case ErrorCode::kNone:
      return Exit::kOk;
    case ErrorCode::kNotAuthenticated:
    case ErrorCode::kWrongPassword:
    case ErrorCode::kTokenInvalid:
    case ErrorCode::kTokenExpired:
    case ErrorCode::kTokenRevoked:
      return Exit::kNotLoggedIn;
    default:
      return is_retryable(error.code) ? Exit::kUnreachable : Exit::kRefused;
  }
}

Exit fail_with(const Error& error) {
  complain(error);
  return exit_of(error);
}

Duration timeout_of(const ToolOptions& options) {
  return std::chrono::milliseconds(static_cast<std::int64_t>(options.timeout_s * 1e3));
}

Result<client::AddressList> servers_of(const ToolOptions& options) {
  std::string servers = options.servers;
  if (servers.empty()) std::getline(std::ifstream(server_file(options)), servers);
  if (servers.empty()) {
    return fail(ErrorCode::kUnavailable, "which server? give --server HOST:PORT");
  }
  return client::AddressList::parse(servers);
}

void remember_servers(const ToolOptions& options) {
  if (options.servers.empty()) return;
  std::error_code ignored;
  std::filesystem::create_directories(options.home, ignored);
  std::ofstream(server_file(options)) << options.servers << "\n";
}

Result<UserId> parse_user(const std::string& text) {
  const std::optional<UserId> user = UserId::parse(text);
  if (!user) return fail(ErrorCode::kBadId, "not a user: " + text);
  return *user;
}

Result<DeviceId> parse_device(const std::string& text) {
  const std::optional<DeviceId> device = DeviceId::parse(text);
  if (!device) return fail(ErrorCode::kBadId, "not a device: " + text);
  return *device;
}

Result<ConversationId> parse_conversation(const UserId& self, const std::string& text) {
  if (text.find(':') != std::string::npos) {
    const std::optional<ConversationId> conversation = ConversationId::parse(text);
    if (!conversation) return fail(ErrorCode::kBadId, "not a conversation: " + text);
    return *conversation;
  }
  const Result<UserId> peer = parse_user(text);
  if (!peer) return tl::unexpected(peer.error());
  return ConversationId::between(self, *peer);
}

}  // namespace martlet::tools
