#pragma once

#include <functional>
#include <memory>
#include <string>

#include "bus/jetstream.h"
#include "bus/kv.h"
#include "bus/nats_bus.h"

namespace martlet::bus {

// The stream of a bucket, as ensure() makes it.
jetstream::StreamConfig kv_stream(std::string_view bucket, int replicas);

// A key-value bucket as the stream KV_<bucket> in the official layout, so that the usual tools can
// read it. A key that a tool has deleted reads as an empty value. Loop thread; the bus outlives it.
class NatsKv final : public Kv {
 public:
  NatsKv(NatsBus& bus, std::string bucket);

  void ensure(int replicas, Ensured callback) override;
  void get(std::string_view key, Got callback) override;
  void put(std::string_view key, BytesView value, Put callback) override;
  void update(std::string_view key, BytesView value, std::uint64_t expected, Put callback) override;
  void on_write(std::function<void(std::string_view key, BytesView value)> listener) override;

 private:
  void write(std::string_view key, std::span<const nats::Header> headers, BytesView value,
             Put callback);

  NatsBus& bus_;
  const std::string bucket_;
  const std::string stream_;
  const std::string prefix_;  // of the keys' subjects
  std::unique_ptr<Subscription> writes_;
};

}  // namespace martlet::bus
