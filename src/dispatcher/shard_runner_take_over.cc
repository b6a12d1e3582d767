// How a shard becomes ours: the steps of the take-over, carried out.
#include <utility>

#include "base/log.h"
#include "bus/subjects.h"
#include "dispatcher/limits.h"
#include "dispatcher/shard_runner.h"

namespace martlet::dispatcher {

void ShardRunner::start() {
  context_.metrics.take_over_started();
  drive();
}

void ShardRunner::drive() {
  if (phase_ != Phase::kTakingOver) return;
  const TakeOverStep step = take_over_->next_step();
  if (step.kind != TakeOverStep::Kind::kWait) take_step(step);
}

void ShardRunner::take_step(const TakeOverStep& step) {
  using Kind = TakeOverStep::Kind;
  switch (step.kind) {
    case Kind::kWait:
      return;
    case Kind::kEnsure:
      return context_.log.ensure(shard_,
                                 {context_.options.shard.log_bytes, context_.options.replicas},
                                 guarded([this](const Result<void>& result) {
                                   if (!result) {
                                     MARTLET_LOG(warn, "log_not_ready shard={} reason={}",
                                                 shard_.value(), result.error().detail);
                                   }
                                   take_over_->ensured(result, moment());
                                   drive();
                                 }));
    case Kind::kAskShard:
      return ask_shard(step.known);
    case Kind::kSubscribe:
      return subscribe();
    case Kind::kInfo:
      return context_.log.info(shard_, kStepTimeout,
                               guarded([this](const Result<bus::LogInfo>& info) {
                                 take_over_->info(info, moment());
                                 drive();
                               }));
    case Kind::kAppendOwner:
      return append_owner(step);
    case Kind::kRead:
      return read(step);
    case Kind::kDone:
      return taken_over();
    case Kind::kGiveUp:
      return doubt(take_over_->give_up_reason());
  }
}

void ShardRunner::ask_shard(LogPosition known) {
  context_.bus.request(bus::subject::rpc_shard(), wire::encode(wire::ShardQuestion{shard_, known}),
                       kStepTimeout, guarded([this](const Result<Bytes>& reply) {
                         Result<wire::ShardAnswer> answer =
                             reply ? wire::parse_shard_answer(*reply)
                                   : Result<wire::ShardAnswer>(tl::unexpect, reply.error());
                         take_over_->shard_answer(answer, moment());
                         drive();
                       }));
}

void ShardRunner::subscribe() {
  if (subscription_ == nullptr) {
    subscription_ = context_.bus.subscribe(
        bus::subject::in_shard(shard_), "", bus::Priority::kDroppable,
        guarded([this](const bus::Incoming& incoming) { on_frame(incoming); }));
  }
  context_.bus.after_subscriptions(kStepTimeout, guarded([this](const Result<void>& result) {
                                     take_over_->subscribed(result, moment());
                                     drive();
                                   }));
}

void ShardRunner::append_owner(const TakeOverStep& step) {
  write(step.expected_last, step.batch, guarded([this](auto result) {
          take_over_->owner_appended(std::move(result), moment());
          drive();
        }));
}

void ShardRunner::read(const TakeOverStep& step) {
  if (step.is_new_reader) {
    // The old one may be the caller of this.
    if (reader_ != nullptr) context_.loop.defer_delete(std::move(reader_));
    reader_ = context_.log.read(shard_, step.from);
  }
  reader_->next(kReadBytes, kStepTimeout,
                guarded([this](const Result<std::vector<bus::LogRecord>>& records) {
                  take_over_->records(records, moment());
                  drive();
                }));
}

void ShardRunner::taken_over() {
  if (reader_ != nullptr) context_.loop.defer_delete(std::move(reader_));
  TakenOver taken = take_over_->take_result();
  live_ = std::move(taken.live);
  missed_.assign(taken.missed.begin(), taken.missed.end());
  MARTLET_LOG(info,
              "shard_taken shard={} generation={} epoch={} position={} watermark={} heads={} "
              "window={} republish={} hints={}",
              shard_.value(), taken.start.generation.value(), taken.start.epoch.value(),
              taken.start.base + taken.start.last.value(), taken.start.watermark.value(),
              taken.start.heads.size(), taken.start.window.size(), live_.size(), missed_.size());
  context_.metrics.republished(live_.size());
  core_ = std::make_unique<ShardCore>(std::move(taken.start), context_.shards,
                                      context_.options.shard, context_.metrics, context_.hops);
  phase_ = Phase::kRepublishing;
  republish();
}

// Before anything new, so that nobody sees a gap that is none; in pieces, so that no queue on the
// way overflows.
void ShardRunner::republish() {
  if (phase_ != Phase::kRepublishing) return;
  std::size_t left = kRepublishedPerTick;
  for (; left > 0 && !live_.empty(); --left, live_.pop_front()) publish_live(live_.front());
  for (; left > 0 && !missed_.empty(); --left, missed_.pop_back()) {
    if (!publish_resync(missed_.back())) owed_.add(missed_.back());
  }
  if (live_.empty() && missed_.empty()) return serve();
  republish_timer_.start_once(kTickPeriod / 5);
}

void ShardRunner::serve() {
  phase_ = Phase::kServing;
  take_over_.reset();
  note_published();
  context_.metrics.take_over_took(context_.loop.now() - since_);
  announce();
  for (const Bytes& frame : buffer_.take()) handle(frame);
  flush_at_turn_end();
}

}  // namespace martlet::dispatcher
