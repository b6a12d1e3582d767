#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <set>
#include <vector>

#include "base/clock.h"
#include "store/types.h"

namespace martlet::store {

// Decides which applies are written together, in one transaction
// (docs/adr/0045-one-transaction.md). Those that come while one is under way go with the next one;
// a second one starts beside it only when as much waits as one may hold. Together is tried only
// what is expected to succeed: all of a transaction fails with one of them. They are then done each
// by itself, as is whatever did not succeed last time, so that they hold up nobody again. Pure.
class ApplyQueue {
 public:
  using Done = std::function<void(ApplyResult)>;
  // One transaction; no shard twice.
  struct Together {
    std::vector<ApplyRequest> requests;
    std::vector<Done> dones;
    bool is_alone = false;  // one that nobody may go with
    Duration again{};       // of an empty one: it is to be asked for once more after so long
  };

  // max_under_way: transactions at the same time.
  explicit ApplyQueue(std::size_t max_under_way) : max_under_way_(max_under_way) {}

  void add(ApplyRequest request, Done done);
  // What is to be written now beside what is under way; empty: nothing, until more is added,
  // something has ended, or the time has come.
  Together take(MonotonicTime now);
  // What became of it. Tells the verdicts at last: the queue may be used and destroyed by that.
  void ended(Together together, const std::vector<ApplyResult>& results);

  std::size_t waiting() const { return waiting_.size(); }

 private:
  struct Waiting {
    ApplyRequest request;
    Done done;
    std::size_t bytes = 0;
  };
  bool goes_alone(const Waiting& waiting) const;
  bool is_under_way(const Waiting& waiting) const;
  bool is_full() const;
  Together take_alone();
  Together take_shared();

  const std::size_t max_under_way_;
  std::deque<Waiting> waiting_;
  std::set<ShardId> under_way_;
  std::size_t transactions_ = 0;  // under way
  std::size_t shared_ = 0;        // of them, those that are not alone
  MonotonicTime not_before_{};    // the next one that is not alone, if there is room in it
  std::set<ShardId> failed_;      // whose last apply did not succeed
};

}  // namespace martlet::store
