#include "api/moves.h"

#include <algorithm>
#include <cmath>

#include "api/limits.h"
#include "api/router.h"

namespace martlet::api {
namespace {

// Parts of `sessions` in the ratio of `rooms`; what rounding leaves goes to the first ones.
std::vector<wire::Move> split(std::uint32_t sessions, std::span<const Candidate> to,
                              const std::vector<double>& rooms) {
  double sum = 0;
  for (const double room : rooms) sum += room;
  std::vector<wire::Move> moves;
  if (sum <= 0) return moves;
  double before = 0;
  std::uint32_t given = 0;
  for (std::size_t i = 0; i < to.size(); ++i) {
    before += rooms[i];
    const auto until =
        static_cast<std::uint32_t>(std::lround(sessions * std::min(1.0, before / sum)));
    if (until > given) moves.push_back({to[i].edge->address, until - given});
    given = std::max(given, until);
  }
  return moves;
}

}  // namespace

// Level: a load for each unit of weight. The lowest ones are filled up until all is placed; who is
// above the level that comes out gets nothing.
std::vector<wire::Move> plan_drain(std::uint32_t sessions, std::span<const Candidate> others) {
  const Weights weights(others);
  std::vector<Candidate> row;
  for (const Candidate& other : others) {
    if (weights.of(other) > 0) row.push_back(other);
  }
  const auto level_of = [&](const Candidate& one) {
    return static_cast<double>(one.load) / weights.of(one);
  };
  std::sort(row.begin(), row.end(),
            [&](const Candidate& a, const Candidate& b) { return level_of(a) < level_of(b); });
  double load = sessions;
  double weight = 0;
  double level = 0;
  for (std::size_t i = 0; i < row.size(); ++i) {
    load += row[i].load;
    weight += weights.of(row[i]);
    level = load / weight;
    if (i + 1 == row.size() || level <= level_of(row[i + 1])) {
      row.resize(i + 1);
      break;
    }
  }
  std::vector<double> rooms;
  for (const Candidate& one : row) rooms.push_back(level * weights.of(one) - one.load);
  return split(sessions, row, rooms);
}

std::vector<wire::Move> plan_rebalance(const EdgeId& asker, std::uint32_t sessions,
                                       std::span<const Candidate> candidates) {
  const auto self = std::find_if(candidates.begin(), candidates.end(),
                                 [&](const Candidate& one) { return one.edge->edge == asker; });
  if (self == candidates.end()) return {};
  // Whoever comes back through what stands before the edges is spread by that, which knows no
  // weights.
  const Weights weights(candidates,
                        self->edge->address.empty() ? Weights::Use::kIgnore : Weights::Use::kCount);
  double load = sessions;
  for (const Candidate& one : candidates) {
    if (one.edge->edge != asker) load += one.load;
  }
  const double weight = weights.of(*self);
  const double level = load / static_cast<double>(std::max<std::uint64_t>(weights.sum(), 1));
  const double share = level * weight;
  const double excess = sessions - share;
  if (excess < kRebalanceLeast || sessions <= share * (1 + kRebalanceTolerance)) return {};
  std::vector<Candidate> others;
  std::vector<double> rooms;
  double room = 0;
  for (const Candidate& one : candidates) {
    const double rest = level * weights.of(one) - one.load;
    if (one.edge->edge == asker || rest <= 0) continue;
    others.push_back(one);
    rooms.push_back(rest);
    room += rest;
  }
  return split(static_cast<std::uint32_t>(std::min(excess, room)), others, rooms);
}

}  // namespace martlet::api
