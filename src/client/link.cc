#include "client/link.h"

#include <utility>

#include "base/assert.h"
#include "wire/requests.h"

namespace martlet::client {
namespace {

constexpr Duration kSecond = std::chrono::seconds(1);
// A request whose answer is on its way in a slow stream of bytes is waited for so much longer.
constexpr Duration kSlowRequestDeadline = 3 * kRequestDeadline;

const char* text_of(net::CloseCause cause) {
  switch (cause) {
    case net::CloseCause::kPeerClosed:
      return "closed by the server";
    case net::CloseCause::kPeerFailed:
      return "connection lost";
    case net::CloseCause::kHandshakeFailed:
    case net::CloseCause::kOurs:
    case net::CloseCause::kFlushTimeout:
      break;
  }
  return "closed";
}

}  // namespace

Link::Link(event::Loop& loop, const net::Address& address, Owner& owner, net::TlsClient* tls)
    : loop_(loop), address_(address), tls_(tls), owner_(owner), second_(loop, [this] {
        check_time();
      }) {
  connector_ = std::make_unique<net::Connector>(loop, address, kConnectTimeout,
                                                [this](Result<net::UniqueFd> fd) {
                                                  // The connector is inside its own callback.
                                                  loop_.defer_delete(std::move(connector_));
                                                  on_connected(std::move(fd));
                                                });
}

Link::~Link() = default;

void Link::on_connected(Result<net::UniqueFd> fd) {
  if (closed_) return;
  if (!fd) return end(fd.error().detail);
  net::ConnectionOptions options;
  options.hard_limit_bytes = kMaxOutputBytes;
  connection_ = std::make_unique<net::Connection>(loop_, std::move(*fd), options,
                                                  static_cast<net::ConnectionListener&>(*this),
                                                  tls_ ? tls_->connect(address_.host) : nullptr);
  last_bytes_ = last_ping_ = loop_.now();
  second_.start_every(kSecond);
  if (connection_->is_secured()) owner_.on_link_up();
}

void Link::on_secured() {
  if (!closed_) owner_.on_link_up();
}

void Link::request(wire::Command command, BytesView body, OnAnswer on_answer) {
  MARTLET_ASSERT(connection_ != nullptr);
  if (closed_) return;
  do {
    ++last_id_;
  } while (last_id_ == 0 || pending_.contains(last_id_));
  wire::FrameHeader header;
  header.command = static_cast<std::uint16_t>(command);
  header.request_id = last_id_;
  pending_.emplace(last_id_, Pending{command, loop_.now(), std::move(on_answer)});
  if (connection_->send(wire::encode_frame(header, body)) == net::SendResult::kDropped) {
    fail("the connection takes no more bytes");
  }
}

void Link::set_heartbeat(Duration heartbeat) {
  heartbeat_ = heartbeat;
}

void Link::close() {
  closed_ = true;
  second_.cancel();
  connector_.reset();
  if (connection_) connection_->close_now();
  drop_pending();
}

void Link::drop_pending() {
  std::map<std::uint32_t, Pending> pending;
  pending.swap(pending_);
  for (auto& [id, request] : pending) {
    if (request.on_answer) request.on_answer(Answer{});
  }
}

void Link::fail(const std::string& why) {
  if (closed_) return;
  second_.cancel();
  if (connection_) connection_->close_now();
  end(why);
}

void Link::end(const std::string& why) {
  if (closed_) return;
  closed_ = true;
  second_.cancel();
  drop_pending();
  owner_.on_link_down(why);
}

void Link::on_closed(net::CloseCause cause) {
  if (cause != net::CloseCause::kHandshakeFailed) return end(text_of(cause));
  end(address_.str() + ": no TLS: " + connection_->tls()->why());
}

void Link::on_bytes(BytesView bytes) {
  last_bytes_ = loop_.now();
  while (!closed_) {
    const Result<std::optional<wire::Frame>> frame = decoder_.next(bytes);
    if (!frame) return fail("not a Martlet server: " + frame.error().detail);
    if (!frame->has_value()) return;
    on_frame(**frame);
  }
}

void Link::on_frame(const wire::Frame& frame) {
  const Result<BytesView> body = wire::open_body(frame, kMaxFrameBytes, unpacked_);
  if (!body) return fail("bad frame: " + body.error().detail);
  const wire::FrameHeader& header = frame.header;
  const auto command = static_cast<wire::Command>(header.command);
  if (header.request_id != 0) return on_answer(header, *body);
  if (command == wire::Command::Error) {
    const Result<wire::Refusal> refusal = wire::parse_refusal(*body);
    if (!refusal) return fail("bad error frame");
    owner_.on_link_error(*refusal);
    return;
  }
  // Events of a newer server are not for us.
  if (wire::find_command(header.command) != nullptr) owner_.on_link_event(command, *body);
}

void Link::on_answer(const wire::FrameHeader& header, BytesView body) {
  const auto found = pending_.find(header.request_id);
  if (found == pending_.end()) return;
  const auto command = static_cast<wire::Command>(header.command);
  Answer answer;
  if (command == wire::Command::Error) {
    Result<wire::Refusal> refusal = wire::parse_refusal(body);
    if (!refusal) return fail("bad error frame");
    answer.kind = Answer::Kind::kRefused;
    answer.refusal = std::move(*refusal);
  } else if (command == wire::answer_to(found->second.command)) {
    answer.kind = Answer::Kind::kBody;
    answer.body = body;
  } else {
    return fail("an answer to another command");
  }
  const OnAnswer on_answer = std::move(found->second.on_answer);
  pending_.erase(found);
  if (on_answer) on_answer(answer);
}

void Link::send_ping() {
  last_ping_ = loop_.now();
  request(wire::Command::Ping, wire::encode(wire::Ping{}),
          [this](const Answer& answer) { on_pong(answer); });
}

void Link::on_pong(const Answer& answer) {
  if (answer.kind != Answer::Kind::kBody) return;
  if (const auto pong = wire::parse_pong(answer.body)) owner_.on_link_time(pong->time_ms);
}

void Link::check_time() {
  const MonotonicTime now = loop_.now();
  if (!connection_->is_secured() && now - last_bytes_ > kConnectTimeout) {
    return fail(address_.str() + ": no TLS handshake in time");
  }
  if (heartbeat_ > Duration(0)) {
    if (now - last_bytes_ > heartbeat_ * 3 / 2) return fail("the server is silent");
    if (now - last_ping_ >= heartbeat_ / 2) send_ping();
  }
  if (pending_.empty()) return;
  const Duration waited = now - pending_.begin()->second.since;
  const bool is_trickling = now - last_bytes_ < kRequestDeadline / 4;
  if (waited > (is_trickling ? kSlowRequestDeadline : kRequestDeadline)) {
    fail("a request was not answered");
  }
}

}  // namespace martlet::client
