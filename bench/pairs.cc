// Pairs of users who write to each other, both at the same time.

#include "bench/workload.h"

namespace martlet::bench {
namespace {

class Pairs final : public Workload {
 public:
  explicit Pairs(const std::vector<UserId>& users) : users_(users) {}

  std::size_t senders() const override { return users_.size(); }

  // 0 and 1, 2 and 3 …
  Target next(std::size_t sender) override {
    return {.conversation = static_cast<std::uint32_t>(sender / 2),
            .copies = 1,
            .to_user = users_[sender ^ 1],
            .to_group = {}};
  }

 private:
  std::vector<UserId> users_;
};

}  // namespace

std::unique_ptr<Workload> make_pairs(const People& people) {
  if (people.users.empty() || people.users.size() % 2 != 0) return nullptr;
  return std::make_unique<Pairs>(people.users);
}

}  // namespace martlet::bench
