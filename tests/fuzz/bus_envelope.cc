// What edges and owners of shards tell each other: which of them, then the bytes.
#include "again.h"
#include "input.h"
#include "targets.h"
#include "wire/envelopes.h"

namespace martlet::fuzz {

void bus_envelope(BytesView bytes) {
  if (bytes.size() > kMaxInputBytes) return;
  Input input(bytes);
  switch (input.byte() % 6) {
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
    default:
      (void)encoded_again<wire::parse_edge_beat>(input.rest());
  }
}

}  // namespace martlet::fuzz
