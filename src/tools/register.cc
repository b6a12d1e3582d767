#include "tools/register.h"

#include <algorithm>
#include <thread>

#include "base/clock.h"
#include "client/file_store.h"
#include "tools/edge_link.h"
#include "tools/output.h"
#include "tools/simple_commands.h"
#include "wire/requests.h"

namespace martlet::tools {
namespace {

constexpr Duration kRetryWait = std::chrono::milliseconds(300);

// One attempt.
Result<Bytes> ask_once(const ToolOptions& options, const wire::Register& body) {
  EdgeLink edge;
  if (const Result<void> connected = edge.connect(options); !connected) {
    return tl::unexpected(connected.error());
  }
  return edge.ask(wire::Command::Register, wire::encode(body));
}

// An attempt without an answer may have been carried out: after one, the name being taken is no
// failure yet, the password decides.
Result<void> ask_until_answered(const ToolOptions& options, const wire::Register& body) {
  const SystemClock clock;
  const auto limit = std::chrono::milliseconds(static_cast<long>(options.timeout_s * 1e3));
  const MonotonicTime deadline = clock.now() + limit;
  for (bool is_repeat = false;; is_repeat = true) {
    const Result<Bytes> answer = ask_once(options, body);
    if (answer) return {};
    if (is_repeat && answer.error().code == ErrorCode::kUserTaken) return {};
    const Duration told = std::chrono::milliseconds(answer.error().retry_after_ms);
    const Duration wait = std::max(kRetryWait, told);
    if (!is_retryable(answer.error().code) || clock.now() + wait >= deadline) {
      return tl::unexpected(answer.error());
    }
    std::this_thread::sleep_for(wait);
  }
}

// A new account has no past: what the home remembers is of one that another server had, or this one
// before it was wiped. Its cursors would hide the new messages.
Result<void> forget_home(const ToolOptions& options) {
  const auto store = client::FileStore::open(options.home);
  if (!store) return tl::unexpected(store.error());
  return (*store)->forget();
}

}  // namespace

Exit register_user(const ToolOptions& options, const std::string& user, const std::string& device,
                   const std::string& password) {
  const Result<UserId> name = parse_user(user);
  if (!name) return fail_with(name.error());
  wire::Register body;
  body.user = *name;
  body.password = password;
  if (const Result<void> done = ask_until_answered(options, body); !done) {
    return fail_with(done.error());
  }
  Output(options.json).note("registered", "registered " + user);
  if (const Result<void> done = forget_home(options); !done) return fail_with(done.error());
  return log_in(options, user, device, password);
}

Exit log_in(const ToolOptions& options, const std::string& user, const std::string& device,
            const std::string& password) {
  const Result<UserId> name = parse_user(user);
  if (!name) return fail_with(name.error());
  const Result<DeviceId> device_name = parse_device(device);
  if (!device_name) return fail_with(device_name.error());
  Login login(options);
  login.log_in_as(*name, *device_name, password);
  return login.run();
}

}  // namespace martlet::tools
