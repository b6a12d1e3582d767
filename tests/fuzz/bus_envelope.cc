// What edges and owners of shards tell each other: which of them, then the bytes.
#include "again.h"
#include "input.h"
#include "targets.h"
#include "wire/envelopes.h"
#include "wire/status.h"

namespace martlet::fuzz {

void bus_envelope(BytesView bytes) {
  if (bytes.size() > kMaxInputBytes) return;
  Input input(bytes);
  switch (input.byte() % 7) {
    case 0:
      (void)encoded_again<wire::parse_client_frame>(input.rest());
      break;
    case 1:
      (void)encoded_again<wire::parse_to_edge>(input.rest());
      break;
    case 2:
      (void)encoded_again<wire::parse_to_user>(input.rest());
      break;
    case 3:
      (void)encoded_again<wire::parse_owner_announced>(input.rest());
      break;
    case 4:
      (void)encoded_again<wire::parse_watermark>(input.rest());
      break;
    case 5:
      (void)encoded_again<wire::parse_edge_beat>(input.rest());
      break;
    default:
      // Strings of such a message may lie in one another, so written anew it may be too long.
      (void)wire::parse_service_status(input.rest());
  }
}

}  // namespace martlet::fuzz
