#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "bus/kv.h"
#include "bus/log.h"
#include "sim/broker.h"

namespace martlet::sim {

// What JetStream keeps, at the servers: the logs of the shards and the lease bucket, with what is
// known of them (design, section 9). It survives the death of servers; a power cut takes the tails.
class JetStream {
 public:
  struct Stream {
    std::deque<bus::LogRecord> records;
    std::deque<MonotonicTime> times;  // of the records
    std::uint64_t last = 0;
    std::uint64_t bytes = 0;
    std::uint64_t max_bytes = 0;
    std::vector<Task> waiting;  // readers at the end
    Task held;                  // an append that waits for the worst moment
    MonotonicTime held_until{};
    std::uint64_t power_cuts = 0;
  };

  bool has(ShardId shard) const { return streams_.contains(shard); }
  Stream& stream(ShardId shard) { return streams_[shard]; }
  void ensure(ShardId shard, std::uint64_t max_bytes);
  tl::expected<bus::LogSequence, bus::AppendError> append(ShardId shard, std::uint64_t expected,
                                                          const Bytes& batch);
  // One that was refused while another was under way: perhaps it is applied all the same.
  void append_later(ShardId shard, const Bytes& batch);
  // True: it is kept, until its author has given up and somebody has read the log.
  bool hold(ShardId shard, std::uint64_t expected, const Bytes& batch);
  void was_read(ShardId shard);
  bus::LogInfo info(ShardId shard);
  std::vector<bus::LogInfo> infos();
  // As the server does it: 0 or 1 deletes everything, a sequence past the end moves the end.
  void purge(ShardId shard, std::uint64_t keep_from);

  // ---- faults
  // What was written within this time, of a shard, is lost. How many entries.
  std::size_t lose_tail(ShardId shard, Duration time);
  // Ends are told as they were so long ago.
  Duration ends_late{};
  std::size_t refuse_appends = 0;  // the next so many
  std::size_t hold_changes = 0;    // the next so many appends with a change of members
  std::size_t both_win = 0;        // losers of the bucket's updates are told that they won

  // ---- the bucket
  std::map<std::string, bus::KvEntry> entries;
  std::uint64_t revision = 0;
  struct Listener {
    LinkPtr link;
    std::function<void(std::string_view, BytesView)> call;
  };
  std::vector<Listener> listeners;
  Result<std::uint64_t> write(const std::string& key, const Bytes& value,
                              std::optional<std::uint64_t> expected);

 private:
  void wake(Stream& stream);
  void cut_front(Stream& stream);

  std::map<ShardId, Stream> streams_;
};

// A process's view of the logs.
class SimLog final : public bus::Log {
 public:
  SimLog(Broker& broker, JetStream& jetstream, LinkPtr link)
      : broker_(broker), jetstream_(jetstream), link_(std::move(link)) {}

  void ensure(ShardId shard, const bus::LogOptions& options, Done callback) override;
  void append(ShardId shard, bus::LogSequence expected_last, BytesView batch, Duration timeout,
              Appended callback) override;
  void info(ShardId shard, Duration timeout, Info callback) override;
  void infos(const std::vector<ShardId>& shards, Duration timeout, Infos callback) override;
  std::unique_ptr<bus::LogReader> read(ShardId shard, bus::LogSequence from) override;
  void purge_below(ShardId shard, bus::LogSequence keep_from, const bus::LogInfo& now,
                   Done callback) override;

 private:
  Broker& broker_;
  JetStream& jetstream_;
  LinkPtr link_;
  // Appends without an answer yet.
  std::shared_ptr<std::map<ShardId, int>> under_way_ = std::make_shared<std::map<ShardId, int>>();
};

// A process's view of the lease bucket.
class SimKv final : public bus::Kv {
 public:
  SimKv(Broker& broker, JetStream& jetstream, LinkPtr link)
      : broker_(broker), jetstream_(jetstream), link_(std::move(link)) {}
  ~SimKv() override;
  SimKv(const SimKv&) = delete;
  SimKv& operator=(const SimKv&) = delete;

  void ensure(int replicas, Ensured callback) override;
  void get(std::string_view key, Got callback) override;
  void put(std::string_view key, BytesView value, Put callback) override;
  void update(std::string_view key, BytesView value, std::uint64_t expected, Put callback) override;
  void on_write(std::function<void(std::string_view, BytesView)> listener) override;

 private:
  void write(std::string_view key, BytesView value, std::optional<std::uint64_t> expected,
             Put callback);

  Broker& broker_;
  JetStream& jetstream_;
  LinkPtr link_;
};

}  // namespace martlet::sim
