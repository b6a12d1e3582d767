#include "sim/jetstream.h"

#include <algorithm>
#include <utility>

#include "base/planted.h"
#include "wire/log_batch.h"

namespace martlet::sim {
namespace {

using bus::AppendError;
using bus::AppendFailure;
using bus::LogInfo;
using bus::LogRecord;
using bus::LogSequence;

// As far above the owner's limit as this lies the server's; smaller than the real one, as are the
// batches here.
constexpr std::uint64_t kReserveBytes = 2 * 1024;
constexpr Duration kAuthorGaveUp = std::chrono::milliseconds(3050);
// So long an append takes meanwhile: what comes together is in one batch.
constexpr Duration kWhileHolding = std::chrono::milliseconds(40);
constexpr Duration kSoonAfter = std::chrono::milliseconds(1);
constexpr std::uint64_t kAppliedThoughRefused = 20;  // per mille
constexpr Duration kAdminTimeout = std::chrono::seconds(5);
constexpr Duration kKvTimeout = std::chrono::seconds(2);
constexpr Duration kReadTimeout = std::chrono::seconds(5);

Scheduler& scheduler() {
  return Scheduler::get();
}

std::uint64_t first_of(const JetStream::Stream& stream) {
  return stream.records.empty() ? stream.last + 1 : stream.records.front().sequence.value();
}

}  // namespace

// ---- at the servers --------------------------------------------------------------------------

void JetStream::ensure(ShardId shard, std::uint64_t max_bytes) {
  streams_[shard].max_bytes = max_bytes + kReserveBytes;
}

tl::expected<LogSequence, AppendError> JetStream::append(ShardId shard, std::uint64_t expected,
                                                         const Bytes& batch) {
  using Refusal = tl::unexpected<AppendError>;
  const auto found = streams_.find(shard);
  if (found == streams_.end() || refuse_appends > 0) {
    refuse_appends -= refuse_appends > 0 ? 1 : 0;
    return Refusal(AppendError{AppendFailure::kRefused, "no stream"});
  }
  Stream& stream = found->second;
  // Planted fault: the header with the expected sequence is left out.
  if (stream.last != expected && !is_planted(Planted::kSkipFence)) {
    scheduler().coverage().add("path: append refused, another one wrote");
    return Refusal(AppendError{AppendFailure::kWrongSequence, "wrong last sequence"});
  }
  if (stream.bytes + batch.size() > stream.max_bytes) {
    cut_front(stream);
    scheduler().coverage().add("stream over its limit");
    return Refusal(AppendError{AppendFailure::kRefused, "maximum bytes exceeded"});
  }
  stream.records.push_back({LogSequence(++stream.last), batch});
  stream.times.push_back(scheduler().now());
  stream.bytes += batch.size();
  wake(stream);
  return LogSequence(stream.last);
}

void JetStream::append_later(ShardId shard, const Bytes& batch) {
  if (!scheduler().chance(kAppliedThoughRefused)) return;
  const std::uint64_t power_cuts = streams_[shard].power_cuts;
  scheduler().after(scheduler().between(Duration(0), std::chrono::seconds(1)), nullptr,
                    [this, shard, batch, power_cuts] {
                      const Stream& stream = streams_[shard];
                      if (stream.power_cuts == power_cuts) (void)append(shard, stream.last, batch);
                    });
}

bool JetStream::hold(ShardId shard, std::uint64_t expected, const Bytes& batch) {
  if (hold_changes == 0) return false;
  const auto parsed = wire::parse_batch(batch);
  const bool has_change =
      parsed && parsed->entries.size() > 1 &&
      std::any_of(parsed->entries.begin(), parsed->entries.end(),
                  [](const auto& entry) { return entry.kind == wire::EntryKind::kMembers; });
  if (!has_change) return false;
  --hold_changes;
  Stream& stream = streams_[shard];
  stream.held = [this, shard, expected, batch] { (void)append(shard, expected, batch); };
  stream.held_until = scheduler().now() + kAuthorGaveUp;
  return true;
}

void JetStream::was_read(ShardId shard) {
  Stream& stream = streams_[shard];
  if (!stream.held || scheduler().now() < stream.held_until) return;
  scheduler().after(scheduler().between(Duration(0), kSoonAfter), nullptr,
                    std::exchange(stream.held, {}));
}

void JetStream::cut_front(Stream& stream) {
  if (stream.records.empty()) return;
  stream.bytes -= stream.records.front().batch.size();
  stream.records.pop_front();
  stream.times.pop_front();
}

void JetStream::wake(Stream& stream) {
  for (Task& task : std::exchange(stream.waiting, {})) task();
}

LogInfo JetStream::info(ShardId shard) {
  const Stream& stream = streams_[shard];
  std::uint64_t last = stream.last;
  for (std::size_t i = stream.times.size(); i > 0 && ends_late > Duration(0); --i) {
    if (stream.times[i - 1] + ends_late <= scheduler().now()) break;
    --last;
  }
  const std::uint64_t first = std::min(first_of(stream), last + 1);
  return {shard, LogSequence(first), LogSequence(last), stream.bytes};
}

std::vector<LogInfo> JetStream::infos() {
  std::vector<LogInfo> all;
  for (const auto& [shard, stream] : streams_) all.push_back(info(shard));
  return all;
}

void JetStream::purge(ShardId shard, std::uint64_t keep_from) {
  Stream& stream = streams_[shard];
  scheduler().coverage().add("path: purge");
  if (keep_from <= 1) keep_from = stream.last + 1;
  while (!stream.records.empty() && first_of(stream) < keep_from) cut_front(stream);
  stream.last = std::max(stream.last, keep_from - 1);
}

// What a server had not applied yet went with its power, and no publisher of ours sends anything on
// a second connection.
std::size_t JetStream::lose_tail(ShardId shard, Duration time) {
  Stream& stream = streams_[shard];
  stream.held = {};
  ++stream.power_cuts;
  std::size_t lost = 0;
  while (!stream.times.empty() && stream.times.back() + time > scheduler().now()) {
    stream.bytes -= stream.records.back().batch.size();
    stream.records.pop_back();
    stream.times.pop_back();
    --stream.last;
    ++lost;
  }
  return lost;
}

Result<std::uint64_t> JetStream::write(const std::string& key, const Bytes& value,
                                       std::optional<std::uint64_t> expected) {
  for (const Listener& listener : listeners) {
    if (!listener.link->up) continue;
    scheduler().after(std::chrono::microseconds(300), listener.link->lane,
                      [link = listener.link, call = listener.call, key, value] {
                        if (!link->closed) call(key, value);
                      });
  }
  const auto found = entries.find(key);
  const std::uint64_t present = found == entries.end() ? 0 : found->second.revision;
  if (expected && *expected != present) {
    scheduler().coverage().add("path: lease lost to another one");
    if (both_win == 0) return fail(ErrorCode::kConflict, "wrong revision");
    --both_win;
    scheduler().coverage().add("path: two told that they won");
    return revision + 1;
  }
  entries[key] = {key, value, ++revision};
  return revision;
}

// ---- at a process: the logs ------------------------------------------------------------------

void SimLog::ensure(ShardId shard, const bus::LogOptions& options, Done callback) {
  broker_.ask(
      link_, kAdminTimeout,
      [&jetstream = jetstream_, shard, options, callback](const Broker::Answer& answer) {
        jetstream.ensure(shard, options.max_bytes);
        answer([callback] { callback({}); });
      },
      [callback](const Error& error) { callback(tl::unexpected(error)); });
}

void SimLog::append(ShardId shard, LogSequence expected_last, BytesView batch, Duration timeout,
                    Appended callback) {
  const auto under_way = under_way_;
  // Three replicas of 2.9.10 may apply what they refused, of several that are under way.
  const bool may_come_later = (*under_way)[shard]++ > 0 && broker_.servers() > 1;
  broker_.ask(
      link_, timeout,
      [=, &jetstream = jetstream_, batch = Bytes(batch)](const Broker::Answer& answer) {
        if (jetstream.hold(shard, expected_last.value(), batch)) return;
        const auto done = jetstream.append(shard, expected_last.value(), batch);
        if (!done && may_come_later) jetstream.append_later(shard, batch);
        const auto tell = [=] {
          answer([callback, done, shard, under_way] {
            --(*under_way)[shard];
            callback(done);
          });
        };
        if (jetstream.hold_changes == 0) return tell();
        scheduler().after(kWhileHolding, nullptr, tell);
      },
      [callback, shard, under_way](const Error& error) {
        --(*under_way)[shard];
        callback(tl::unexpected(AppendError{AppendFailure::kUnknown, error.detail}));
      });
}

void SimLog::info(ShardId shard, Duration timeout, Info callback) {
  broker_.ask(
      link_, timeout,
      [&jetstream = jetstream_, shard, callback](const Broker::Answer& answer) {
        if (!jetstream.has(shard)) {
          return answer([callback] { callback(fail(ErrorCode::kUnavailable, "no stream")); });
        }
        answer([callback, info = jetstream.info(shard)] { callback(info); });
      },
      [callback](const Error& error) { callback(tl::unexpected(error)); });
}

void SimLog::infos(const std::vector<ShardId>& shards, Duration timeout, Infos callback) {
  broker_.ask(
      link_, timeout,
      [&jetstream = jetstream_, shards, callback](const Broker::Answer& answer) {
        bus::LogInfos infos{jetstream.infos(), {}};
        if (!shards.empty()) {
          std::erase_if(infos.found, [&](const LogInfo& info) {
            return std::find(shards.begin(), shards.end(), info.shard) == shards.end();
          });
        }
        answer([callback, infos] { callback(infos); });
      },
      [callback](const Error& error) { callback(tl::unexpected(error)); });
}

// Refused here as the real one does: the server would not.
void SimLog::purge_below(ShardId shard, LogSequence keep_from, const LogInfo& now, Done callback) {
  if (!(now.first < keep_from && keep_from <= now.last && keep_from.value() > 1)) {
    return scheduler().after(Duration(0), link_->lane, [callback] {
      callback(fail(ErrorCode::kBadRange, "purge outside the log"));
    });
  }
  broker_.ask(
      link_, kAdminTimeout,
      [&jetstream = jetstream_, shard, keep_from, callback](const Broker::Answer& answer) {
        jetstream.purge(shard, keep_from.value());
        answer([callback] { callback({}); });
      },
      [callback](const Error& error) { callback(tl::unexpected(error)); });
}

namespace {

// With the checks of src/bus/nats_log_reader.h: what it gives follows without a gap.
class SimLogReader final : public bus::LogReader {
 public:
  SimLogReader(Broker& broker, JetStream& jetstream, LinkPtr link, ShardId shard, LogSequence from)
      : broker_(broker), jetstream_(jetstream), link_(std::move(link)), shard_(shard), next_(from) {
    epoch_ = link_->epoch;
  }

