#include "tools/register.h"

#include <algorithm>
#include <thread>

#include "base/clock.h"
#include "client/file_store.h"
#include "tools/edge_link.h"
#include "tools/output.h"
#include "tools/simple_commands.h"
#include "wire/answers.h"
#include "wire/requests.h"

namespace martlet::tools {
namespace {

constexpr Duration kRetryWait = std::chrono::milliseconds(300);

struct Asked {
  Result<Bytes> answer;
  bool is_repeat = false;  // an attempt without an answer may have been carried out
};

Result<Bytes> ask_once(const ToolOptions& options, wire::Command command, BytesView body) {
  EdgeLink edge;
  if (const Result<void> connected = edge.connect(options); !connected) {
    return tl::unexpected(connected.error());
  }
  return edge.ask(command, body);
}

Asked ask_until_answered(const ToolOptions& options, wire::Command command, BytesView body) {
  const SystemClock clock;
  const Duration limit = timeout_of(options);
  const MonotonicTime deadline = clock.now() + limit;
  for (bool is_repeat = false;; is_repeat = true) {
    Result<Bytes> answer = ask_once(options, command, body);
    if (answer) return {std::move(answer), is_repeat};
    const Duration told = std::chrono::milliseconds(answer.error().retry_after_ms);
    const Duration wait = std::max(kRetryWait, told);
    if (!is_retryable(answer.error().code) || clock.now() + wait >= deadline) {
      return {std::move(answer), is_repeat};
    }
    std::this_thread::sleep_for(wait);
  }
}

Exit fail_with_home(const Error& error) {
  complain(error);
  return Exit::kLocal;
}

// A new account has no past: what the home remembers is of one that another server had, or this one
// before it was wiped. Its cursors would hide the new messages.
Result<void> forget_home(const ToolOptions& options) {
  const auto store = client::FileStore::open(options.home);
  if (!store) return tl::unexpected(store.error());
  return (*store)->forget();
}

}  // namespace

Exit register_user(const ToolOptions& options, const Account& account) {
  const Result<UserId> name = parse_user(account.user);
  if (!name) return fail_with(name.error());
  wire::Register body;
  body.user = *name;
  body.password = account.password;
  const auto [answer, is_repeat] =
      ask_until_answered(options, wire::Command::Register, wire::encode(body));
  // Taken by the attempt before, maybe: the password decides.
  const bool is_done = answer || (is_repeat && answer.error().code == ErrorCode::kUserTaken);
  if (!is_done) return fail_with(answer.error());
  Output(options.json).note("registered", "registered " + account.user);
  if (const Result<void> done = forget_home(options); !done) return fail_with(done.error());
  return log_in(options, account);
}

Exit log_in(const ToolOptions& options, const Account& account) {
  const Result<UserId> name = parse_user(account.user);
  if (!name) return fail_with(name.error());
  const Result<DeviceId> device_name = parse_device(account.device);
  if (!device_name) return fail_with(device_name.error());
  // Nothing of the home changes before the server has agreed.
  auto store = client::FileStore::open(options.home);
  if (!store) return fail_with_home(store.error());
  const wire::Login body{
      .user = *name, .device = *device_name, .password = account.password, .token = account.token};
  const Asked asked = ask_until_answered(options, wire::Command::Login, wire::encode(body));
  if (!asked.answer) return fail_with(asked.answer.error());
  const auto tokens = wire::parse_tokens(*asked.answer);
  if (!tokens) return fail_with(tokens.error());
  const WallMs life_ms = WallMs{1000} * tokens->expires_in_s;
  (*store)->set_credentials({*name, *device_name, std::string(tokens->access_token),
                             std::string(tokens->refresh_token),
                             SystemClock().wall_ms() + life_ms});
  if (const std::string problem = (*store)->problem(); !problem.empty()) {
    return fail_with_home({ErrorCode::kInternal, problem});
  }
  store->reset();
  return Login(options).run();
}

}  // namespace martlet::tools
