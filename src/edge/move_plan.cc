#include "edge/move_plan.h"

#include <algorithm>
#include <utility>

#include "edge/limits.h"

namespace martlet::edge {
namespace {

// The addresses by turns, each as often as it takes sessions: whoever takes them has the whole
// window for it.
std::vector<std::string> by_turns(const std::vector<wire::Move>& moves, std::size_t most) {
  std::vector<std::pair<double, const std::string*>> places;
  for (const wire::Move& move : moves) {
    const std::size_t count = std::min<std::size_t>(move.sessions, most);
    for (std::size_t i = 0; i < count; ++i) {
      places.emplace_back((static_cast<double>(i) + 0.5) / static_cast<double>(count), &move.to);
    }
  }
  std::stable_sort(places.begin(), places.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  if (places.size() > most) places.resize(most);
  std::vector<std::string> row;
  for (const auto& [place, to] : places) row.push_back(*to);
  return row;
}

}  // namespace

void MovePlan::start(std::vector<SessionId> sessions, const std::vector<wire::Move>& moves, Who who,
                     Duration window, Random& random, MonotonicTime now) {
  // Chance: one user's devices, or those who came together, do not go together.
  for (std::size_t i = sessions.size(); i > 1; --i) {
    std::swap(sessions[i - 1], sessions[random.below(i)]);
  }
  std::vector<std::string> to = by_turns(moves, sessions.size());
  if (who == Who::kEverybody) to.resize(sessions.size());
  const Duration step =
      to.empty() ? Duration(0)
                 : std::min<Duration>(window / std::int64_t(to.size()),
                                      Duration(std::chrono::seconds(1)) / kMovesPerSecond);
  waiting_.clear();
  planned_ = to.size();
  for (std::size_t i = 0; i < to.size(); ++i) {
    waiting_.push_back({now + step * std::int64_t(i), {sessions[i], std::move(to[i])}});
  }
}

std::vector<MovePlan::Told> MovePlan::due(MonotonicTime now) {
  std::vector<Told> told;
  while (!waiting_.empty() && waiting_.front().at <= now) {
    told.push_back(std::move(waiting_.front().told));
    waiting_.pop_front();
  }
  return told;
}

}  // namespace martlet::edge