  void next(std::size_t max_bytes, Duration max_wait, Records callback) override {
    const auto alive = std::weak_ptr(alive_);
    if (broken_ || epoch_ != link_->epoch) {
      return scheduler().after(Duration(0), link_->lane, [alive, callback] {
        if (!alive.expired()) callback(fail(ErrorCode::kUnavailable, "the reader is broken"));
      });
    }
    const Wanted wanted{next_.value(), max_bytes, scheduler().now() + max_wait};
    const auto taken = [this, alive, callback](const Taken& records) {
      if (alive.expired()) return;
      broken_ = !records;
      if (records) next_ = LogSequence(next_.value() + records->size());
      callback(records);
    };
    broker_.ask(
        link_, max_wait + kReadTimeout,
        [this, alive, wanted, taken](const Broker::Answer& answer) {
          if (!alive.expired())
            serve(wanted, [answer, taken](const Taken& records) {
              answer([taken, records] { taken(records); });
            });
        },
        [taken](const Error& error) {
          const Taken failed(tl::unexpect, error);
          taken(failed);
        });
  }

 private:
  using Taken = Result<std::vector<LogRecord>>;
  struct Wanted {
    std::uint64_t from;
    std::size_t max_bytes;
    MonotonicTime until;
  };

  // At the server.
  void serve(const Wanted& wanted, const std::function<void(const Taken&)>& answer) {
    if (!jetstream_.has(shard_)) return answer(fail(ErrorCode::kUnavailable, "no stream"));
    JetStream::Stream& stream = jetstream_.stream(shard_);
    const std::uint64_t first = first_of(stream);
    if (wanted.from < first || wanted.from > stream.last + 1) {
      scheduler().coverage().add("path: reader outside the log");
      return answer(fail(ErrorCode::kConflict, "a start outside the log"));
    }
    std::vector<LogRecord> records;
    std::size_t bytes = 0;
    for (std::size_t i = wanted.from - first; i < stream.records.size(); ++i) {
      const LogRecord& record = stream.records[i];
      if (!records.empty() && bytes + record.batch.size() > wanted.max_bytes) break;
      bytes += record.batch.size();
      records.push_back(record);
    }
    const bool is_all = wanted.from == first && records.size() == stream.records.size();
    if (is_all) jetstream_.was_read(shard_);
    if (!records.empty() || scheduler().now() >= wanted.until) return answer(records);
    const auto again = [this, alive = std::weak_ptr(alive_), wanted, answer,
                        done = std::make_shared<bool>(false)] {
      if (!alive.expired() && !std::exchange(*done, true)) serve(wanted, answer);
    };
    stream.waiting.push_back(again);
    scheduler().at(wanted.until, nullptr, again);
  }

