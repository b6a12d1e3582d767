#include "bus/nats_log.h"

#include <charconv>
#include <utility>

#include "base/assert.h"
#include "base/log.h"
#include "bus/jetstream.h"
#include "bus/nats_log_reader.h"
#include "bus/subjects.h"
#include "lib/nats/message.h"
#include "model/limits.h"

namespace martlet::bus {
namespace {

namespace js = jetstream;

constexpr Duration kAdminTimeout = std::chrono::seconds(5);
// The server counts headers too.
constexpr std::int64_t kMaxMessageBytes = kMaxAppendBytes + 1024;

LogInfo to_info(ShardId shard, const js::StreamState& state) {
  return {shard, LogSequence(state.first), LogSequence(state.last), state.bytes};
}

// Of the streams that we may meet in a list; others are not ours.
std::optional<ShardId> shard_of_stream(std::string_view name) {
  const std::string prefix = "IM_LOG_";
  if (!name.starts_with(prefix)) return std::nullopt;
  name.remove_prefix(prefix.size());
  std::uint16_t shard = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), shard);
  if (error != std::errc() || end != name.data() + name.size()) return std::nullopt;
  return ShardId(shard);
}

tl::expected<LogSequence, AppendError> read_ack(Result<const nats::Message*> answer) {
  using Refusal = tl::unexpected<AppendError>;
  if (!answer) return Refusal(AppendError{AppendFailure::kUnknown, answer.error().detail});
  if ((*answer)->status() == nats::kNoResponders) {
    return Refusal(AppendError{AppendFailure::kRefused, "there is no such stream"});
  }
  const auto ack = js::parse_ack((*answer)->payload());
  if (ack) return LogSequence(*ack);
  const js::ApiError& error = ack.error();
  if (error.code == 0) return Refusal(AppendError{AppendFailure::kUnknown, error.description});
  const auto failure = error.err_code == js::kWrongLastSequence ? AppendFailure::kWrongSequence
                                                                : AppendFailure::kRefused;
  return Refusal(AppendError{failure, error.description});
}

// So many are asked one by one: a list costs the server as much as all streams' answers together.
constexpr std::size_t kFewLogs = 4;

// The answers of a few streams, asked at the same time.
struct Answers {
  Log::Infos callback;
  std::size_t open;
  LogInfos infos;
};

void on_answer(Answers& answers, ShardId shard, const Result<BytesView>& answer) {
  const auto state = answer ? js::parse_stream(*answer) : js::ApiResult<js::StreamState>();
  if (answer && state) {
    answers.infos.found.push_back(to_info(shard, *state));
  } else if (!answer || state.error().err_code != js::kStreamNotFound) {
    answers.infos.silent.push_back(shard);
  }
  if (--answers.open == 0) answers.callback(std::move(answers.infos));
}

void ask_each(NatsBus& bus, const std::vector<ShardId>& shards, Duration timeout,
              Log::Infos callback) {
  const auto answers = std::make_shared<Answers>(Answers{std::move(callback), shards.size(), {}});
  for (const ShardId shard : shards) {
    ask_jetstream(
        bus, js::stream_info_subject(subject::log_stream(shard)), {}, timeout,
        [answers, shard](const Result<BytesView>& answer) { on_answer(*answers, shard, answer); });
  }
}

// Pages of all streams with a log's subject, one after the other.
struct Listing {
  NatsBus& bus;
  MonotonicTime deadline;
  Log::Infos callback;
  LogInfos infos;
  std::size_t seen = 0;
};

void list_next(std::shared_ptr<Listing> listing);

void on_page(const std::shared_ptr<Listing>& listing, Result<BytesView> answer) {
  if (!answer) return listing->callback(tl::unexpected(answer.error()));
  const auto page = js::parse_stream_page(*answer);
  if (!page) return listing->callback(tl::unexpected(js::to_error(page.error())));
  for (const js::StreamState& state : page->streams) {
    if (const auto shard = shard_of_stream(state.name)) {
      listing->infos.found.push_back(to_info(*shard, state));
    }
  }
  for (const std::string& name : page->missing) {
    if (const auto shard = shard_of_stream(name)) listing->infos.silent.push_back(*shard);
  }
  const std::size_t told = page->streams.size() + page->missing.size();
  listing->seen += told;
  if (told == 0 || listing->seen >= page->total) {
    return listing->callback(std::move(listing->infos));
  }
  list_next(listing);
}

void list_next(std::shared_ptr<Listing> listing) {
  const std::string body = js::list_by_subject(subject::all_logs(), listing->seen);
  const Duration left = listing->deadline - listing->bus.loop().now();
  ask_jetstream(listing->bus, js::list_subject(), body, left,
                [listing](Result<BytesView> answer) { on_page(listing, std::move(answer)); });
}

void update_limit(NatsBus& bus, const js::StreamConfig& config, Log::Done callback) {
  ask_jetstream(bus, js::update_stream_subject(config.name), js::stream_config(config),
                kAdminTimeout,
                [name = config.name, bytes = config.max_bytes,
                 callback = std::move(callback)](Result<BytesView> answer) {
                  if (!answer) return callback(tl::unexpected(answer.error()));
                  const auto done = js::parse_success(*answer);
                  if (!done) return callback(tl::unexpected(js::to_error(done.error())));
                  MARTLET_LOG(info, "log_limit_changed stream={} max_bytes={}", name, bytes);
                  callback({});
                });
}

