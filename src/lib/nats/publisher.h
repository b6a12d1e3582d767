#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/bytes.h"
#include "base/result.h"
#include "event/loop.h"
#include "lib/nats/inbound_queue.h"
#include "lib/nats/options.h"

namespace martlet::nats {

using Header = std::pair<std::string, std::string>;

// Views: valid during the call.
struct Outgoing {
  std::string_view subject;
  std::string_view reply;  // empty: none
  std::span<const Header> headers;
  BytesView payload;
};

// The connection that publishes. Its socket is driven by our loop (docs/adr/0001): what is
// published during a turn goes out with one write at the end of the turn, and nothing ever blocks.
// When the link breaks this object is of no use any more, and a new one has to take its place:
// driven by a loop, the library (3.4.1) keeps its parser over a reconnect, and would read what
// comes first on the new link as the rest of the message in which the old one broke.
//
// It also has one subscription, for the answers to what it asks: the broker tells only the
// connection that has both the question and the subscription that nobody answers.
//
// Loop thread. Loop and queue must outlive it.
class Publisher {
 public:
  // Blocks for at most options.connect_timeout; any thread. What comes on the subject `answers`
  // (may be a wildcard) goes into the queue under the id. Nothing moves before start().
  static Result<std::unique_ptr<Publisher>> connect(event::Loop& loop,
                                                    const ConnectionOptions& options,
                                                    std::shared_ptr<InboundQueue> queue,
                                                    SubscriptionId id, const std::string& answers);
  ~Publisher();
  Publisher(const Publisher&) = delete;
  Publisher& operator=(const Publisher&) = delete;

  // On the loop's thread, once.
  void start();

  // False: dropped, because the link broke or kMaxBacklogBytes wait for it already.
  bool publish(const Outgoing& message);

  bool is_connected() const;
  // Called when the link broke. At most one listener; it must not end the publisher.
  void on_lost(std::function<void()> listener);

  // Of the broker, in bytes.
  std::int64_t max_payload() const;
  std::size_t backlog_bytes() const;

  // Ends a link that is silently dead.
  void break_link();

 private:
  struct Link;
  Publisher() = default;
  std::shared_ptr<Link> link_;
};

inline constexpr std::size_t kMaxBacklogBytes = 16U << 20;

}  // namespace martlet::nats
