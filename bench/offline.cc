// Everybody writes to five people who are not there, as often as chance has it.

#include <algorithm>

#include "base/random.h"
#include "bench/workload.h"

namespace martlet::bench {
namespace {

constexpr std::size_t kFriends = 5;

class Offline final : public Workload {
 public:
  explicit Offline(const People& people)
      : senders_(people.users.size()),
        absent_(people.visitors),
        friends_(std::min(kFriends, absent_.size())) {}

  std::size_t senders() const override { return senders_; }

  Target next(std::size_t sender) override {
    const std::size_t choice = random_.below(friends_);
    return {.conversation = static_cast<std::uint32_t>(sender * kFriends + choice),
            .copies = 1,
            .to_user = absent_[(sender * kFriends + choice) % absent_.size()],
            .to_group = {}};
  }

 private:
  const std::size_t senders_;
  const std::vector<UserId> absent_;
  const std::size_t friends_;
  SeededRandom random_{1};  // the same in each run
};

}  // namespace

std::unique_ptr<Workload> make_offline(const People& people) {
  const std::size_t users = people.users.size();
  if (users == 0 || users > kMaxUsers || people.visitors.empty()) return nullptr;
  return std::make_unique<Offline>(people);
}

}  // namespace martlet::bench
