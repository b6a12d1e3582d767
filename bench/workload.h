#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "model/conversation.h"
#include "model/ids.h"

namespace martlet::bench {

inline constexpr std::size_t kMaxUsers = 65'535;  // a pair of them has a number of 32 bits

// Where a message goes.
struct Target {
  std::uint32_t conversation = 0;  // 0, 1, 2 … within the run
  std::uint32_t copies = 1;        // devices, besides the sender's, that must get it
  UserId to_user;                  // exactly one of the two
  GroupId to_group;
};

struct Group {
  GroupId id;
  std::vector<UserId> members;
};

// One device each, all online but the visitors.
struct People {
  std::vector<UserId> users;
  std::vector<Group> groups;  // whose members are among the users
  std::vector<UserId> visitors{};
};

// Who writes to whom. Pure. A workload is one file and a line in workload.cc.
class Workload {
 public:
  virtual ~Workload() = default;
  // The first so many users write.
  virtual std::size_t senders() const = 0;
  // The next message of users[sender].
  virtual Target next(std::size_t sender) = 0;
};

// Null: no workload of this name, or not for such people.
std::unique_ptr<Workload> make_workload(const std::string& name, const People& people);

// The workloads, one a file.
std::unique_ptr<Workload> make_all_to_one(const People& people);
std::unique_ptr<Workload> make_in_groups(const People& people);
std::unique_ptr<Workload> make_offline(const People& people);
std::unique_ptr<Workload> make_one_to_one(const People& people);
std::unique_ptr<Workload> make_one_to_one_warm(const People& people);
std::unique_ptr<Workload> make_pairs(const People& people);

}  // namespace martlet::bench
