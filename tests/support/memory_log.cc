#include "support/memory_log.h"

#include <utility>

namespace martlet::test {
namespace {

using bus::AppendError;
using bus::AppendFailure;
using bus::LogInfo;
using bus::LogRecord;
using bus::LogSequence;

bool step_of(std::deque<std::function<void()>>& queue) {
  if (queue.empty()) return false;
  const auto task = std::move(queue.front());
  queue.pop_front();
  task();
  return true;
}

tl::unexpected<Error> unavailable() {
  return fail(ErrorCode::kUnavailable, "down");
}

}  // namespace

// max_wait is not measured: a reader waits until there is something or the log goes down; with
// max_wait zero it is told at once that there is nothing.
class MemoryLogReader final : public bus::LogReader {
 public:
  MemoryLogReader(MemoryLog& log, ShardId shard, LogSequence from) : log_(log), shard_(shard) {
    reading_->next = from.value();
  }

  void next(std::size_t max_bytes, Duration max_wait, Records callback) override {
    reading_->max_bytes = max_bytes;
    reading_->callback = std::move(callback);
    log_.queue_.push_back([&log = log_, shard = shard_, weak = std::weak_ptr(reading_),
                           may_wait = max_wait > Duration(0)] {
      if (const auto reading = weak.lock()) log.serve(shard, reading, may_wait);
    });
  }

