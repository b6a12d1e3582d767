#include "bus/nats_log_reader.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "bus/subjects.h"
#include "lib/nats/message.h"
#include "model/limits.h"

namespace martlet::bus {
namespace {

namespace js = jetstream;

constexpr Duration kRequestTimeout = std::chrono::seconds(5);
// How long the server keeps a consumer that nobody asks.
constexpr Duration kConsumerIdle = std::chrono::seconds(60);
constexpr std::size_t kBatchMessages = 2000;
// One entry must fit, or the server never delivers it.
constexpr std::size_t kMinBytes = kMaxAppendBytes + 4096;
// More than the server counts for a message besides its payload.
constexpr std::size_t kCountedBytes = 256;
// Beyond the time of a request the server may take to say so.
constexpr Duration kOverdue = std::chrono::milliseconds(100);

}  // namespace

NatsLogReader::NatsLogReader(NatsBus& bus, ShardId shard, LogSequence from)
    : bus_(bus),
      shard_(shard),
      stream_(subject::log_stream(shard)),
      inbox_(bus.new_inbox()),
      next_(from) {
  MARTLET_ASSERT(from.value() >= 1);
}

NatsLogReader::~NatsLogReader() {
  bus_.stop_waiting(waiting_);
  bus_.stop_waiting(overdue_);
  if (!consumer_.empty()) bus_.publish(js::delete_consumer_subject(stream_, consumer_), {});
}

void NatsLogReader::next(std::size_t max_bytes, Duration max_wait, Records callback) {
  MARTLET_ASSERT(!callback_ && callback);
  callback_ = std::move(callback);
  max_bytes_ = std::max(max_bytes, kMinBytes);
  wait_until_ = bus_.loop().now() + max_wait;
  if (!bus_.is_connected()) return fail_soon({ErrorCode::kUnavailable, "not connected to NATS"});
  waiting_ = bus_.wait_at_most(max_wait + kRequestTimeout,
                               [this, alive = std::weak_ptr(alive_)](Error error) {
                                 if (!alive.expired()) break_off(std::move(error));
                               });
  switch (phase_) {
    case Phase::kNew:
      return open();
    case Phase::kFollowing:
      if (links_ != bus_.stats().reconnects) {
        return fail_soon({ErrorCode::kUnavailable, "the link to NATS broke meanwhile"});
      }
      if (records_.empty()) {
        const bool is_old = bus_.loop().now() >= renew_at_;
        return open_ == 0 || is_old ? request() : void();
      }
      // Unless more records come before, and answer this call.
      return later([this, call = waiting_] {
        if (callback_ && waiting_ == call) finish();
      });
    case Phase::kBroken:
      return fail_soon(error_);
    case Phase::kOpening:
      MARTLET_ASSERT(false);
  }
}

// Answers that come after the reader has gone are dropped.
std::function<void(Result<BytesView>)> NatsLogReader::guarded(
    std::function<void(Result<BytesView>)> callback) {
  return [alive = std::weak_ptr(alive_), callback = std::move(callback)](Result<BytesView> answer) {
    if (!alive.expired()) callback(std::move(answer));
  };
}

// Not from inside next().
void NatsLogReader::later(std::function<void()> task) {
  bus_.loop().post([alive = std::weak_ptr(alive_), task = std::move(task)] {
    if (!alive.expired()) task();
  });
}

void NatsLogReader::fail_soon(Error error) {
  later([this, error = std::move(error)] { break_off(error); });
}

void NatsLogReader::open() {
  phase_ = Phase::kOpening;
  links_ = bus_.stats().reconnects;
  subscription_ = bus_.subscribe_messages(inbox_ + ".*", Priority::kAnswers,
                                          [this](const nats::Message& m) { on_message(m); });
  bus_.after_subscriptions(kRequestTimeout, [this, alive = std::weak_ptr(alive_)](auto done) {
    if (alive.expired()) return;
    if (!done) return break_off(done.error());
    ask_jetstream(bus_, js::stream_info_subject(stream_), {}, kRequestTimeout,
                  guarded([this](Result<BytesView> answer) {
                    if (!answer) return break_off(answer.error());
                    const auto log = js::parse_stream(*answer);
                    if (!log) return break_off(js::to_error(log.error()));
                    check_start(*log);
                  }));
  });
}

// The server would move a start outside the log into it without a word.
void NatsLogReader::check_start(const js::StreamState& log) {
  if (next_.value() < log.first || next_.value() > log.last + 1) {
    return break_off(
        {ErrorCode::kConflict, fmt::format("log {} has {} to {}, {} was asked for", shard_.value(),
                                           log.first, log.last, next_.value())});
  }
  create_consumer();
}

void NatsLogReader::create_consumer() {
  ask_jetstream(bus_, js::create_consumer_subject(stream_),
                js::consumer_from(stream_, next_.value(), kConsumerIdle), kRequestTimeout,
                guarded([this](Result<BytesView> answer) {
                  if (!answer) return break_off(answer.error());
                  const auto name = js::parse_consumer_name(*answer);
                  if (!name) return break_off(js::to_error(name.error()));
                  consumer_ = *name;
                  phase_ = Phase::kFollowing;
                  request();
                }));
}

void NatsLogReader::request() {
  const Duration left = std::max(wait_until_ - bus_.loop().now(), Duration(0));
  const std::string body = js::next_batch(kBatchMessages, max_bytes_, left);
  const std::string reply = fmt::format("{}.{}", inbox_, ++request_);
  open_ = kBatchMessages;
  open_bytes_ = max_bytes_;
  // nats-server 2.9.10 ends one whose time is over while it delivers without a word. Who reads all
  // the time asks before that; and the others find out.
  renew_at_ = bus_.loop().now() + left / 2;
  bus_.stop_waiting(overdue_);
  overdue_ = bus_.wait_at_most(left + kOverdue, [this, alive = std::weak_ptr(alive_)](Error) {
    if (!alive.expired()) overdue();
  });
  if (bus_.publish_with_reply(js::next_subject(stream_, consumer_), reply, body) ==
      SendResult::kDropped) {
    fail_soon({ErrorCode::kUnavailable, "not connected to NATS"});
  }
}

void NatsLogReader::on_message(const nats::Message& message) {
  if (phase_ == Phase::kBroken) return;
  silent_ = 0;
  const int status = message.status();
  if (status == 0) return on_record(message);
  // Statuses come on the reply subject, so a late one of an earlier request is known.
  if (open_ > 0 && message.subject() == fmt::format("{}.{}", inbox_, request_))
    on_status(status, message.status_text());
}

void NatsLogReader::on_status(int status, std::string_view text) {
  const bool nothing_more = status == 404 || status == 408 ||
                            (status == 409 && text.find("MaxBytes") != std::string_view::npos);
  if (!nothing_more) {
    return break_off({ErrorCode::kUnavailable, fmt::format("JetStream: {} {}", status, text)});
  }
  over();
}

// Once: the server forgot it. Again, without a word in between: it has forgotten the consumer, and
// nobody would ever answer.
void NatsLogReader::overdue() {
  if (phase_ != Phase::kFollowing || open_ == 0) return;
  if (++silent_ > 1)
    return break_off({ErrorCode::kUnavailable, "the consumer does not answer any more"});
  over();
}

// The last request has brought all that it will.
void NatsLogReader::over() {
  open_ = 0;
  if (!callback_ || phase_ != Phase::kFollowing) return;
  const bool may_wait = wait_until_ - bus_.loop().now() > std::chrono::milliseconds(1);
  if (records_.empty() && may_wait) return request();
  finish();
}

void NatsLogReader::on_record(const nats::Message& message) {
  const auto delivery = js::parse_delivery(message.reply());
  if (!delivery) return break_off({ErrorCode::kInternal, "unknown form of a delivery"});
  if (delivery->stream_sequence != next_.value()) {
    return break_off({ErrorCode::kConflict,
                      fmt::format("log {} has a gap: {} came instead of {}", shard_.value(),
                                  delivery->stream_sequence, next_.value())});
  }
  records_.push_back({next_, Bytes(message.payload())});
  record_bytes_ += message.payload().size();
  next_ = next_.next();
  if (open_ > 0) --open_;
  // A request whose bytes are used up to the last one ends without a word. So it counts as over
  // when another message may not fit; what it still brings counts for the next one.
  open_bytes_ -= std::min(open_bytes_, message.payload().size() + kCountedBytes);
  if (open_bytes_ < kMinBytes) open_ = 0;
  if (!callback_) return;  // kept for the next call
  const bool full = open_ == 0 || record_bytes_ >= max_bytes_;
  if (full || delivery->pending == 0) finish();
}

void NatsLogReader::finish() {
  bus_.stop_waiting(std::exchange(waiting_, 0));
  const Records callback = std::exchange(callback_, nullptr);
  record_bytes_ = 0;
  callback(std::exchange(records_, {}));
}

void NatsLogReader::break_off(Error error) {
  phase_ = Phase::kBroken;
  error_ = error;
  bus_.stop_waiting(std::exchange(waiting_, 0));
  records_.clear();
  const Records callback = std::exchange(callback_, nullptr);
  if (callback) callback(tl::unexpected(std::move(error)));
}

}  // namespace martlet::bus
