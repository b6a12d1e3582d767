#include "lib/nats/message.h"

#include <charconv>

namespace martlet::nats {

int Message::status() const {
  // Only messages of the broker itself have no payload and a status line.
  if (!payload().empty()) return 0;
  const std::string_view text = header("Status");
  int status = 0;
  std::from_chars(text.data(), text.data() + text.size(), status);
  return status;
}

}  // namespace martlet::nats
