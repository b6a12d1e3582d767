// A session of the directory in Redis: the device, a line feed, the value.
#include "registry/session_json.h"

#include "base/assert.h"
#include "input.h"
#include "targets.h"

namespace martlet::fuzz {

void session_json(BytesView bytes) {
  constexpr WallMs kNowMs = 1'700'000'000'000;
  static const UserId user = UserId::trusted("alice");
  Input input(bytes);
  const BytesView device = input.take_until('\n');
  const auto record = registry::from_json(user, device, input.rest(), kNowMs);
  if (!record) return;
  MARTLET_ASSERT(record->user == user && record->device.str() == device);
  MARTLET_ASSERT(!record->edge.empty());
  const std::string text = registry::to_json(*record, kNowMs + 1);
  MARTLET_ASSERT(registry::from_json(user, device, text, kNowMs) == *record);
  MARTLET_ASSERT(!registry::from_json(user, device, text, kNowMs + 1));
}

}  // namespace martlet::fuzz
