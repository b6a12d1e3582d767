#pragma once

#include <vector>

#include "wire/trace.h"

namespace martlet::test {

// What was noted of messages that are followed.
class HopNotes final : public wire::HopSink {
 public:
  void record(wire::Hop hop) override { hops.push_back(std::move(hop)); }
  std::vector<wire::HopKind> kinds() const {
    std::vector<wire::HopKind> out;
    for (const wire::Hop& hop : hops) out.push_back(hop.kind);
    return out;
  }

  std::vector<wire::Hop> hops;
};

}  // namespace martlet::test
