// The body of any command: its number, the codec, the bytes. What is read comes back from being
// written, and JSON and FlatBuffers mean the same.
#include "again.h"
#include "body_again.h"
#include "input.h"
#include "targets.h"
#include "wire/commands.h"
#include "wire/frame.h"
#include "wire/json_codec.h"

namespace martlet::fuzz {
namespace {

using wire::Command;

void check_body(Command command, BytesView body) {
  const auto meaning = body_again(command, body);
  const auto text = wire::body_to_json(command, body);
  MARTLET_ASSERT(!meaning || wire::verify_body(command, body));
  // An edge hands on what it has read; everybody must be able to show it.
  MARTLET_ASSERT(!meaning || !wire::is_request(command) || text.has_value());
  if (!text || text->size() > kMaxAnswerBytes / 4) return;

  const auto same = wire::json_to_body(command, *text, kMaxAnswerBytes);
  MARTLET_ASSERT(same.has_value());
  MARTLET_ASSERT(wire::body_to_json(command, *same) == *text);
  const auto same_meaning = body_again(command, *same);
  MARTLET_ASSERT(same_meaning.has_value() == meaning.has_value());
  // As text: a content in it may be the same in another layout.
  if (meaning) {
    MARTLET_ASSERT(wire::body_to_json(command, *same_meaning).value() ==
                   wire::body_to_json(command, *meaning).value());
  } else {
    MARTLET_ASSERT(same_meaning.error().code == meaning.error().code);
  }
}

}  // namespace

void client_body(BytesView bytes) {
  if (bytes.size() > kMaxInputBytes) return;
  Input input(bytes);
  const auto* info = wire::find_command(input.number());
  if (info == nullptr) return;
  if (static_cast<wire::Codec>(input.byte() & 1) == wire::Codec::kFlatBuffers) {
    check_body(info->command, input.rest());
    return;
  }
  const auto body = wire::json_to_body(info->command, input.rest(), kMaxBodyBytes);
  if (!body) return;
  MARTLET_ASSERT(body->size() <= kMaxBodyBytes && wire::verify_body(info->command, *body));
  check_body(info->command, *body);
}

}  // namespace martlet::fuzz
