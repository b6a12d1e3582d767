#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "api/edge_directory.h"
#include "wire/rpc.h"

namespace martlet::api {

// Where the sessions of an edge that will stop go: all of them, so that the others are level for
// their weights afterwards. Empty: there is nobody.
std::vector<wire::Move> plan_drain(std::uint32_t sessions, std::span<const Candidate> others);

// What an edge gives to others that have less than their share: nothing unless it has
// kRebalanceTolerance more than its own, and then what is above its share. Every edge that asks is
// told of its own part only, so that they may ask at the same time. candidates: all that take
// clients, the one that asks among them.
std::vector<wire::Move> plan_rebalance(const EdgeId& asker, std::uint32_t sessions,
                                       std::span<const Candidate> candidates);

}  // namespace martlet::api
