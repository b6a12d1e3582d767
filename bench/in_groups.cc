// Everybody writes to the groups that they are in, by turns.

#include <algorithm>
#include <map>

#include "bench/workload.h"

namespace martlet::bench {
namespace {

// By user.
struct Turns {
  std::vector<Target> targets;
  std::size_t next = 0;
};

class InGroups final : public Workload {
 public:
  explicit InGroups(std::vector<Turns> turns) : turns_(std::move(turns)) {}

  std::size_t senders() const override { return turns_.size(); }

  Target next(std::size_t sender) override {
    Turns& turns = turns_[sender];
    return turns.targets[turns.next++ % turns.targets.size()];
  }

 private:
  std::vector<Turns> turns_;
};

}  // namespace

std::unique_ptr<Workload> make_in_groups(const People& people) {
  std::map<UserId, Turns> turns;
  for (const Group& group : people.groups) {
    const Target target{.conversation = static_cast<std::uint32_t>(&group - people.groups.data()),
                        .copies = static_cast<std::uint32_t>(group.members.size() - 1),
                        .to_user = {},
                        .to_group = group.id};
    for (const UserId& member : group.members) turns[member].targets.push_back(target);
  }
  std::vector<Turns> by_number;
  for (const UserId& user : people.users) by_number.push_back(turns[user]);
  const bool some_alone =
      std::ranges::any_of(by_number, [](const Turns& one) { return one.targets.empty(); });
  if (by_number.empty() || some_alone) return nullptr;
  return std::make_unique<InGroups>(std::move(by_number));
}

}  // namespace martlet::bench
