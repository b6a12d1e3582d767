#pragma once

#include "metrics/registry.h"

namespace martlet::bus {

class NatsBus;

// Registers what the bus counts, read when rendered; the bus outlives the rendering. Null: only to
// describe.
void add_metrics(metrics::Registry& registry, const NatsBus* bus);

}  // namespace martlet::bus
