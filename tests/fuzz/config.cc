// A configuration: the file, a NUL, variables, a NUL, flags, the latter two line by line. What is
// accepted keeps to the bounds, shows no secret, and is accepted again as flags.
#include <sys/mman.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "base/assert.h"
#include "config/help.h"
#include "config/load.h"
#include "input.h"
#include "targets.h"

namespace martlet::fuzz {
namespace {

using namespace std::chrono_literals;

struct Options {
  config::Address listen{"127.0.0.1", 1};
  config::Address also;
  std::vector<config::Address> seeds;
  std::string name = "edge";
  std::string level = "info";
  std::string password;
  std::string url = "nats://host";
  std::uint16_t connections = 5;
  std::int64_t bytes = 4096;
  bool strict = false;
  Duration patience = 5s;

  void declare(config::Keys& keys) {
    keys.address("edge.listen", &listen, "where clients connect");
    keys.optional_address("edge.also", &also, "another one");
    keys.addresses("edge.seeds", &seeds, {0, 3}, "some more");
    keys.string("name", &name, {1, 16}, "a label");
    keys.choice("log.level", &level, {"info", "debug"}, "how much is told");
    keys.secret("db.password", &password, {0, 64}, "not for everybody");
    keys.url("nats.url", &url, "where the broker is");
    keys.integer("edge.connections", &connections, {1, 1000, "connections"}, "at most");
    keys.bytes("edge.buffer_bytes", &bytes, {1, 1 << 20, "bytes"}, "at most");
    keys.boolean("edge.strict", &strict, "or not");
    keys.duration("edge.patience_ms", &patience, {1ms, 60s}, "so long");
  }
};

std::vector<std::string> lines_of(BytesView text) {
  Input input(text);
  std::vector<std::string> lines;
  while (!input.rest().empty()) lines.emplace_back(input.take_until('\n'));
  return lines;
}

void check(const Options& options, const config::Keys& keys) {
  MARTLET_ASSERT(!options.name.empty() && options.name.size() <= 16 && options.seeds.size() <= 3);
  MARTLET_ASSERT(options.level == "info" || options.level == "debug");
  MARTLET_ASSERT(options.connections >= 1 && options.connections <= 1000);
  MARTLET_ASSERT(options.bytes >= 1 && options.bytes <= 1 << 20);
  MARTLET_ASSERT(options.patience >= 1ms && options.patience <= 60s);
  const std::string shown = config::effective(keys);
  const bool is_hidden = shown.find("db.password=***") != std::string::npos;
  MARTLET_ASSERT(is_hidden || options.password.empty());

  config::Sources flags;
  for (const auto& one : keys.declared()) {
    if (one.from != "default") flags.arguments.push_back("--" + one.key.name + "=" + one.value);
  }
  Options again;
  config::Keys other_keys;
  again.declare(other_keys);
  MARTLET_ASSERT(config::load(other_keys, flags).has_value());
  MARTLET_ASSERT(again.listen == options.listen && again.seeds == options.seeds);
  MARTLET_ASSERT(again.password == options.password && again.patience == options.patience);
}

}  // namespace

void config(BytesView bytes) {
  Input input(bytes);
  const BytesView file = input.take_until('\0');
  const int fd = ::memfd_create("config", MFD_CLOEXEC);
  MARTLET_ASSERT(fd >= 0 && ::write(fd, file.data(), file.size()) >= 0);
  martlet::config::Sources sources;
  sources.environment = lines_of(input.take_until('\0'));
  sources.environment.push_back("MARTLET_CONFIG=/proc/self/fd/" + std::to_string(fd));
  sources.arguments = lines_of(input.rest());
  Options options;
  martlet::config::Keys keys;
  options.declare(keys);
  if (martlet::config::load(keys, sources)) check(options, keys);
  ::close(fd);
}

}  // namespace martlet::fuzz
