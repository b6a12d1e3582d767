// Everybody writes to ten others, again and again: conversations that exist and are in memory. The
// first messages of each sender go to all of them by turn.

#include <algorithm>

#include "base/random.h"
#include "bench/workload.h"

namespace martlet::bench {
namespace {

// To each side, with the users in a ring.
constexpr std::size_t kNeighbours = 5;

class OneToOneWarm final : public Workload {
 public:
  explicit OneToOneWarm(const std::vector<UserId>& users)
      : users_(users),
        neighbours_(std::min(kNeighbours, (users.size() - 1) / 2)),
        opened_(users.size()) {}

  std::size_t senders() const override { return users_.size(); }

  Target next(std::size_t sender) override {
    const std::size_t choice =
        opened_[sender] < 2 * neighbours_ ? opened_[sender]++ : random_.below(2 * neighbours_);
    // The conversation of a user with the neighbour so far ahead is numbered by that user.
    const std::size_t distance = choice / 2 + 1;
    const std::size_t ahead = (sender + distance) % users_.size();
    const std::size_t behind = (sender + users_.size() - distance) % users_.size();
    const bool is_ahead = choice % 2 == 0;
    const std::size_t first = is_ahead ? sender : behind;
    return {.conversation = static_cast<std::uint32_t>(first * kNeighbours + distance - 1),
            .copies = 1,
            .to_user = users_[is_ahead ? ahead : behind],
            .to_group = {}};
  }

 private:
  const std::vector<UserId> users_;
  const std::size_t neighbours_;
  std::vector<std::size_t> opened_;  // by sender: neighbours written to
  SeededRandom random_{1};           // the same in each run
};

}  // namespace

std::unique_ptr<Workload> make_one_to_one_warm(const People& people) {
  if (people.users.size() < 3 || people.users.size() > kMaxUsers) return nullptr;
  return std::make_unique<OneToOneWarm>(people.users);
}

}  // namespace martlet::bench
