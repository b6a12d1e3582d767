// What a broker says, in pieces whose sizes the input chooses: the number of sizes, the sizes, the
// stream. However it is cut, the same operations and the same error come out.
#include <string>

#include "base/assert.h"
#include "input.h"
#include "lib/nats/native/protocol.h"
#include "targets.h"

namespace martlet::fuzz {
namespace {

namespace nats = martlet::nats::native;

class Reader {
 public:
  void feed(BytesView chunk) {
    received_ += chunk;
    BytesView rest = received_;
    while (!failed_ && !rest.empty()) {
      const std::size_t before = rest.size();
      const auto operation = nats::take_operation(rest);
      failed_ = !operation;
      if (failed_ || !operation->has_value()) break;
      MARTLET_ASSERT(rest.size() < before);
      note(**operation);
    }
    received_.erase(0, received_.size() - rest.size());
  }
  bool has_failed() const { return failed_; }
  const std::string& seen() const { return seen_; }
  const Bytes& left() const { return received_; }

 private:
  void note(const nats::Operation& operation) {
    const auto& message = operation.message;
    MARTLET_ASSERT(message.headers.size() + message.payload.size() <= nats::kMaxMessageBytes);
    seen_ += std::to_string(static_cast<int>(operation.kind)) + ' ';
    seen_ += std::to_string(operation.subscription) + ' ';
    for (const std::string_view part : {message.subject, message.reply, message.headers,
                                        std::string_view(message.payload), operation.text}) {
      seen_ += part;
      seen_ += '\n';
    }
    if (operation.kind == nats::Operation::Kind::kInfo) (void)nats::parse_info(operation.text);
  }

  Bytes received_;
  std::string seen_;
  bool failed_ = false;
};

}  // namespace

void nats_stream(BytesView bytes) {
  Input input(bytes);
  const BytesView sizes = input.take(input.byte() % 16);
  Reader whole;
  whole.feed(input.rest());

  Reader parts;
  for (std::size_t i = 0; !input.rest().empty(); ++i) {
    const auto size = sizes.empty() ? 1 : static_cast<unsigned char>(sizes[i % sizes.size()]);
    parts.feed(input.take(std::max<std::size_t>(size, 1)));
  }
  MARTLET_ASSERT(parts.seen() == whole.seen() && parts.has_failed() == whole.has_failed());
  MARTLET_ASSERT(whole.has_failed() || parts.left() == whole.left());
}

}  // namespace martlet::fuzz
