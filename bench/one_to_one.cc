// Sender and recipient are drawn anew for each message: most conversations are new to everybody.

#include <algorithm>

#include "base/random.h"
#include "bench/workload.h"

namespace martlet::bench {
namespace {

class OneToOne final : public Workload {
 public:
  explicit OneToOne(const std::vector<UserId>& users) : users_(users) {}

  std::size_t senders() const override { return users_.size(); }

  Target next(std::size_t sender) override {
    const std::size_t drawn = random_.below(users_.size() - 1);
    const std::size_t other = drawn < sender ? drawn : drawn + 1;
    const std::size_t pair = std::min(sender, other) * users_.size() + std::max(sender, other);
    return {.conversation = static_cast<std::uint32_t>(pair),
            .copies = 1,
            .to_user = users_[other],
            .to_group = {}};
  }

 private:
  const std::vector<UserId> users_;
  SeededRandom random_{1};  // the same in each run
};

}  // namespace

std::unique_ptr<Workload> make_one_to_one(const People& people) {
  if (people.users.size() < 2 || people.users.size() > kMaxUsers) return nullptr;
  return std::make_unique<OneToOne>(people.users);
}

}  // namespace martlet::bench
