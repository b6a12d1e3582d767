#include "dispatcher/take_over.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "base/planted.h"

namespace martlet::dispatcher {

TakeOverCore::TakeOverCore(const Given& given, const ShardLimits& limits,
                           DispatcherMetrics& metrics)
    : given_(given),
      limits_(limits),
      metrics_(metrics),
      epoch_(given.epoch),
      last_message_id_(given.last_message_id) {
  go(Kind::kEnsure);
}

TakeOverStep TakeOverCore::next_step() {
  if (std::exchange(is_handed_out_, true)) return {};
  return std::exchange(step_, {});
}

void TakeOverCore::go(Kind kind) {
  step_ = {};
  step_.kind = kind;
  step_.known = known();
  is_handed_out_ = false;
  retry_.reset();
}

// The pause grows, so that a broker or database that comes back is not met by a storm.
void TakeOverCore::try_again(Kind kind, std::string reason, const Moment& moment) {
  reason_ = std::move(reason);
  // Without the database there is nothing better to do than to wait for it.
  if (++tries_ > kMaxTakeOverTries && kind != Kind::kAskShard) return give_up(reason_);
  retry_ = kind;
  retry_at_ = moment.now + std::min(kMaxTakeOverPause, kTakeOverPause * tries_);
}

void TakeOverCore::give_up(std::string reason) {
  reason_ = std::move(reason);
  go(Kind::kGiveUp);
}

void TakeOverCore::tick(const Moment& moment) {
  if (retry_ && retry_at_ <= moment.now) go(*retry_);
}

void TakeOverCore::ensured(const Result<void>& result, const Moment& moment) {
  if (!result) return try_again(Kind::kEnsure, result.error().detail, moment);
  go(Kind::kAskShard);
}

void TakeOverCore::shard_answer(const Result<wire::ShardAnswer>& answer, const Moment& moment) {
  const bool is_good = answer && answer->error.code == ErrorCode::kNone &&
                       answer->shard == given_.shard && answer->watermark.value() >= answer->base;
  if (!is_good) return try_again(Kind::kAskShard, "no_answer_of_persist", moment);
  stand_ = *answer;
  go(is_subscribed_ ? Kind::kInfo : Kind::kSubscribe);
}

// What was published live, or acknowledged to anybody, was in the log.
LogPosition TakeOverCore::known() const {
  return std::max(given_.published, given_.reached);
}

void TakeOverCore::subscribed(const Result<void>& result, const Moment& moment) {
  if (!result) return try_again(Kind::kSubscribe, result.error().detail, moment);
  is_subscribed_ = true;
  go(Kind::kInfo);
}

void TakeOverCore::info(const Result<bus::LogInfo>& info, const Moment& moment) {
  if (!info) return try_again(Kind::kInfo, info.error().detail, moment);
  log_ = *info;
  if (owner_ != bus::LogSequence()) return start_replay(moment);
  // The log ends before what the database has or what it had itself: it lost its tail since, or
  // this look at it is old. Persist knows and raises the generation if need be.
  const LogPosition end(stand_.base + log_.last.value());
  if (end < std::max(stand_.watermark, known())) {
    return try_again(Kind::kAskShard, "log_ends_too_early", moment);
  }
  if (log_.last < std::max(log_.first, bus::LogSequence(1))) return append_owner(moment);
  read_from(log_.last);
}

void TakeOverCore::read_from(bus::LogSequence from) {
  go(Kind::kRead);
  step_.is_new_reader = true;
  step_.from = from;
}

void TakeOverCore::records(const Result<std::vector<bus::LogRecord>>& records,
                           const Moment& moment) {
  // Purge overtook us, or the reader was lost: look where the log is, and begin again.
  if (!records) return try_again(Kind::kInfo, records.error().detail, moment);
  if (records->empty()) return try_again(Kind::kInfo, "nothing_to_read", moment);
  if (owner_ == bus::LogSequence()) return look_at_last(*records, moment);
  replay(*records, moment);
}

// Every batch tells its epoch and the last message id, so one record is enough. If it was not the
// last after all, our OWNER is refused and we look again.
void TakeOverCore::look_at_last(const std::vector<bus::LogRecord>& records, const Moment& moment) {
  const bus::LogRecord& last = records.back();
  const auto batch = wire::parse_batch(last.batch);
  if (!batch) return give_up("log_cannot_be_read");
  log_.last = last.sequence;
  epoch_ = std::max(epoch_, batch->epoch.next());
  for (const wire::Entry& entry : batch->entries) {
    last_message_id_ = std::max(last_message_id_, entry.message_id);
  }
  append_owner(moment);
}

void TakeOverCore::append_owner(const Moment& moment) {
  if (is_planted(Planted::kNoOwnerEntry) && log_.last != bus::LogSequence()) {
    owner_ = log_.last;
    return start_replay(moment);
  }
  wire::Entry entry;
  entry.kind = wire::EntryKind::kOwner;
  entry.message_id = last_message_id_;
  entry.time_ms = moment.wall_ms;
  wire::Batch batch{epoch_, stand_.generation, {}};
  batch.entries.push_back(std::move(entry));
  go(Kind::kAppendOwner);
  step_.batch = wire::encode(batch);
  step_.expected_last = log_.last;
}

void TakeOverCore::owner_appended(tl::expected<bus::LogSequence, bus::AppendError> result,
                                  const Moment& moment) {
  // A dead owner's append landed before ours, or our own of which we heard nothing.
  if (!result) return try_again(Kind::kInfo, result.error().detail, moment);
  tries_ = 0;
  owner_ = *result;
  start_replay(moment);
}

void TakeOverCore::start_replay(const Moment& moment) {
  ReplayStart start;
  start.shard = given_.shard;
  start.generation = stand_.generation;
  start.base = stand_.base;
  start.watermark = stand_.watermark;
  start.published = given_.published;
  start.first = std::min(std::max(log_.first, bus::LogSequence(1)), owner_);
  start.moment = moment;
  replay_ = std::make_unique<LogReplay>(start, limits_, metrics_);
  read_from(start.first);
}

void TakeOverCore::replay(const std::vector<bus::LogRecord>& records, const Moment& moment) {
  MARTLET_ASSERT(replay_ != nullptr);
  for (const bus::LogRecord& record : records) {
    if (record.sequence > owner_) return give_up("another_owner_wrote");
    if (record.sequence != replay_->next()) {
      return try_again(Kind::kInfo, "gap_while_reading", moment);
    }
    if (!replay_->add(record)) return give_up("log_cannot_be_read");
  }
  if (replay_->next() <= owner_) return go(Kind::kRead);
  replay_->finish();
  go(Kind::kDone);
}

TakenOver TakeOverCore::take_result() {
  MARTLET_ASSERT(replay_ != nullptr && replay_->next() > owner_);
  TakenOver taken;
  taken.start.shard = given_.shard;
  taken.start.epoch = epoch_;
  taken.start.generation = stand_.generation;
  taken.start.base = stand_.base;
  taken.start.last = owner_;
  taken.start.watermark = stand_.watermark;
  taken.start.last_message_id = std::max(replay_->last_message_id(), last_message_id_);
  taken.start.log_bytes = log_.bytes;
  taken.start.heads = replay_->take_heads();
  if (!is_planted(Planted::kForgetWindow)) taken.start.window = replay_->take_window();
  taken.live = replay_->take_live();
  taken.missed = replay_->take_missed();
  return taken;
}

}  // namespace martlet::dispatcher
