#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bus/kv.h"
#include "bus/log.h"

namespace martlet::test {

// Logs in memory with the rules of bus/log.h. Callbacks wait until step() or run(); faults are set
// by the test. Deterministic. Readers must not outlive it.
class MemoryLog final : public bus::Log {
 public:
  enum class Fault {
    kNone,
    kLoseAnswer,   // written, the answer never comes: kUnknown
    kLoseRequest,  // not written: kUnknown
    kHold,         // written and answered only by release()
    kRefuse,       // kRefused
  };

  void ensure(ShardId shard, const bus::LogOptions& options, Done callback) override;
  void append(ShardId shard, bus::LogSequence expected_last, BytesView batch, Duration timeout,
              Appended callback) override;
  void info(ShardId shard, Duration timeout, Info callback) override;
  void infos(const std::vector<ShardId>& shards, Duration timeout, Infos callback) override;
  std::unique_ptr<bus::LogReader> read(ShardId shard, bus::LogSequence from) override;
  void purge_below(ShardId shard, bus::LogSequence keep_from, const bus::LogInfo& now,
                   Done callback) override;

  bool step();
  void run();

  // For the next appends until changed.
  void set_fault(Fault fault) { fault_ = fault; }
  // Lets appends that were held go, in their order.
  void release();
  // While down every call fails with kUnavailable (appends kUnknown) and nothing is written.
  void set_down(bool down) { down_ = down; }
  // As somebody else's writer would.
  bus::LogSequence force_append(ShardId shard, BytesView batch);
  // The log loses everything behind `last` (a power cut).
  void lose_tail(ShardId shard, bus::LogSequence last);
  // All batches that are there.
  std::vector<bus::LogRecord> records(ShardId shard) const;

 private:
  friend class MemoryLogReader;
  struct Stream {
    std::deque<bus::LogRecord> records;
    std::uint64_t last = 0;
  };
  struct Reading {
    std::uint64_t next = 1;
    bool broken = false;
    std::size_t max_bytes = 0;
    bus::LogReader::Records callback;
  };

  bus::LogInfo info_of(ShardId shard, const Stream& stream) const;
  void write(ShardId shard, bus::LogSequence expected_last, const Bytes& batch,
             const Appended& callback);
  void serve(ShardId shard, const std::shared_ptr<Reading>& reading, bool may_wait);
  void wake_readers(ShardId shard);

  std::map<ShardId, Stream> streams_;
  std::deque<std::function<void()>> queue_;
  std::deque<std::function<void()>> held_;
  std::vector<std::pair<ShardId, std::weak_ptr<Reading>>> waiting_;
  Fault fault_ = Fault::kNone;
  bool down_ = false;
};

// A bucket in memory with the rules of bus/kv.h. Callbacks wait until step() or run().
class MemoryKv final : public bus::Kv {
 public:
  void ensure(int replicas, Ensured callback) override;
  void get(std::string_view key, Got callback) override;
  void put(std::string_view key, BytesView value, Put callback) override;
  void update(std::string_view key, BytesView value, std::uint64_t expected, Put callback) override;
  // Any number of listeners, so that several services can share one MemoryKv.
  void on_write(std::function<void(std::string_view, BytesView)> listener) override;

  bool step();
  void run();
  void set_down(bool down) { down_ = down; }
  void wipe();
  std::optional<bus::KvEntry> entry(const std::string& key) const;

 private:
  void write(std::string_view key, BytesView value, std::optional<std::uint64_t> expected,
             Put callback);

  std::map<std::string, bus::KvEntry> entries_;
  std::uint64_t revision_ = 0;
  std::deque<std::function<void()>> queue_;
  std::vector<std::function<void(std::string_view, BytesView)>> listeners_;
  bool down_ = false;
};

}  // namespace martlet::test
