#include "api/router.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "api/limits.h"
#include "base/hash.h"

namespace martlet::api {
namespace {

// An edge that starts again at its address is the same one for its users.
std::string_view lasting_name(const EdgeInfo& edge) {
  return edge.address.empty() ? std::string_view(edge.edge.str()) : edge.address;
}

// Weighted rendezvous: each edge draws a number for the user, the highest one is the user's own.
// When an edge goes, only its users go elsewhere; when one comes, it takes its share of each.
double draw(const UserId& user, const EdgeInfo& edge, std::uint32_t weight) {
  const std::uint64_t hash = base::hash64(user.str() + "\n" + std::string(lasting_name(edge)));
  const double uniform = (static_cast<double>(hash >> 11) + 0.5) / 0x1p53;  // above 0, below 1
  return -static_cast<double>(weight) / std::log(uniform);
}

bool is_less_busy(const Candidate& a, std::uint32_t weight_a, const Candidate& b,
                  std::uint32_t weight_b) {
  return std::uint64_t{a.load} * weight_b < std::uint64_t{b.load} * weight_a;
}

}  // namespace

std::optional<Strategy> strategy_named(std::string_view name) {
  for (const StrategyName& entry : kStrategies) {
    if (entry.name == name) return entry.strategy;
  }
  return std::nullopt;
}

std::string_view strategy_name(Strategy strategy) {
  for (const StrategyName& entry : kStrategies) {
    if (entry.strategy == strategy) return entry.name;
  }
  return "unknown";
}

Weights::Weights(std::span<const Candidate> candidates, Use use) : count_(candidates.size()) {
  if (use == Use::kIgnore) return;
  for (const Candidate& candidate : candidates) total_ += candidate.edge->weight;
}

const Candidate* Router::choose(Strategy strategy, const UserId& user,
                                std::span<const Candidate> candidates) {
  if (candidates.empty()) return nullptr;
  switch (strategy) {
    case Strategy::kConsistentHash:
      return by_hash(user, candidates);
    case Strategy::kLeastActive:
      return by_load(candidates);
    case Strategy::kWeightedRandom:
      return by_weight(candidates);
    case Strategy::kRoundRobin:
      return by_turn(candidates);
  }
  return nullptr;
}

// Bounded load: one that has kHashBound times its share passes the user on to the next one of
// the user's row. Somebody is below that, since all together have their share.
const Candidate* Router::by_hash(const UserId& user, std::span<const Candidate> candidates) const {
  const Weights weights(candidates);
  std::uint64_t load = 1;  // with this one
  std::vector<std::pair<double, const Candidate*>> row;
  for (const Candidate& candidate : candidates) {
    load += candidate.load;
    const std::uint32_t weight = weights.of(candidate);
    if (weight > 0) row.emplace_back(draw(user, *candidate.edge, weight), &candidate);
  }
  std::sort(row.begin(), row.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
  const auto has_room = [&](const auto& place) {
    const double share =
        static_cast<double>(load) * weights.of(*place.second) / static_cast<double>(weights.sum());
    return place.second->load + 1 <= std::ceil(kHashBound * share);
  };
  const auto found = std::find_if(row.begin(), row.end(), has_room);
  return found == row.end() ? row.front().second : found->second;
}

// Of equal ones any: several apis would otherwise send all to the first.
const Candidate* Router::by_load(std::span<const Candidate> candidates) {
  const Weights weights(candidates);
  const Candidate* best = nullptr;
  std::uint64_t equals = 0;
  for (const Candidate& candidate : candidates) {
    const std::uint32_t weight = weights.of(candidate);
    if (weight == 0) continue;
    if (best == nullptr || is_less_busy(candidate, weight, *best, weights.of(*best))) {
      best = &candidate;
      equals = 1;
    } else if (!is_less_busy(*best, weights.of(*best), candidate, weight) &&
               random_.below(++equals) == 0) {
      best = &candidate;
    }
  }
  return best;
}

const Candidate* Router::by_weight(std::span<const Candidate> candidates) {
  const Weights weights(candidates);
  std::uint64_t chosen = random_.below(weights.sum());
  for (const Candidate& candidate : candidates) {
    const std::uint32_t weight = weights.of(candidate);
    if (chosen < weight) return &candidate;
    chosen -= weight;
  }
  return nullptr;
}

const Candidate* Router::by_turn(std::span<const Candidate> candidates) {
  const Weights weights(candidates);
  while (true) {  // somebody has a weight
    const Candidate& candidate = candidates[turns_++ % candidates.size()];
    if (weights.of(candidate) > 0) return &candidate;
  }
}

}  // namespace martlet::api
