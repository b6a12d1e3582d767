#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "api/edge_directory.h"
#include "base/random.h"
#include "model/ids.h"

namespace martlet::api {

enum class Strategy : std::uint8_t {
  kConsistentHash,  // a user's own edge, unless it has kHashBound times its share
  kLeastActive,     // the one with the fewest connections for its weight
  kWeightedRandom,
  kRoundRobin,
};

struct StrategyName {
  Strategy strategy;
  std::string_view name;
};

inline constexpr std::array kStrategies{
    StrategyName{Strategy::kConsistentHash, "consistent_hash"},
    StrategyName{Strategy::kLeastActive, "least_active"},
    StrategyName{Strategy::kWeightedRandom, "weighted_random"},
    StrategyName{Strategy::kRoundRobin, "round_robin"},
};

std::optional<Strategy> strategy_named(std::string_view name);
std::string_view strategy_name(Strategy strategy);

// Chooses an edge for a client. An edge of weight 0 gets nobody while another one has a weight; if
// all have none, they count the same. A pure core: no I/O; remembers whose turn it is.
class Router {
 public:
  // random outlives it.
  explicit Router(Random& random) : random_(random) {}

  // candidates: those that take new clients, in a fixed order. None: there are none.
  const Candidate* choose(Strategy strategy, const UserId& user,
                          std::span<const Candidate> candidates);

 private:
  const Candidate* by_hash(const UserId& user, std::span<const Candidate> candidates) const;
  const Candidate* by_load(std::span<const Candidate> candidates);
  const Candidate* by_weight(std::span<const Candidate> candidates);
  const Candidate* by_turn(std::span<const Candidate> candidates);

  Random& random_;
  std::uint64_t turns_ = 0;
};

// What of the whole an edge should take: its weight, or 1 if nobody has any, or if weights do not
// count.
class Weights {
 public:
  enum class Use { kCount, kIgnore };
  explicit Weights(std::span<const Candidate> candidates, Use use = Use::kCount);
  std::uint32_t of(const Candidate& candidate) const {
    return total_ == 0 ? 1 : candidate.edge->weight;
  }
  std::uint64_t sum() const { return total_ == 0 ? count_ : total_; }

 private:
  std::uint64_t total_ = 0;
  std::uint64_t count_;
};

}  // namespace martlet::api
