#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"
#include "model/ids.h"

namespace martlet::bus {

// A stream sequence of a shard's log: 1, 2, 3 … within one life of the stream. LogPosition is
// base + this.
using LogSequence = Strong<struct LogSequenceTag>;

struct LogInfo {
  ShardId shard;
  LogSequence first;  // 1 and last 0 when nothing was ever written; first = last + 1: emptied
  LogSequence last;
  std::uint64_t bytes = 0;
};

struct LogInfos {
  std::vector<LogInfo> found;
  std::vector<ShardId> silent;  // logs that exist, but nobody who has them answers
};

enum class AppendFailure {
  kWrongSequence,  // refused: somebody else wrote, or a part of the log is gone
  kRefused,        // refused for another reason (limits, no stream); not written
  kUnknown,        // time-out or lost connection: may be written, now or later
};

struct AppendError {
  AppendFailure failure = AppendFailure::kUnknown;
  std::string detail;
};

struct LogRecord {
  LogSequence sequence;
  Bytes batch;  // logproto Batch, not verified yet
};

// Reads a log forward. One request at a time. Destroying it ends the consumer.
class LogReader {
 public:
  using Records = std::function<void(Result<std::vector<LogRecord>>)>;
  virtual ~LogReader() = default;

  // Calls back once, with at least one record or, after max_wait without any, with none. Records
  // follow each other without a gap from the sequence asked for; a gap (purge overtook the reader,
  // or the start was clamped) is an error kConflict, and the reader is of no use any more; so is
  // any other error.
  virtual void next(std::size_t max_bytes, Duration max_wait, Records callback) = 0;
};

struct LogOptions {
  std::uint64_t max_bytes = 256ULL << 20;  // the owner's limit; the stream's lies 16 MiB above
  int replicas = 1;
};

// The durable logs (JetStream). One writer a shard, fenced by the expected sequence. Loop thread;
// every callback is called exactly once.
class Log {
 public:
  using Appended = std::function<void(tl::expected<LogSequence, AppendError>)>;
  using Info = std::function<void(Result<LogInfo>)>;
  using Infos = std::function<void(Result<LogInfos>)>;
  using Done = std::function<void(Result<void>)>;
  virtual ~Log() = default;

  // Creates the shard's stream if there is none. The limit of one that exists is adapted, though
  // never below what it holds; a stream with other settings is an error (kConflict).
  virtual void ensure(ShardId shard, const LogOptions& options, Done callback) = 0;

  // Appends if and only if the last sequence of the log is `expected_last`.
  virtual void append(ShardId shard, LogSequence expected_last, BytesView batch, Duration timeout,
                      Appended callback) = 0;

  virtual void info(ShardId shard, Duration timeout, Info callback) = 0;
  // Of these shards, or of all if there are none, in one look-up; logs that do not exist are left
  // out. May tell of more than was asked for.
  virtual void infos(const std::vector<ShardId>& shards, Duration timeout, Infos callback) = 0;

  // From `from` (>= 1) on. A start outside the log is an error of the first next().
  virtual std::unique_ptr<LogReader> read(ShardId shard, LogSequence from) = 0;

  // Deletes everything below `keep_from`. Only persist does this. Refused (kBadRange) unless
  // first < keep_from <= last and keep_from > 1: on nats-server 2.9 a 0 or 1 deletes the whole
  // stream and a sequence past the end breaks the fence.
  virtual void purge_below(ShardId shard, LogSequence keep_from, const LogInfo& now,
                           Done callback) = 0;
};

}  // namespace martlet::bus
