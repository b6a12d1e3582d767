#include "tools/register.h"

#include "tools/edge_link.h"
#include "tools/output.h"
#include "tools/simple_commands.h"
#include "wire/requests.h"

namespace martlet::tools {

Exit register_user(const ToolOptions& options, const std::string& user, const std::string& device,
                   const std::string& password) {
  const Result<UserId> name = parse_user(user);
  if (!name) return fail_with(name.error());
  EdgeLink edge;
  if (const Result<void> connected = edge.connect(options); !connected) {
    return fail_with(connected.error());
  }
  wire::Register body;
  body.user = *name;
  body.password = password;
  const Result<Bytes> answer = edge.ask(wire::Command::Register, wire::encode(body));
  if (!answer) return fail_with(answer.error());
  Output(options.json).note("registered", "registered " + user);
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
