#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "bus/bus.h"
#include "bus/leases.h"
#include "bus/log.h"
#include "dispatcher/fanout.h"
#include "dispatcher/frame_buffer.h"
#include "dispatcher/options.h"
#include "dispatcher/owed_resyncs.h"
#include "dispatcher/published_tracker.h"
#include "dispatcher/shard_core.h"
#include "dispatcher/take_over.h"
#include "event/loop.h"

namespace martlet::dispatcher {

// What all shards of a process share. All of it outlives them.
struct ShardContext {
  event::Loop& loop;
  bus::Bus& bus;
  bus::Log& log;
  bus::Leases& leases;
  PublishedTracker& published;
  const DispatcherOptions& options;
  std::uint16_t shards;
  std::string owner;  // our name, for announcements
  DispatcherMetrics& metrics;
  wire::HopSink* hops = nullptr;
};

// One owned shard with its connections to the world: drives the take-over, then the sequencer. It
// ends by letting go (finished() is called), by doubt (doubted() is called) or by its destruction,
// at any moment. Loop thread; its owner destroys it outside of its own calls (Loop::defer_delete).
class ShardRunner {
 public:
  struct Events {
    std::function<void(const std::string& reason)> doubted;
  };
  ShardRunner(const ShardContext& context, const TakeOverCore::Given& given, Events events);
  ~ShardRunner();
  ShardRunner(const ShardRunner&) = delete;
  ShardRunner& operator=(const ShardRunner&) = delete;

  void start();
  void tick();
  void watermark(const wire::Watermark& told);
  // Finishes the append under way and notes how far it published; then calls back.
  void let_go(std::function<void()> finished);
  // Nothing is answered any more; for a lost lease.
  void end();

  void info_asked();
  void info(const bus::LogInfo& info);

  bool is_serving() const { return phase_ == Phase::kServing; }
  std::size_t buffered() const { return buffer_.frames(); }
  // How long the append that is watched waits for the database; zero: none does.
  Duration unstored() const;
  // Null before the take-over is done.
  const ShardCore* core() const { return core_.get(); }

 private:
  enum class Phase { kTakingOver, kRepublishing, kServing, kLettingGo, kEnded };

  // A callback that does nothing once this is gone or at its end.
  template <class F>
  auto guarded(F f) {
    return [this, alive = std::weak_ptr<int>(alive_), f](auto&&... args) {
      if (alive.expired() || phase_ == Phase::kEnded) return;
      f(std::forward<decltype(args)>(args)...);
    };
  }
  Moment moment() const;
  Ownership ownership() const;

  // Take-over: shard_runner_take_over.cc.
  void drive();
  void take_step(const TakeOverStep& step);
  void ask_shard(LogPosition known);
  void subscribe();
  void append_owner(const TakeOverStep& step);
  void read(const TakeOverStep& step);
  void taken_over();
  void republish();
  void serve();

  // Serving: shard_runner.cc.
  void on_frame(const bus::Incoming& incoming);
  void handle(BytesView payload);
  void flush_at_turn_end();
  void flush();
  void append(const AppendRequest& request);
  void write(bus::LogSequence expected_last, BytesView batch, bus::Log::Appended callback);
  void ask(const wire::ColdQuestion& question);
  void publish_answers(const std::map<EdgeId, std::vector<OutgoingAnswer>>& answers);
  void publish_live(const LiveEntry& live);
  void publish_typing(const LiveTyping& typing);
  bool publish(const Audience& audience, BytesView payload);
  bool publish(const std::string& subject, BytesView payload);
  bool publish_resync(const ConversationId& conversation);
  void pay_resyncs();
  void note_published();
  bool announce(bool lost_events = false);
  void doubt(const std::string& reason);
  void finish_letting_go();

  const ShardContext context_;
  const ShardId shard_;
  Events events_;
  Phase phase_ = Phase::kTakingOver;
  MonotonicTime since_;
  MonotonicTime announced_;
  bool is_flush_due_ = false;

  std::unique_ptr<bus::Subscription> subscription_;
  FrameBuffer buffer_{kMaxBufferedFrames, kMaxBufferedBytes};
  std::unique_ptr<TakeOverCore> take_over_;
  std::unique_ptr<bus::LogReader> reader_;
  std::deque<LiveEntry> live_;
  std::vector<ConversationId> missed_;
  std::unique_ptr<ShardCore> core_;
  OwedResyncs owed_;
  Trail trail_;
  // The append whose way into the database is timed.
  struct Watched {
    LogPosition position;
    MonotonicTime since;
  };
  std::optional<Watched> watched_;
  std::function<void()> finished_;

  std::shared_ptr<int> alive_ = std::make_shared<int>();
  event::Timer republish_timer_;
};

}  // namespace martlet::dispatcher
