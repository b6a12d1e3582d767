#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"

namespace martlet::bus {

struct KvEntry {
  std::string key;
  Bytes value;
  std::uint64_t revision = 0;  // grows with every write of the bucket
};

// One JetStream key-value bucket, without an age limit, history 1. Loop thread; every callback is
// called exactly once.
class Kv {
 public:
  using Got = std::function<void(Result<std::optional<KvEntry>>)>;
  using Put = std::function<void(Result<std::uint64_t>)>;
  using Done = std::function<void(Result<void>)>;
  // Whether anything was ever written to it.
  using Ensured = std::function<void(Result<bool>)>;
  virtual ~Kv() = default;

  // Makes it if there is none. One that another service is making right now may be empty and not
  // be ready for anything but a write: nats-server 2.9.10 crashes when it is read then.
  virtual void ensure(int replicas, Ensured callback) = 0;
  virtual void get(std::string_view key, Got callback) = 0;
  virtual void put(std::string_view key, BytesView value, Put callback) = 0;
  // Writes only if the key's revision is still `expected` (0: the key does not exist); else
  // kConflict.
  virtual void update(std::string_view key, BytesView value, std::uint64_t expected,
                      Put callback) = 0;
  // Every write of anybody, accepted or not yet, as a hint that the key may have changed. One
  // listener.
  virtual void on_write(std::function<void(std::string_view key, BytesView value)> listener) = 0;
};

}  // namespace martlet::bus
