#pragma once

#include <cstdint>
#include <functional>
#include <memory>
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

// Published bytes that wait for the socket; what exceeds it is dropped.
inline constexpr std::size_t kMaxBacklogBytes = 16U << 20;

// The connection that publishes. What is published during a turn of the loop goes out with one
// write at the end of the turn, and nothing ever blocks. When the link breaks this object is of no
// use any more, and a new one has to take its place.
//
// It also has one subscription, for the answers to what it asks: the broker tells only the
// connection that has both the question and the subscription that nobody answers.
//
// Loop thread. Loop and queue must outlive it.
class Publisher {
 public:
  // Blocks for at most options.connect_timeout for each server that it tries; any thread. What
  // comes on the subject `answers` (may be a wildcard) goes into the queue under the id. Nothing
  // moves before start().
  static Result<std::unique_ptr<Publisher>> connect(event::Loop& loop,
                                                    const ConnectionOptions& options,
                                                    std::shared_ptr<InboundQueue> queue,
                                                    SubscriptionId id, const std::string& answers);
  virtual ~Publisher() = default;

  // On the loop's thread, once.
  virtual void start() = 0;

  // False: dropped, because the link broke or kMaxBacklogBytes wait for it already.
  virtual bool publish(const Outgoing& message) = 0;

  virtual bool is_connected() const = 0;
  // Called when the link broke. At most one listener; it must not end the publisher.
  virtual void on_lost(std::function<void()> listener) = 0;

  // Of the broker, in bytes.
  virtual std::int64_t max_payload() const = 0;
  virtual std::size_t backlog_bytes() const = 0;

  // Ends a link that is silently dead.
  virtual void break_link() = 0;
};

}  // namespace martlet::nats
