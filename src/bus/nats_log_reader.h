#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "bus/jetstream.h"
#include "bus/log.h"
#include "bus/nats_bus.h"

namespace martlet::nats {
class Message;
}

namespace martlet::bus {

// A pull consumer without acknowledgements on a log's stream. A request stands until the server has
// delivered as much as it allows, or its time is over, so that what is appended comes without being
// asked for: at most kBatchMessages and max_bytes while nobody calls. Loop thread; the bus outlives
// it.
class NatsLogReader final : public LogReader {
 public:
  NatsLogReader(NatsBus& bus, ShardId shard, LogSequence from);
  ~NatsLogReader() override;

  void next(std::size_t max_bytes, Duration max_wait, Records callback) override;

 private:
  enum class Phase { kNew, kOpening, kFollowing, kBroken };

  void open();
  void check_start(const jetstream::StreamState& log);
  void create_consumer();
  void request();
  void on_message(const nats::Message& message);
  void overdue();
  void over();
  void on_status(int status, std::string_view text);
  void on_record(const nats::Message& message);
  void fail_soon(Error error);
  void later(std::function<void()> task);
  void finish();
  void break_off(Error error);
  std::function<void(Result<BytesView>)> guarded(std::function<void(Result<BytesView>)> callback);

  NatsBus& bus_;
  const ShardId shard_;
  const std::string stream_;
  const std::string inbox_;
  LogSequence next_;  // the sequence that must come next
  std::string consumer_;
  Phase phase_ = Phase::kNew;
  std::uint64_t links_ = 0;    // a consumer does not survive a broken link
  std::uint64_t request_ = 0;  // number of the last one, the last token of its reply subject
  std::size_t open_ = 0;       // how many messages it may still bring; 0: none stands
  std::size_t open_bytes_ = 0;
  MonotonicTime renew_at_;     // when the next call asks again although one stands
  std::uint64_t overdue_ = 0;  // see NatsBus::wait_at_most: of a request that ended without a word
  int silent_ = 0;             // so many did, and nothing came meanwhile
  std::size_t max_bytes_ = 0;
  MonotonicTime wait_until_;
  Records callback_;  // null: nobody waits
  Error error_;       // why it is broken
  std::vector<LogRecord> records_;
  std::size_t record_bytes_ = 0;
  std::unique_ptr<Subscription> subscription_;
  std::uint64_t waiting_ = 0;  // see NatsBus::wait_at_most; 0: nobody waits
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

// A request to JetStream's API; the answer's body, which may be a refusal in JSON.
void ask_jetstream(NatsBus& bus, const std::string& subject, BytesView body, Duration timeout,
                   std::function<void(Result<BytesView>)> callback);
// How it is now; kConflict if there is one with other settings.
void ensure_stream(NatsBus& bus, const jetstream::StreamConfig& config,
                   std::function<void(Result<jetstream::StreamState>)> callback);

}  // namespace martlet::bus
