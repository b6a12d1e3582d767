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

// Who writes to whom. Pure. A workload is one file and a line in workload.cc.
class Workload {
 public:
  virtual ~Workload() = default;
  // The next message of users[sender].
  virtual Target next(std::size_t sender) = 0;
};

// users: one device each, all online; absent: nobody of them is. Null: no workload of this name, or
// not for so many users.
std::unique_ptr<Workload> make_workload(const std::string& name, const std::vector<UserId>& users,
                                        const std::vector<UserId>& absent = {});

// The workloads, one a file.
std::unique_ptr<Workload> make_offline(const std::vector<UserId>& users,
                                       const std::vector<UserId>& absent);
std::unique_ptr<Workload> make_one_to_one(const std::vector<UserId>& users);
std::unique_ptr<Workload> make_one_to_one_warm(const std::vector<UserId>& users);
std::unique_ptr<Workload> make_pairs(const std::vector<UserId>& users);

}  // namespace martlet::bench
