// The part of LeaseCore that spreads the shards evenly over the living members.
#include <algorithm>

#include "bus/lease_core.h"

namespace martlet::bus {
namespace {

using namespace lease_action;
using std::chrono::milliseconds;

// A free shard waits so long for the member that it suits best. Where its owner died, senders wait
// too, and whoever was there takes it: it moves later. Who has just started does not, since the
// others may have just started as well.
constexpr Duration kTurnOfOthers = milliseconds(700);
constexpr Duration kTurnOfOthersForOrphans = milliseconds(300);
constexpr Duration kNewcomer = std::chrono::seconds(5);
// A record that vanished (the bucket was wiped) waits so long for its owner to write it again.
constexpr Duration kGraceOfOwner = milliseconds(2500);
constexpr Duration kBetweenMoves = milliseconds(500);
constexpr MonotonicTime kNever = MonotonicTime::max();

}  // namespace

void LeaseCore::note_free(Shard& shard) {
  const bool is_free = shard.known && shard.state == State::kOther && !shard.writing &&
                       (shard.record.owner.empty() || !members_.is_alive(shard.record.owner));
  if (!is_free) {
    shard.free_since = kNever;
  } else if (shard.free_since == kNever) {
    const bool vanished = shard.existed && shard.revision == 0;
    shard.free_since = vanished ? now_ + kGraceOfOwner : now_;
  }
}

std::size_t LeaseCore::held() const {
  return static_cast<std::size_t>(std::count_if(shards_.begin(), shards_.end(), [](const Shard& s) {
    return s.state == State::kOurs || s.state == State::kClaiming || s.state == State::kDoubted;
  }));
}

// Every member reckons the same from the same records and beats; where views differ for a moment,
// the compare-and-set decides.
void LeaseCore::spread() {
  if (now_ < may_claim_at_ || !renewed_ || renewal_age(now_) > kMaxRenewalAge) return;
  const bool all_known =
      std::all_of(shards_.begin(), shards_.end(), [](const Shard& s) { return s.known; });
  if (!all_known) return;
  const std::vector<std::string> living = members_.living();
  std::vector<std::size_t> counts(living.size());
  for (const Shard& shard : shards_) {
    const auto found = std::lower_bound(living.begin(), living.end(), shard.record.owner);
    if (shard.state == State::kOther && found != living.end() && *found == shard.record.owner) {
      ++counts[static_cast<std::size_t>(found - living.begin())];
    }
  }
  const auto self = std::lower_bound(living.begin(), living.end(), self_) - living.begin();
  counts[static_cast<std::size_t>(self)] = held();
  claim_free(living, counts);
  release_one(living, counts);
}

// The free shards go round the members that have the fewest; who is not meant waits a little.
void LeaseCore::claim_free(const std::vector<std::string>& living,
                           const std::vector<std::size_t>& counts) {
  const std::size_t most = (shards_.size() + living.size() - 1) / living.size();
  std::vector<std::size_t> will_have = counts;
  std::size_t ours = held();
  const bool is_newcomer = now_ - may_claim_at_ < kNewcomer;
  for (std::uint16_t n = 0; n < shards_.size(); ++n) {
    Shard& shard = shards_[n];
    if (shard.free_since > now_) continue;
    const auto least = std::min_element(will_have.begin(), will_have.end());
    ++*least;
    const bool meant = living[static_cast<std::size_t>(least - will_have.begin())] == self_;
    const bool is_orphan = !shard.record.owner.empty() && !is_newcomer;
    const Duration turn = is_orphan ? kTurnOfOthersForOrphans : kTurnOfOthers;
    const bool others_late = now_ - std::max(shard.free_since, may_claim_at_) > turn;
    if (!others_late && !meant) continue;
    if (ours >= most && !(is_orphan && others_late)) continue;
    ++ours;
    claim(ShardId(n), shard);
  }
}

// Only when nothing else moves, and only to a member that has two fewer.
void LeaseCore::release_one(const std::vector<std::string>& living,
                            const std::vector<std::size_t>& counts) {
  if (now_ < next_move_) return;
  const bool moving = std::any_of(shards_.begin(), shards_.end(), [](const Shard& shard) {
    return shard.free_since != kNever ||
           (shard.state != State::kOther && shard.state != State::kOurs);
  });
  if (moving) return;
  const auto most = std::max_element(counts.begin(), counts.end());
  const std::size_t least = *std::min_element(counts.begin(), counts.end());
  // Of several that have the most, the first one gives.
  const bool ours = living[static_cast<std::size_t>(most - counts.begin())] == self_;
  if (!ours || *most < least + 2) return;
  for (std::size_t n = shards_.size(); n-- > 0;) {
    Shard& shard = shards_[n];
    if (shard.state != State::kOurs) continue;
    shard.state = State::kReleasing;
    next_move_ = now_ + kBetweenMoves;
    actions_.push_back(ReleaseWanted{ShardId(static_cast<std::uint16_t>(n))});
    return;
  }
}

}  // namespace martlet::bus
