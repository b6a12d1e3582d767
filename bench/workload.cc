#include "bench/workload.h"

#include <map>

namespace martlet::bench {

std::unique_ptr<Workload> make_workload(const std::string& name, const People& people) {
  using Make = std::unique_ptr<Workload> (*)(const People&);
  static const std::map<std::string, Make> kWorkloads = {
      {"all-to-one", make_all_to_one},
      {"in-groups", make_in_groups},
      {"offline", make_offline},
      {"one-to-one", make_one_to_one},
      {"one-to-one-warm", make_one_to_one_warm},
      {"pairs", make_pairs},
  };
  const auto found = kWorkloads.find(name);
  return found == kWorkloads.end() ? nullptr : found->second(people);
}

}  // namespace martlet::bench
