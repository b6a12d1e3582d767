#include "tools/tool.h"

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <optional>

namespace martlet::tools {
namespace {

std::string server_file(const ToolOptions& options) {
  return options.home + "/server";
}

std::string tls_file(const ToolOptions& options) {
  return options.home + "/tls";
}

bool wants_tls(const ToolOptions& options) {
  return options.tls || !options.tls_ca.empty() || !options.tls_name.empty();
}

// What the home remembers: the file of certificates, then the name.
std::optional<net::TlsClientOptions> remembered_tls(const ToolOptions& options) {
  std::ifstream file(tls_file(options));
  if (!file) return std::nullopt;
  net::TlsClientOptions known;
  std::getline(file, known.ca_file);
  std::getline(file, known.server_name);
  return known;
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

// A server that was reached by TLS once is not spoken to in the clear because a later command does
// not say so again.
Result<std::unique_ptr<net::TlsClient>> tls_of(const ToolOptions& options) {
  auto known = remembered_tls(options);
  if (wants_tls(options)) known = net::TlsClientOptions{options.tls_ca, options.tls_name};
  if (!known || (!options.servers.empty() && !wants_tls(options))) return nullptr;
  auto tls = net::TlsClient::open(*known);
  if (!tls) return fail(ErrorCode::kBadContent, "--tls-ca " + tls.error().detail);
  return tls;
}

void remember_servers(const ToolOptions& options) {
  if (options.servers.empty()) return;
  std::error_code ignored;
  std::filesystem::create_directories(options.home, ignored);
  std::ofstream(server_file(options)) << options.servers << "\n";
  if (!wants_tls(options)) {
    std::filesystem::remove(tls_file(options), ignored);
    return;
  }
  const std::string ca =
      options.tls_ca.empty() ? "" : std::filesystem::absolute(options.tls_ca, ignored).string();
  std::ofstream(tls_file(options)) << ca << "\n" << options.tls_name << "\n";
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
