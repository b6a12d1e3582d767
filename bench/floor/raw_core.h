#pragma once

#include <string>

namespace martlet::bench {

// Small messages through 10,000 literal subscriptions, with the library alone: a publisher that the
// receiver keeps at most so far behind that nothing is dropped. Messages a second.
double raw_core(const std::string& url, double seconds);

}  // namespace martlet::bench
