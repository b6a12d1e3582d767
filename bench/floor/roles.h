#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/random.h"
#include "bench/floor/sizes.h"
#include "bench/latencies.h"
#include "bus/nats_bus.h"
#include "bus/nats_log.h"

namespace martlet::bench {

// What the three services do with the broker for each message, and nothing else of what they do: no
// clients, no checks, no database. Each role has a loop, a thread and connections of its own.

inline constexpr std::uint16_t kFloorShards = 16;

// How the roles tell each other which message they mean: the first bytes of every payload.
struct Tag {
  std::uint64_t number;  // of the edge that sent it
  std::uint32_t edge;
  std::uint32_t sender;
  std::uint32_t recipient;
};

struct FloorOptions {
  std::string url;
  std::size_t users = 1'000;
  std::uint32_t edges = 2;
  std::size_t in_flight = 512;
  Sizes sizes;
};

class Role {
 public:
  Role(const FloorOptions& options, const std::string& name);
  virtual ~Role() = default;
  event::Loop& loop() { return loop_; }
  // Loop thread: subscribes, and calls back when the broker knows it.
  virtual void start(std::function<void()> ready) = 0;

 protected:
  event::Loop loop_;
  const FloorOptions& options_;
  std::unique_ptr<bus::NatsBus> bus_;
  std::vector<std::unique_ptr<bus::Subscription>> subscriptions_;
};

// Publishes frames for its users, and gets answers and events: those of a share of the users.
class FloorEdge final : public Role {
 public:
  FloorEdge(const FloorOptions& options, std::uint32_t number);
  void start(std::function<void()> ready) override;
  // Loop thread.
  void begin();
  void stop() { sending_ = false; }
  void measure(bool on) { measuring_ = on; }
  const Latencies& latencies() const { return latencies_; }

  std::atomic<std::uint64_t> answered = 0;
  std::atomic<std::uint64_t> received = 0;

 private:
  bool is_ours(std::size_t user) const { return user % options_.edges == number_; }
  void send();
  void on_answers(BytesView payload);

  const std::uint32_t number_;
  bool sending_ = false;
  bool measuring_ = false;
  Bytes frame_;
  std::uint64_t last_ = 0;
  SeededRandom random_{1};                                 // the same in each run
  std::unordered_map<std::uint64_t, MonotonicTime> sent_;  // without an answer yet
  SystemClock clock_;
  Latencies latencies_;
};

// Appends the frames of each shard in batches, one append at a time, then answers and publishes.
class FloorDispatcher final : public Role {
 public:
  explicit FloorDispatcher(const FloorOptions& options);
  void start(std::function<void()> ready) override;

 private:
  struct Shard {
    std::vector<Tag> open;
    std::vector<Tag> under_way;
    bus::LogSequence last;
    bool is_flush_due = false;
  };
  void flush(ShardId id);
  void publish(const Shard& shard);

  bus::NatsLog log_;
  std::vector<Shard> shards_;
};

// Reads the logs as persist does.
class FloorReader final : public Role {
 public:
  explicit FloorReader(const FloorOptions& options);
  void start(std::function<void()> ready) override;

 private:
  void next(std::uint16_t shard);

  bus::NatsLog log_;
  std::vector<std::unique_ptr<bus::LogReader>> readers_;
};

}  // namespace martlet::bench
