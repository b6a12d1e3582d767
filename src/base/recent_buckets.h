#pragma once

#include <cstddef>
#include <iterator>
#include <list>
#include <unordered_map>
#include <utility>

#include "base/clock.h"
#include "base/token_bucket.h"

namespace martlet {

// Token buckets by key, for keys that strangers choose: those that are full again are forgotten,
// and beyond the limit the one that was used least recently. Pure. Rate must be limited.
template <class Key>
class RecentBuckets {
 public:
  RecentBuckets(const Rate& rate, std::size_t limit) : rate_(rate), limit_(limit) {}

  // Good until the next call.
  TokenBucket& of(const Key& key, MonotonicTime now) {
    forget(now);
    const auto found = places_.find(key);
    if (found != places_.end()) {
      order_.splice(order_.end(), order_, found->second);
      return found->second->second;
    }
    if (order_.size() >= limit_) pop();
    order_.emplace_back(key, TokenBucket(rate_, now));
    places_.emplace(key, std::prev(order_.end()));
    return order_.back().second;
  }
  std::size_t size() const { return order_.size(); }

 private:
  using Order = std::list<std::pair<Key, TokenBucket>>;  // by use, the least recent first

  void forget(MonotonicTime now) {
    while (!order_.empty() && order_.front().second.is_full(now)) pop();
  }
  void pop() {
    places_.erase(order_.front().first);
    order_.pop_front();
  }

  const Rate rate_;
  const std::size_t limit_;
  Order order_;
  std::unordered_map<Key, typename Order::iterator> places_;
};

}  // namespace martlet
