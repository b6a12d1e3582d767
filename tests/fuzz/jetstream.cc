// Answers of JetStream's API and the reply subject of a delivery: which of them, then the bytes.
#include "bus/jetstream.h"

#include "base/assert.h"
#include "input.h"
#include "targets.h"

namespace martlet::fuzz {
namespace {

namespace js = bus::jetstream;

void check_message(BytesView json) {
  const auto message = js::parse_message(json);
  if (message) MARTLET_ASSERT(message->sequence > 0 && message->payload.size() < json.size());
}

void check_page(BytesView json) {
  const auto page = js::parse_stream_page(json);
  if (page) MARTLET_ASSERT(page->streams.size() + page->missing.size() <= json.size());
}

void check_delivery(BytesView reply) {
  const auto delivery = js::parse_delivery(reply);
  if (!delivery) return;
  const std::string text = "$JS.ACK.s.c.1." + std::to_string(delivery->stream_sequence) + ".1.1." +
                           std::to_string(delivery->pending);
  const auto again = js::parse_delivery(text);
  MARTLET_ASSERT(again.has_value() && again->pending == delivery->pending);
  MARTLET_ASSERT(again->stream_sequence == delivery->stream_sequence);
}

}  // namespace

void jetstream(BytesView bytes) {
  Input input(bytes);
  switch (input.byte() % 8) {
    case 0: {
      const auto done = js::parse_success(input.rest());
      if (!done) (void)js::to_error(done.error());
      break;
    }
    case 1:
      MARTLET_ASSERT(js::parse_ack(input.rest()).value_or(1) > 0);
      break;
    case 2:
      (void)js::parse_stream(input.rest());
      break;
    case 3:
      (void)js::compare_stream(input.rest(), {.name = "S", .subject = "s", .key_value = true});
      break;
    case 4:
      check_page(input.rest());
      break;
    case 5:
      check_message(input.rest());
      break;
    case 6:
      MARTLET_ASSERT(js::parse_consumer_name(input.rest()).value_or("x") != "");
      break;
    default:
      check_delivery(input.rest());
  }
}

}  // namespace martlet::fuzz
