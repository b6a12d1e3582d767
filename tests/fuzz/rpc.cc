// Questions to persist and its answers, and what the api hears of hops: which of them, then the
// bytes.
#include "wire/rpc.h"

#include "again.h"
#include "input.h"
#include "targets.h"

namespace martlet::fuzz {

void rpc(BytesView bytes) {
  if (bytes.size() > kMaxInputBytes) return;
  Input input(bytes);
  switch (input.byte() % 17) {
    case 0:
      (void)encoded_again<wire::parse_client_request>(input.rest());
      break;
    case 1:
      (void)encoded_again<wire::parse_client_answer>(input.rest());
      break;
    case 2:
      (void)encoded_again<wire::parse_shard_question>(input.rest());
      break;
    case 3:
      (void)encoded_again<wire::parse_shard_answer>(input.rest());
      break;
    case 4:
      (void)encoded_again<wire::parse_cold_question>(input.rest());
      break;
    case 5:
      (void)encoded_again<wire::parse_cold_answer>(input.rest());
      break;
    case 6:
      (void)encoded_again<wire::parse_groups_question>(input.rest());
      break;
    case 7:
      (void)encoded_again<wire::parse_groups_answer>(input.rest());
      break;
    case 8:
      (void)encoded_again<wire::parse_moves_question>(input.rest());
      break;
    case 9:
      (void)encoded_again<wire::parse_moves_answer>(input.rest());
      break;
    case 10:
      (void)encoded_again<wire::parse_admin_request>(input.rest());
      break;
    case 11:
      (void)encoded_again<wire::parse_admin_answer>(input.rest());
      break;
    case 12:
      (void)encoded_again<wire::parse_audit_question>(input.rest());
      break;
    case 13:
      (void)encoded_again<wire::parse_audit_answer>(input.rest());
      break;
    case 14:
      (void)encoded_again<wire::parse_hop_report>(input.rest());
      break;
    case 15:
      (void)encoded_again<wire::parse_trace_question>(input.rest());
      break;
    default:
      (void)encoded_again<wire::parse_trace_answer>(input.rest());
  }
}

}  // namespace martlet::fuzz