  Broker& broker_;
  JetStream& jetstream_;
  LinkPtr link_;
  const ShardId shard_;
  LogSequence next_;
  std::uint64_t epoch_ = 0;
  bool broken_ = false;
  std::shared_ptr<int> alive_ = std::make_shared<int>();
};

}  // namespace

std::unique_ptr<bus::LogReader> SimLog::read(ShardId shard, LogSequence from) {
  return std::make_unique<SimLogReader>(broker_, jetstream_, link_, shard, from);
}

// ---- at a process: the bucket ----------------------------------------------------------------

SimKv::~SimKv() {
  std::erase_if(jetstream_.listeners, [this](const auto& one) { return one.link == link_; });
}

void SimKv::ensure(int, Ensured callback) {
  broker_.ask(
      link_, kKvTimeout,
      [&jetstream = jetstream_, callback](const Broker::Answer& answer) {
        answer([callback, is_used = !jetstream.entries.empty()] { callback(is_used); });
      },
      [callback](const Error& error) { callback(tl::unexpected(error)); });
}

void SimKv::get(std::string_view key, Got callback) {
  broker_.ask(
      link_, kKvTimeout,
      [&jetstream = jetstream_, key = std::string(key), callback](const Broker::Answer& answer) {
        const auto found = jetstream.entries.find(key);
        std::optional<bus::KvEntry> entry;
        if (found != jetstream.entries.end()) entry = found->second;
        answer([callback, entry] { callback(entry); });
      },
      [callback](const Error& error) { callback(tl::unexpected(error)); });
}

void SimKv::put(std::string_view key, BytesView value, Put callback) {
  write(key, value, std::nullopt, std::move(callback));
}

void SimKv::update(std::string_view key, BytesView value, std::uint64_t expected, Put callback) {
  write(key, value, expected, std::move(callback));
}

void SimKv::write(std::string_view key, BytesView value, std::optional<std::uint64_t> expected,
                  Put callback) {
  broker_.ask(
      link_, kKvTimeout,
      [&jetstream = jetstream_, key = std::string(key), value = Bytes(value), expected,
       callback](const Broker::Answer& answer) {
        const auto done = jetstream.write(key, value, expected);
        answer([callback, done] { callback(done); });
      },
      [callback](const Error& error) { callback(tl::unexpected(error)); });
}

void SimKv::on_write(std::function<void(std::string_view, BytesView)> listener) {
  jetstream_.listeners.push_back({link_, std::move(listener)});
}

}  // namespace martlet::sim
