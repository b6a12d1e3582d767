#include "client/cursor.h"

#include <algorithm>

namespace martlet::client {

void Cursor::show(std::uint64_t seq, std::uint64_t message_id) {
  shown = seq;
  target = std::max(target, seq);
  if (seq > durable) recent[seq] = message_id;
}

// What is above `shown` stays: it was shown before the log lost its tail and is still in doubt.
void Cursor::confirm(std::uint64_t seq) {
  durable = std::max(durable, seq);
  recent.erase(recent.begin(), recent.upper_bound(std::min(durable, shown)));
}

}  // namespace martlet::client
