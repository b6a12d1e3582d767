#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "config/address.h"

namespace martlet::config {

// How a value is shown in logs.
enum class Show {
  kPlain,
  kMaskedUrl,  // its passwords are hidden
  kHidden,
};

// What people are told about a key.
struct Key {
  std::string name;    // dotted: "edge.listen"
  std::string type;    // string, integer, milliseconds, seconds, bytes, boolean, address …
  std::string unit;    // empty: none
  std::string bounds;  // empty: none
  std::string text;    // one sentence
  Show show = Show::kPlain;
  bool required = false;  // has no default that would be good
  std::string default_text;
};

struct Integers {
  std::int64_t min = 0;
  std::int64_t max = std::numeric_limits<std::int64_t>::max();
  std::string unit;
};
struct Lengths {
  std::size_t min = 0;
  std::size_t max = 1024;
};
struct Durations {
  Duration min{};
  Duration max{};
};
enum class PathRule { kAny, kExistingFile, kExistingDirectory };

// The keys of a process, bound to the fields that they fill. A service declares all of its own in
// one function:
//
//   void declare(config::Keys& keys, EdgeOptions& options) {
//     keys.address("edge.listen", &options.listen, "where clients connect");
//     keys.integer("edge.max_connections", &options.max_connections, {1, 1'000'000, "connections"},
//                  "more are refused");
//     keys.duration("edge.heartbeat_s", &options.heartbeat, {5s, 300s}, "told to clients");
//   }
//
// The field's value at the declaration is the default; where that breaks the key's own rule and is
// empty, the key is required. Fields must outlive the Keys. Declaring the same name twice, or a
// name that is not dotted words of a-z 0-9 _, asserts. Start-up only; one thread.
class Keys {
 public:
  void string(std::string name, std::string* target, Lengths lengths, std::string text);
  void choice(std::string name, std::string* target, std::vector<std::string> choices,
              std::string text);
  // Never logged. Like url, it may also be given as <name>_file, a file that holds the value.
  void secret(std::string name, std::string* target, Lengths lengths, std::string text);
  void url(std::string name, std::string* target, std::string text);
  // The same, but it may be left empty.
  void optional_url(std::string name, std::string* target, std::string text);
  void path(std::string name, std::string* target, PathRule rule, std::string text);
  void boolean(std::string name, bool* target, std::string text);
  void address(std::string name, Address* target, std::string text);
  void optional_address(std::string name, Address* target, std::string text);
  // With commas between them.
  void addresses(std::string name, std::vector<Address>* target, Lengths counts, std::string text);
  // Empty by default; commas between. `one` says what is allowed for each of them, in words; store
  // gets all, and its error is told without what it says.
  using Store = std::function<Result<void>(const std::vector<std::string_view>&)>;
  void list(std::string name, const std::string& one, Lengths counts, Store store,
            std::string text);
  // The unit is the end of the name: _ms or _s.
  void duration(std::string name, Duration* target, Durations bounds, std::string text);

  template <std::integral T>
  void integer(std::string name, T* target, Integers bounds, std::string text) {
    add_integer(std::move(name), *target, std::move(bounds), std::move(text),
                [target](std::int64_t value) { *target = static_cast<T>(value); });
  }
  // A number of bytes; also with the ending KiB, MiB or GiB.
  template <std::integral T>
  void bytes(std::string name, T* target, Integers bounds, std::string text) {
    add_bytes(std::move(name), static_cast<std::int64_t>(*target), std::move(bounds),
              std::move(text), [target](std::int64_t value) { *target = static_cast<T>(value); });
  }

  std::vector<Key> describe() const;

  // The rest is for load() and help().
  struct Declared {
    Key key;
    // Checks the text and fills the field. The error says what is allowed, without key or value.
    std::function<Result<void>(std::string_view)> set;
    std::string value;  // in effect, as text; load() keeps it up to date
    std::string from;   // "default", "config.toml:3", "MARTLET_NAME", "--name"
    std::string file;   // that holds the value, if it was given as <name>_file
  };
  std::vector<Declared>& declared() { return declared_; }
  const std::vector<Declared>& declared() const { return declared_; }
  Declared* find(std::string_view name);

 private:
  using Set = std::function<Result<void>(std::string_view)>;
  void add(Key key, std::string default_text, Set set);
  void add_integer(std::string name, std::int64_t value, Integers bounds, std::string text,
                   std::function<void(std::int64_t)> store);
  void add_bytes(std::string name, std::int64_t value, Integers bounds, std::string text,
                 std::function<void(std::int64_t)> store);
  void add_url(std::string name, std::string* target, Lengths lengths, std::string text);
  void add_address(std::string name, Address* target, bool optional, std::string text);

  std::vector<Declared> declared_;
};

}  // namespace martlet::config
