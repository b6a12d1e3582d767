#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "metrics/registry.h"

namespace martlet::sim {

// What happened in a world, by name: sends, faults by kind, and the recovery paths that the code
// went. Summed over many worlds it shows what a simulation never tried.
class Coverage {
 public:
  void add(const std::string& name, std::uint64_t count = 1) {
    if (count > 0) counts_[name] += count;
  }
  // The counters of a process that are a recovery path.
  void add(const metrics::Registry& registry);
  void add(const Coverage& other);

  std::uint64_t of(const std::string& name) const;
  // The paths that every long run must have gone.
  static std::vector<std::string> paths();
  const std::map<std::string, std::uint64_t>& all() const { return counts_; }

 private:
  std::map<std::string, std::uint64_t> counts_;
};

}  // namespace martlet::sim
