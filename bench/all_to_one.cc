// Everybody writes to the last user, who reads.

#include "bench/workload.h"

namespace martlet::bench {
namespace {

class AllToOne final : public Workload {
 public:
  explicit AllToOne(const std::vector<UserId>& users)
      : senders_(users.size() - 1), to_(users.back()) {}

  std::size_t senders() const override { return senders_; }

  Target next(std::size_t sender) override {
    return {.conversation = static_cast<std::uint32_t>(sender),
            .copies = 1,
            .to_user = to_,
            .to_group = {}};
  }

 private:
  const std::size_t senders_;
  const UserId to_;
};

}  // namespace

std::unique_ptr<Workload> make_all_to_one(const People& people) {
  if (people.users.size() < 2) return nullptr;
  return std::make_unique<AllToOne>(people.users);
}

}  // namespace martlet::bench