 private:
  MemoryLog& log_;
  const ShardId shard_;
  std::shared_ptr<MemoryLog::Reading> reading_ = std::make_shared<MemoryLog::Reading>();
};

LogInfo MemoryLog::info_of(ShardId shard, const Stream& stream) const {
  LogInfo info{shard, LogSequence(stream.last + 1), LogSequence(stream.last)};
  if (!stream.records.empty()) info.first = stream.records.front().sequence;
  for (const LogRecord& record : stream.records) info.bytes += record.batch.size();
  return info;
}

void MemoryLog::ensure(ShardId shard, const bus::LogOptions&, Done callback) {
  queue_.push_back([this, shard, callback = std::move(callback)] {
    if (down_) return callback(unavailable());
    streams_.try_emplace(shard);
    callback({});
  });
}

void MemoryLog::append(ShardId shard, LogSequence expected_last, BytesView batch, Duration,
                       Appended callback) {
  const auto unknown = [callback] {
    callback(tl::unexpected(AppendError{AppendFailure::kUnknown, "no answer"}));
  };
  auto work = [this, shard, expected_last, batch = Bytes(batch), callback] {
    write(shard, expected_last, batch, callback);
  };
  switch (down_ ? Fault::kLoseRequest : fault_) {
    case Fault::kNone:
      queue_.push_back(work);
      return;
    case Fault::kHold:
      held_.push_back(work);
      return;
    case Fault::kLoseAnswer:
      queue_.push_back([this, shard, expected_last, batch = Bytes(batch), unknown] {
        write(shard, expected_last, batch, [](auto) {});
        unknown();
      });
      return;
    case Fault::kLoseRequest:
      queue_.push_back(unknown);
      return;
    case Fault::kRefuse:
      queue_.push_back([callback] {
        callback(tl::unexpected(AppendError{AppendFailure::kRefused, "refused"}));
      });
      return;
  }
}

void MemoryLog::write(ShardId shard, LogSequence expected_last, const Bytes& batch,
                      const Appended& callback) {
  const auto found = streams_.find(shard);
  if (found == streams_.end()) {
    return callback(tl::unexpected(AppendError{AppendFailure::kRefused, "no stream"}));
  }
  if (found->second.last != expected_last.value()) {
    return callback(tl::unexpected(AppendError{AppendFailure::kWrongSequence, "wrong sequence"}));
  }
  callback(force_append(shard, batch));
}

LogSequence MemoryLog::force_append(ShardId shard, BytesView batch) {
  Stream& stream = streams_[shard];
  const LogSequence sequence(++stream.last);
  stream.records.push_back({sequence, Bytes(batch)});
  wake_readers(shard);
  return sequence;
}

void MemoryLog::release() {
  for (auto& work : std::exchange(held_, {})) queue_.push_back(std::move(work));
}

void MemoryLog::info(ShardId shard, Duration, Info callback) {
  queue_.push_back([this, shard, callback = std::move(callback)] {
    const auto found = streams_.find(shard);
    if (down_ || found == streams_.end()) return callback(unavailable());
    callback(info_of(shard, found->second));
  });
}

void MemoryLog::infos(const std::vector<ShardId>&, Duration, Infos callback) {
  queue_.push_back([this, callback = std::move(callback)] {
    if (down_) return callback(unavailable());
    bus::LogInfos result;
    for (const auto& [shard, stream] : streams_) result.found.push_back(info_of(shard, stream));
    callback(std::move(result));
  });
}

std::unique_ptr<bus::LogReader> MemoryLog::read(ShardId shard, LogSequence from) {
  return std::make_unique<MemoryLogReader>(*this, shard, from);
}

void MemoryLog::serve(ShardId shard, const std::shared_ptr<Reading>& reading, bool may_wait) {
  const auto answer = [&](auto result) { std::exchange(reading->callback, nullptr)(result); };
  using Records = Result<std::vector<LogRecord>>;
  const auto found = streams_.find(shard);
  if (down_ || found == streams_.end()) {
    reading->broken = true;
    return answer(Records(unavailable()));
  }
  const LogInfo info = info_of(shard, found->second);
  const bool outside = reading->next < info.first.value() || reading->next > info.last.value() + 1;
  if (outside || reading->broken) {
    reading->broken = true;
    return answer(Records(fail(ErrorCode::kConflict, "a gap")));
  }
  std::vector<LogRecord> records;
  std::size_t bytes = 0;
  for (const LogRecord& record : found->second.records) {
    if (record.sequence.value() < reading->next) continue;
    if (!records.empty() && bytes + record.batch.size() > reading->max_bytes) break;
    bytes += record.batch.size();
    records.push_back(record);
  }
  if (records.empty() && may_wait) return waiting_.emplace_back(shard, reading), void();
  reading->next += records.size();
  answer(Records(std::move(records)));
}

void MemoryLog::wake_readers(ShardId shard) {
  for (auto& [waiting_shard, weak] : std::exchange(waiting_, {})) {
    if (waiting_shard != shard) {
      waiting_.emplace_back(waiting_shard, weak);
      continue;
    }
    queue_.push_back([this, shard, weak = weak] {
      if (const auto reading = weak.lock()) serve(shard, reading, true);
    });
  }
}

void MemoryLog::purge_below(ShardId shard, LogSequence keep_from, const LogInfo& now,
                            Done callback) {
  const bool inside = now.first < keep_from && keep_from <= now.last && keep_from.value() > 1;
  queue_.push_back([this, shard, keep_from, inside, callback = std::move(callback)] {
    if (!inside) return callback(fail(ErrorCode::kBadRange, "outside the log"));
    const auto found = streams_.find(shard);
    if (down_ || found == streams_.end()) return callback(unavailable());
    auto& records = found->second.records;
    while (!records.empty() && records.front().sequence < keep_from) records.pop_front();
    callback({});
  });
}

bool MemoryLog::step() {
  return step_of(queue_);
}

void MemoryLog::run() {
  while (step()) {
  }
}

void MemoryLog::lose_tail(ShardId shard, LogSequence last) {
  Stream& stream = streams_[shard];
  while (!stream.records.empty() && stream.records.back().sequence > last) {
    stream.records.pop_back();
  }
  stream.last = std::min(stream.last, last.value());
}

std::vector<LogRecord> MemoryLog::records(ShardId shard) const {
  const auto found = streams_.find(shard);
  if (found == streams_.end()) return {};
  return {found->second.records.begin(), found->second.records.end()};
}

void MemoryKv::ensure(int, Ensured callback) {
  queue_.push_back([this, callback = std::move(callback)] {
    if (down_) return callback(unavailable());
    callback(!entries_.empty());
  });
}

void MemoryKv::get(std::string_view key, Got callback) {
  queue_.push_back([this, key = std::string(key), callback = std::move(callback)] {
    if (down_) return callback(unavailable());
    callback(entry(key));
  });
}

void MemoryKv::put(std::string_view key, BytesView value, Put callback) {
  write(key, value, std::nullopt, std::move(callback));
}

void MemoryKv::update(std::string_view key, BytesView value, std::uint64_t expected, Put callback) {
  write(key, value, expected, std::move(callback));
}

void MemoryKv::write(std::string_view key, BytesView value, std::optional<std::uint64_t> expected,
                     Put callback) {
  queue_.push_back([this, key = std::string(key), value = Bytes(value), expected,
                    callback = std::move(callback)] {
    if (down_) return callback(unavailable());
    for (const auto& listener : listeners_) {
      queue_.push_back([listener, key, value] { listener(key, value); });
    }
    const auto found = entries_.find(key);
    const std::uint64_t present = found == entries_.end() ? 0 : found->second.revision;
    if (expected && *expected != present) return callback(fail(ErrorCode::kConflict, "revision"));
    entries_[key] = {key, value, ++revision_};
    callback(revision_);
  });
}

void MemoryKv::on_write(std::function<void(std::string_view, BytesView)> listener) {
  listeners_.push_back(std::move(listener));
}

bool MemoryKv::step() {
  return step_of(queue_);
}

void MemoryKv::run() {
  while (step()) {
  }
}

void MemoryKv::wipe() {
  entries_.clear();
  revision_ = 0;
}

std::optional<bus::KvEntry> MemoryKv::entry(const std::string& key) const {
  const auto found = entries_.find(key);
  if (found == entries_.end()) return std::nullopt;
  return found->second;
}

}  // namespace martlet::test
