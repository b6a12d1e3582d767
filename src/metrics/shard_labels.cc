#include "metrics/shard_labels.h"

#include <string>

namespace martlet::metrics {

Label<LeaseChange> lease_label() {
  return {"change",
          {{LeaseChange::kAcquired, "acquired"},
           {LeaseChange::kGivenBack, "given_back"},
           {LeaseChange::kLost, "lost"}}};
}

Label<std::uint16_t> shard_label(std::uint16_t shards) {
  Label<std::uint16_t> label{"shard", {}};
  for (std::uint16_t i = 0; i < shards; ++i) label.values.emplace_back(i, std::to_string(i));
  return label;
}

}  // namespace martlet::metrics
