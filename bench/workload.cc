#include "bench/workload.h"

#include <map>

namespace martlet::bench {

std::unique_ptr<Workload> make_workload(const std::string& name, const std::vector<UserId>& users,
                                        const std::vector<UserId>& absent) {
  if (name == "offline") return make_offline(users, absent);
  using Make = std::unique_ptr<Workload> (*)(const std::vector<UserId>&);
  static const std::map<std::string, Make> kWorkloads = {
      {"one-to-one", make_one_to_one},
      {"one-to-one-warm", make_one_to_one_warm},
      {"pairs", make_pairs},
  };
  const auto found = kWorkloads.find(name);
  return found == kWorkloads.end() ? nullptr : found->second(users);
}

}  // namespace martlet::bench
