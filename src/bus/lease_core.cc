#include "bus/lease_core.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "bus/lease_record.h"

namespace martlet::bus {
namespace {

using namespace lease_action;
using std::chrono::milliseconds;

constexpr Duration kReadPeriod = std::chrono::seconds(2);
constexpr Duration kPublishPeriod = milliseconds(500);
// A new member first listens who else is there.
constexpr Duration kListenFirst = milliseconds(1200);
constexpr Duration kBetweenMoves = milliseconds(500);
constexpr Duration kFirstRetry = milliseconds(100);
constexpr Duration kLongestRetry = std::chrono::seconds(2);
constexpr Duration kCalmAfter = std::chrono::seconds(10);
constexpr MonotonicTime kNever = MonotonicTime::max();

}  // namespace

LeaseCore::LeaseCore(std::string self, std::uint16_t shards, Random& random)
    : self_(std::move(self)), random_(random), members_(self_), shards_(shards) {
  MARTLET_ASSERT(!self_.empty() && shards > 0);
  for (Shard& shard : shards_) shard.free_since = kNever;
}

void LeaseCore::tick(MonotonicTime now) {
  now_ = now;
  if (!started_) {
    started_ = true;
    may_claim_at_ = now + random_.jitter(kListenFirst, 0.2);
    beat_prefix_ = std::to_string(random_.next() % 1'000'000) + "-";
  }
  beat();
  if (stopping_) {
    for (std::uint16_t n = 0; n < shards_.size(); ++n) run_timers(ShardId(n), shards_[n]);
    return;
  }
  for (const std::string& member : members_.take_suspects()) actions_.push_back(ReadBeat{member});
  for (std::uint16_t n = 0; n < shards_.size(); ++n) {
    Shard& shard = shards_[n];
    note_free(shard);
    run_timers(ShardId(n), shard);
    if (now_ >= shard.next_read) read(ShardId(n), shard);
  }
  spread();
}

std::vector<LeaseAction> LeaseCore::take_actions() {
  return std::exchange(actions_, {});
}

void LeaseCore::beat() {
  if (stopping_ || now_ < next_beat_) return;
  next_beat_ = now_ + kHeartbeatPeriod;
  actions_.push_back(WriteBeat{beat_prefix_ + std::to_string(++beats_)});
}

void LeaseCore::on_beat_written(MonotonicTime sent, bool done) {
  if (!done) return;
  members_.on_renewed(sent);
  renewed_ = renewed_ ? std::max(*renewed_, sent) : sent;
}

void LeaseCore::on_beat_read(const std::string& member, const Result<std::optional<KvEntry>>& got) {
  if (!got) return members_.on_read_failed(member);
  if (!*got) return members_.on_no_beat(member);
  members_.on_beat(member, (*got)->value);
}

void LeaseCore::on_beat_heard(const std::string& member, BytesView value) {
  members_.on_beat(member, value);
}

void LeaseCore::on_record_heard(ShardId id) {
  if (id.value() >= shards_.size()) return;
  Shard& shard = at(id);
  // Our own writes are heard too; their answers tell more.
  if (shard.writing) return;
  if (shard.reading) {
    shard.reread = true;
  } else {
    read(id, shard);
  }
}

void LeaseCore::read(ShardId id, Shard& shard) {
  shard.next_read = now_ + kReadPeriod;
  if (shard.reading || shard.writing || stopping_) return;
  shard.reading = true;
  shard.stale_read = false;
  shard.reread = false;
  actions_.push_back(ReadRecord{id});
}

void LeaseCore::write(ShardId id, Shard& shard, ShardRecord record) {
  MARTLET_ASSERT(!shard.writing);
  shard.writing = true;
  shard.writes_no_owner = record.owner.empty();
  shard.stale_read = true;
  shard.free_since = kNever;
  record.reached = shard.reached;
  actions_.push_back(WriteRecord{id, std::move(record), shard.revision});
}

void LeaseCore::write_no_owner(ShardId id, Shard& shard) {
  write(id, shard, {{}, shard.epoch, std::max(shard.published, shard.record.published)});
}

// Also to take anew what is ours already: the write makes the new epoch.
void LeaseCore::claim(ShardId id, Shard& shard) {
  shard.state = State::kClaiming;
  shard.previous = shard.record;
  write(id, shard, {self_, Epoch(), shard.record.published});
}

void LeaseCore::lose(ShardId id, Shard& shard) {
  const bool told = shard.state != State::kOther && shard.epoch.value() != 0;
  const bool asked_for = shard.state == State::kGivingBack;
  shard.state = State::kOther;
  shard.epoch = Epoch();
  shard.published = LogPosition();
  if (told && !asked_for) actions_.push_back(Lost{id});
}

void LeaseCore::on_record_read(ShardId id, const Result<std::optional<KvEntry>>& got) {
  Shard& shard = at(id);
  shard.reading = false;
  const bool again = std::exchange(shard.reread, false);
  if (got && !shard.stale_read) {
    shard.known = true;
    if (*got) {
      shard.existed = true;
      shard.revision = (*got)->revision;
      const LogPosition published = shard.record.published;
      shard.record = decode_record((*got)->value, shard.revision);
      // A bucket that lost its tail tells an older one; what was published stays published.
      shard.record.published = std::max(shard.record.published, published);
      shard.reached = std::max(shard.reached, shard.record.reached);
    } else {
      // The last published position is still the best that is known.
      shard.revision = 0;
      shard.record.owner.clear();
      shard.record.epoch = Epoch();
    }
    members_.on_named(shard.record.owner);
    judge(id, shard);
  } else if (shard.state == State::kDoubted) {
    shard.retry_at = now_ + random_.jitter(kFirstRetry * 4, 0.5);
  }
  if (again || (got && shard.stale_read)) read(id, shard);
}

// The record is fresh: does it still say what we believe?
void LeaseCore::judge(ShardId id, Shard& shard) {
  const bool names_us = shard.record.owner == self_;
  switch (shard.state) {
    case State::kOther:
      // A claim that timed out and was written after all.
      if (names_us && !stopping_) claim(id, shard);
      return;
    case State::kOurs:
    case State::kReleasing:
      return judge_ours(id, shard);
    case State::kDoubted:
      if (now_ < shard.retry_at) return;
      if (names_us || shard.record.owner.empty()) return claim(id, shard);
      return lose(id, shard);
    case State::kGivingBack:
      if (!names_us) return lose(id, shard);
      if (!shard.writing) write_no_owner(id, shard);
      return;
    case State::kClaiming:
      return;
  }
}

void LeaseCore::judge_ours(ShardId id, Shard& shard) {
  if (shard.record.owner == self_ && shard.record.epoch == shard.epoch) return;
  // The bucket was wiped, or a write of ours landed late: take it anew, the epoch tells.
  if (shard.record.owner == self_ || shard.record.owner.empty()) return claim(id, shard);
  lose(id, shard);
}

void LeaseCore::on_record_written(ShardId id, const Result<std::uint64_t>& revision) {
  Shard& shard = at(id);
  MARTLET_ASSERT(shard.writing);
  shard.writing = false;
  const bool gave_back = std::exchange(shard.writes_no_owner, false);
  if (!revision) {
    // Somebody else wrote, or nobody knows: the record tells.
    shard.retry_at = now_;
    if (shard.state == State::kClaiming) {
      shard.state = shard.epoch.value() != 0 ? State::kDoubted : State::kOther;
    }
    if (stopping_ && revision.error().code == ErrorCode::kConflict) return lose(id, shard);
    return read(id, shard);
  }
  shard.known = true;
  shard.existed = true;
  shard.revision = *revision;
  on_written(id, shard, gave_back);
}

void LeaseCore::on_written(ShardId id, Shard& shard, bool gave_back) {
  if (gave_back) {
    shard.record = {{}, shard.epoch, std::max(shard.published, shard.record.published)};
    return lose(id, shard);
  }
  if (shard.state == State::kClaiming) {
    shard.state = State::kOurs;
    shard.epoch = Epoch(shard.revision);
    shard.published = shard.record.published;
    shard.previous.reached = shard.reached;
    actions_.push_back(Acquired{id, shard.epoch, shard.previous});
  }
  shard.record = {self_, shard.epoch, shard.record.published};
  if (shard.state == State::kGivingBack) write_no_owner(id, shard);
}

void LeaseCore::give_back(ShardId id) {
  Shard& shard = at(id);
  if (shard.state == State::kOther || shard.state == State::kGivingBack) return;
  const bool busy = shard.writing;
  shard.state = State::kGivingBack;
  shard.retry_at = now_;
  next_move_ = now_ + kBetweenMoves;
  if (!busy) write_no_owner(id, shard);
}

void LeaseCore::doubt(ShardId id) {
  Shard& shard = at(id);
  if (shard.state != State::kOurs && shard.state != State::kReleasing) return;
  if (now_ - shard.last_doubt > kCalmAfter) shard.doubts = 0;
  shard.last_doubt = now_;
  const Duration wait = std::min(kFirstRetry * (1 << std::min(shard.doubts++, 5)), kLongestRetry);
  shard.state = State::kDoubted;
  shard.retry_at = now_ + random_.jitter(wait, 0.5);
}

void LeaseCore::note_published(ShardId id, LogPosition position) {
  Shard& shard = at(id);
  shard.published = std::max(shard.published, position);
}

void LeaseCore::note_reached(ShardId id, LogPosition position) {
  Shard& shard = at(id);
  shard.reached = std::max(shard.reached, position);
}

void LeaseCore::run_timers(ShardId id, Shard& shard) {
  if (shard.reading || shard.writing) return;
  const bool waits = shard.state == State::kDoubted || shard.state == State::kGivingBack;
  if (waits && now_ >= shard.retry_at) {
    if (shard.state == State::kGivingBack) {
      shard.retry_at = now_ + kFirstRetry * 4;
      write_no_owner(id, shard);
    } else {
      read(id, shard);
    }
    return;
  }
  if (shard.state != State::kOurs || stopping_) return;
  if (shard.published > shard.record.published && now_ >= shard.next_publish) {
    shard.next_publish = now_ + kPublishPeriod;
    shard.record.published = shard.published;
    write(id, shard, {self_, shard.epoch, shard.published});
  }
}

void LeaseCore::stop() {
  stopping_ = true;
  actions_.push_back(WriteBeat{});
  for (std::uint16_t n = 0; n < shards_.size(); ++n) give_back(ShardId(n));
}

bool LeaseCore::is_stopped() const {
  return std::all_of(shards_.begin(), shards_.end(), [](const Shard& shard) {
    return shard.state == State::kOther && !shard.writing;
  });
}

Duration LeaseCore::renewal_age(MonotonicTime now) const {
  return renewed_ ? now - *renewed_ : Duration::max();
}

bool LeaseCore::owns(ShardId shard) const {
  const State state = shards_[shard.value()].state;
  return state == State::kOurs || state == State::kReleasing;
}

}  // namespace martlet::bus
