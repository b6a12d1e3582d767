#include "lib/nats/native/link.h"

#include <utility>

#include "base/assert.h"
#include "base/log.h"
#include "lib/nats/native/servers.h"

namespace martlet::nats::native {
namespace {

// The broker is read to the end where possible: what it cannot get rid of holds up everybody who
// publishes to us.
constexpr std::size_t kReadsPerTurn = 16;
// Above what may wait of the owner's: PING and PONG must find room, or a link that is only slow
// would be taken for a dead one.
constexpr std::size_t kPulseBytes = 4096;

net::ConnectionOptions connection_options(std::size_t max_backlog_bytes) {
  net::ConnectionOptions options;
  options.high_mark_bytes = max_backlog_bytes;
  options.low_mark_bytes = max_backlog_bytes;
  options.hard_limit_bytes = max_backlog_bytes + kPulseBytes;
  options.max_reads_per_turn = kReadsPerTurn;
  return options;
}

}  // namespace

Link::Link(Parts parts, Opened opened) : parts_(std::move(parts)), opened_(std::move(opened)) {}

Link::~Link() = default;

void Link::end(std::unique_ptr<Link> link) {
  if (!link->connection_) return;
  link->ended_ = true;
  link->listener_ = nullptr;
  link->flush();
  link->parts_.loop.defer_delete(std::move(link));
}

void Link::start() {
  MARTLET_ASSERT(!connection_);
  net::ConnectionListener& listener = *this;
  connection_ = std::make_unique<net::Connection>(parts_.loop, std::move(opened_.socket),
                                                  connection_options(parts_.max_backlog_bytes),
                                                  listener, std::move(opened_.tls));
  pinger_ = std::make_unique<event::Timer>(parts_.loop, [this] { ping(); });
  pinger_->start_every(parts_.options.ping_interval);
  const Bytes unsent = std::exchange(unsent_, {});
  if (!unsent.empty()) say(unsent);
  const Bytes received = std::exchange(opened_.received, {});
  if (!received.empty()) on_bytes(received);
}

bool Link::send(BytesView bytes) {
  // What the turn has said may be what fills it: the socket has not been offered that.
  if (!has_room(bytes.size())) flush();
  return has_room(bytes.size()) && say(bytes);
}

bool Link::has_room(std::size_t size) const {
  return backlog_bytes() + size <= parts_.max_backlog_bytes;
}

bool Link::say(BytesView bytes) {
  if (lost_) return false;
  if (connection_) return connection_->send(bytes) != net::SendResult::kDropped;
  unsent_ += bytes;
  return true;
}

void Link::flush() {
  if (connection_ && !lost_) connection_->flush();
}

void Link::break_off() {
  if (connection_) connection_->close_now();
}

std::size_t Link::backlog_bytes() const {
  return connection_ ? connection_->queued_bytes() : unsent_.size();
}

void Link::on_bytes(BytesView bytes) {
  const bool continues = !received_.empty();
  if (continues) received_ += bytes;
  BytesView unread = continues ? BytesView(received_) : bytes;
  while (!unread.empty() && !ended_ && !connection_->is_closing()) {
    const auto operation = take_operation(unread);
    if (!operation) {
      MARTLET_LOG(error, "nats_malformed error=\"{}\"", operation.error().detail);
      return break_off();
    }
    if (!operation->has_value()) break;
    if (!handle(**operation)) return break_off();
  }
  if (continues) {
    received_.erase(0, received_.size() - unread.size());
  } else {
    received_ = unread;
  }
}

// False: the link is of no use any more.
bool Link::handle(const Operation& operation) {
  switch (operation.kind) {
    case Operation::Kind::kMessage:
      if (const auto droppable = parts_.is_droppable(operation.subscription))
        parts_.queue->offer(operation.subscription, operation.message, *droppable);
      return true;
    case Operation::Kind::kPing:
      return say(kPong);
    case Operation::Kind::kPong:
      awaits_pong_ = false;
      return true;
    case Operation::Kind::kInfo:
      if (const auto info = parse_info(operation.text); info && parts_.options.servers)
        parts_.options.servers->learn(info->connect_urls);
      return true;
    case Operation::Kind::kError:
      // The server closes the connection itself where it means that.
      MARTLET_LOG(warn, "nats_error error=\"{}\"", operation.text);
      return true;
    case Operation::Kind::kOk:
      return true;
  }
  return true;
}

// Only a PONG counts, not whatever comes before it: a link on which it stands behind so much is too
// slow to be of use, and what it holds is found by a SYNC sooner.
void Link::ping() {
  if (awaits_pong_) {
    MARTLET_LOG(warn, "nats_link_dead unanswered_ping_ms={}", to_ms(parts_.options.ping_interval));
    return break_off();
  }
  say(kPing);
  awaits_pong_ = true;
}

void Link::on_closed(net::CloseCause) {
  lost_ = true;
  pinger_->cancel();
  if (listener_) listener_();
}

}  // namespace martlet::nats::native
