#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "event/loop.h"
#include "lib/nats/inbound_queue.h"
#include "lib/nats/native/handshake.h"
#include "lib/nats/options.h"
#include "net/connection.h"

namespace martlet::nats::native {

// A connection to the broker on the loop: what is said during a turn leaves with one write at its
// end, messages go to the queue as they are read, pings are answered and sent. Any thread before
// start(), the loop's from then on. Once lost it stays lost.
class Link final : private net::ConnectionListener {
 public:
  struct Parts {
    event::Loop& loop;
    std::shared_ptr<InboundQueue> queue;
    ConnectionOptions options;
    // Whether messages of this subscription may be dropped; none: it ended.
    std::function<std::optional<bool>(SubscriptionId)> is_droppable;
    std::size_t max_backlog_bytes;
  };

  Link(Parts parts, Opened opened);
  ~Link() override;
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  void start();
  // Called once, never from inside a call of the owner.
  void on_lost(std::function<void()> listener) { listener_ = std::move(listener); }

  // False: lost, or so much waits already. Before the start it waits.
  bool send(BytesView bytes);
  // Writes what the socket takes at once, for the last words of a process.
  void flush();
  // Ends it; the owner is told.
  void break_off();

  bool is_connected() const { return !lost_; }
  std::size_t backlog_bytes() const;
  const ServerInfo& info() const { return opened_.info; }

  // Also from inside the handling of a message.
  static void end(std::unique_ptr<Link> link);

 private:
  void on_bytes(BytesView bytes) override;
  void on_drained() override {}
  void on_closed(net::CloseCause cause) override;
  bool has_room(std::size_t size) const;
  // Whatever waits.
  bool say(BytesView bytes);
  bool handle(const Operation& operation);
  void ping();

  Parts parts_;
  Opened opened_;
  Bytes unsent_;  // before the start
  std::unique_ptr<net::Connection> connection_;
  Bytes received_;  // of an operation that has not come whole
  std::function<void()> listener_;
  bool lost_ = false;
  bool ended_ = false;  // by its owner
  bool awaits_pong_ = false;
  std::unique_ptr<event::Timer> pinger_;
};

}  // namespace martlet::nats::native