// The stream exists and is not as configured. Its limit follows the configuration; but never below
// what it holds, since a server may then delete its oldest entries: until enough was purged a limit
// that is too high does no harm, the owner's own lies below.
void adapt(NatsBus& bus, const js::StreamConfig& config, const Error& conflict,
           Log::Done callback) {
  ask_jetstream(bus, js::stream_info_subject(config.name), {}, kAdminTimeout,
                [&bus, config, conflict, callback = std::move(callback)](Result<BytesView> answer) {
                  if (!answer) return callback(tl::unexpected(answer.error()));
                  const auto difference = js::compare_stream(*answer, config);
                  const auto state = js::parse_stream(*answer);
                  if (!state) return callback(tl::unexpected(js::to_error(state.error())));
                  if (!difference || *difference == js::Difference::kOther)
                    return callback(tl::unexpected(conflict));
                  const bool fits = state->bytes + kStreamReserveBytes <=
                                    static_cast<std::uint64_t>(config.max_bytes);
                  if (*difference == js::Difference::kNone || !fits) return callback({});
                  update_limit(bus, config, callback);
                });
}

}  // namespace

js::StreamConfig log_stream(ShardId shard, const LogOptions& options) {
  js::StreamConfig config;
  config.name = subject::log_stream(shard);
  config.subject = subject::log(shard);
  config.replicas = options.replicas;
  config.max_bytes = static_cast<std::int64_t>(options.max_bytes + kStreamReserveBytes);
  config.max_message_bytes = kMaxMessageBytes;
  return config;
}

void NatsLog::ensure(ShardId shard, const LogOptions& options, Done callback) {
  const js::StreamConfig config = log_stream(shard, options);
  ensure_stream(
      bus_, config,
      [&bus = bus_, config, callback = std::move(callback)](const Result<js::StreamState>& stream) {
        if (stream) return callback({});
        const Error& error = stream.error();
        if (error.code != ErrorCode::kConflict) return callback(tl::unexpected(error));
        adapt(bus, config, error, callback);
      });
}

void NatsLog::append(ShardId shard, LogSequence expected_last, BytesView batch, Duration timeout,
                     Appended callback) {
  MARTLET_ASSERT(batch.size() <= kMaxAppendBytes);
  const std::string subject = subject::log(shard);
  const nats::Header expected = {"Nats-Expected-Last-Sequence",
                                 std::to_string(expected_last.value())};
  bus_.ask({subject, {&expected, 1}, batch, timeout},
           [expected_last, callback = std::move(callback)](Result<const nats::Message*> answer) {
             auto result = read_ack(std::move(answer));
             if (result && *result != expected_last.next()) {
               result = tl::unexpected(
                   AppendError{AppendFailure::kUnknown, "acknowledged under another sequence"});
             }
             callback(std::move(result));
           });
}

void NatsLog::info(ShardId shard, Duration timeout, Info callback) {
  ask_jetstream(bus_, js::stream_info_subject(subject::log_stream(shard)), {}, timeout,
                [shard, callback = std::move(callback)](Result<BytesView> answer) {
                  if (!answer) return callback(tl::unexpected(answer.error()));
                  const auto state = js::parse_stream(*answer);
                  if (!state) return callback(tl::unexpected(js::to_error(state.error())));
                  callback(to_info(shard, *state));
                });
}

void NatsLog::infos(const std::vector<ShardId>& shards, Duration timeout, Infos callback) {
  if (!shards.empty() && shards.size() <= kFewLogs) {
    return ask_each(bus_, shards, timeout, std::move(callback));
  }
  list_next(std::make_shared<Listing>(
      Listing{bus_, bus_.loop().now() + timeout, std::move(callback), {}, 0}));
}

std::unique_ptr<LogReader> NatsLog::read(ShardId shard, LogSequence from) {
  return std::make_unique<NatsLogReader>(bus_, shard, from);
}

void NatsLog::purge_below(ShardId shard, LogSequence keep_from, const LogInfo& now, Done callback) {
  MARTLET_ASSERT(now.shard == shard);
  if (!(now.first < keep_from && keep_from <= now.last && keep_from.value() > 1)) {
    bus_.loop().post([callback = std::move(callback)] {
      callback(fail(ErrorCode::kBadRange, "purge outside the log"));
    });
    return;
  }
  ask_jetstream(bus_, js::purge_subject(subject::log_stream(shard)),
                js::purge_below(keep_from.value()), kAdminTimeout,
                [callback = std::move(callback)](Result<BytesView> answer) {
                  if (!answer) return callback(tl::unexpected(answer.error()));
                  const auto done = js::parse_success(*answer);
                  if (!done) return callback(tl::unexpected(js::to_error(done.error())));
                  callback({});
                });
}

void ask_jetstream(NatsBus& bus, const std::string& subject, BytesView body, Duration timeout,
                   std::function<void(Result<BytesView>)> callback) {
  bus.ask({subject, {}, body, timeout},
          [callback = std::move(callback)](Result<const nats::Message*> answer) {
            if (!answer) return callback(tl::unexpected(answer.error()));
            if ((*answer)->status() == nats::kNoResponders) {
              return callback(fail(ErrorCode::kUnavailable, "JetStream does not answer"));
            }
            callback((*answer)->payload());
          });
}

void ensure_stream(NatsBus& bus, const js::StreamConfig& config,
                   std::function<void(Result<js::StreamState>)> callback) {
  ask_jetstream(bus, js::create_stream_subject(config.name), js::stream_config(config),
                kAdminTimeout,
                [name = config.name, callback = std::move(callback)](Result<BytesView> answer) {
                  if (!answer) return callback(tl::unexpected(answer.error()));
                  const auto done = js::parse_stream(*answer);
                  if (done) return callback(*done);
                  if (done.error().err_code == js::kStreamNameInUse) {
                    return callback(fail(ErrorCode::kConflict,
                                         "stream " + name + " exists with other settings"));
                  }
                  callback(tl::unexpected(js::to_error(done.error())));
                });
}

}  // namespace martlet::bus
