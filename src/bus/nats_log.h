#pragma once

#include <memory>
#include <vector>

#include "bus/jetstream.h"
#include "bus/log.h"
#include "bus/nats_bus.h"

namespace martlet::bus {

// The shards' logs as JetStream streams IM_LOG_<shard>, by plain requests on JetStream's API
// subjects (docs/adr/0002). Loop thread; the bus outlives it and its readers.
class NatsLog final : public Log {
 public:
  explicit NatsLog(NatsBus& bus) : bus_(bus) {}

  void ensure(ShardId shard, const LogOptions& options, Done callback) override;
  void append(ShardId shard, LogSequence expected_last, BytesView batch, Duration timeout,
              Appended callback) override;
  void info(ShardId shard, Duration timeout, Info callback) override;
  void infos(const std::vector<ShardId>& shards, Duration timeout, Infos callback) override;
  std::unique_ptr<LogReader> read(ShardId shard, LogSequence from) override;
  void purge_below(ShardId shard, LogSequence keep_from, const LogInfo& now,
                   Done callback) override;

 private:
  NatsBus& bus_;
};

// The stream of a shard, as ensure() makes it.
jetstream::StreamConfig log_stream(ShardId shard, const LogOptions& options);

// The stream's limit above the owner's: it is never reached (nats-server 2.9 deletes the oldest
// entry there).
inline constexpr std::uint64_t kStreamReserveBytes = 16ULL << 20;

}  // namespace martlet::bus
