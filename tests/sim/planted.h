#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/planted.h"

namespace martlet::sim {

// A fault that can be planted, and the promises of which the checker must find one broken.
struct PlantedFault {
  Planted fault;
  std::string_view name;
  std::vector<std::string_view> promises;
};

const std::vector<PlantedFault>& planted_faults();

// Plants the first one with this in its name, for a look at one world. False: there is none.
bool plant_one(std::string_view name);

// Plants one after the other, each until it is caught or its seeds are over, then runs the same
// seeds without any. Prints a row each. True: all were caught, and the clean run had no complaint.
bool run_planted(std::uint64_t from, std::uint64_t seeds, std::size_t processes,
                 std::string_view only);

}  // namespace martlet::sim
