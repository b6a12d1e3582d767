#pragma once

#include <memory>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "client/address_list.h"
#include "model/conversation.h"
#include "model/ids.h"
#include "net/tls.h"

// What all commands of the command line client share.
namespace martlet::tools {

// The exit code of the program; --help lists them.
enum class Exit : int {
  kOk = 0,
  kRefused = 1,      // the server refused it finally
  kUsage = 2,        // wrong arguments
  kUnreachable = 3,  // no server, or not in time; try again
  kNotLoggedIn = 4,  // no, wrong or expired credentials
  kLocal = 5         // the home directory can't be used, or is in use
};

// The options before the command.
struct ToolOptions {
  std::string servers;  // empty: those of the last register or login
  std::string home;
  bool tls = false;      // with a given server; else what the home remembers
  std::string tls_ca;    // empty: what the system trusts
  std::string tls_name;  // empty: the host connected to
  std::string api;
  std::string api_token_file;  // for all of the api but routes
  std::string route;           // a strategy of the api, or "default"; empty: the servers in turn
  bool json = false;
  bool verbose = false;
  double timeout_s = 30;
};

// "martlet: NO_SUCH_USER: …" on standard error.
void complain(const Error& error);
Exit exit_of(const Error& error);
// Both.
Exit fail_with(const Error& error);

Duration timeout_of(const ToolOptions& options);

// The addresses given, or remembered in the home.
Result<client::AddressList> servers_of(const ToolOptions& options);
// For the connections to them; null: in the clear. An error: the file of --tls-ca.
Result<std::unique_ptr<net::TlsClient>> tls_of(const ToolOptions& options);
// For the commands to come; with how to speak to them.
void remember_servers(const ToolOptions& options);

Result<UserId> parse_user(const std::string& text);
Result<DeviceId> parse_device(const std::string& text);
// A user's name: the one-to-one conversation with it; or a conversation as it is printed.
Result<ConversationId> parse_conversation(const UserId& self, const std::string& text);

}  // namespace martlet::tools
