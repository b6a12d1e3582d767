#include "bench/link.h"

#include <utility>

namespace martlet::bench {
namespace {

constexpr Duration kConnectTimeout = std::chrono::seconds(30);
constexpr std::uint32_t kAuthRequest = 1;
constexpr std::uint32_t kLoginRequest = 2;
constexpr std::uint32_t kSyncRequest = 3;
constexpr std::uint32_t kLeastPauseMs = 100;
constexpr std::size_t kTurns = 20;

}  // namespace

Link::Link(event::Loop& loop, Options options, LinkOwner& owner)
    : loop_(loop),
      options_(std::move(options)),
      owner_(owner),
      decoder_(kMaxAnswerBytes),
      access_token_(options_.access_token),
      again_(loop, [this] { connect(); }) {
  connect();
}

void Link::connect() {
  connector_ = std::make_unique<net::Connector>(loop_, options_.address, kConnectTimeout,
                                                [this](Result<net::UniqueFd> fd) {
                                                  // The connector is inside its own callback.
                                                  loop_.defer_delete(std::move(connector_));
                                                  on_connected(std::move(fd));
                                                });
  connector_->leave_from(options_.from);
}

Link::~Link() = default;

void Link::on_connected(Result<net::UniqueFd> fd) {
  if (!fd) return lose(fd.error().detail);
  net::ConnectionListener& listener = *this;
  net::TlsClient* tls = options_.tls;
  connection_ = std::make_unique<net::Connection>(
      loop_, std::move(*fd), net::ConnectionOptions{}, listener,
      tls != nullptr ? tls->connect(options_.address.host) : nullptr);
  sign_in();
}

void Link::sign_in() {
  if (access_token_.empty()) {
    const wire::Login login{
        .user = options_.user, .device = kDevice, .password = options_.password};
    send(wire::Command::Login, kLoginRequest, wire::encode(login));
    return;
  }
  const wire::Auth auth{.access_token = access_token_, .client = "martlet-bench"};
  send(wire::Command::Auth, kAuthRequest, wire::encode(auth));
}

void Link::take_tokens(BytesView body) {
  const auto tokens = wire::parse_tokens(body);
  if (!tokens) return lose("bad Tokens");
  access_token_ = tokens->access_token;
  sign_in();
}

bool Link::send(wire::Command command, std::uint32_t request_id, BytesView body) {
  if (closed_ || connection_ == nullptr) return false;
  wire::FrameHeader header;
  header.command = static_cast<std::uint16_t>(command);
  header.request_id = request_id;
  return connection_->send(wire::encode_frame(header, body)) != net::SendResult::kDropped;
}

void Link::close() {
  closed_ = true;
  again_.cancel();
  connector_.reset();
  if (connection_) connection_->close_now();
}

void Link::on_bytes(BytesView bytes) {
  while (!closed_ && connection_ != nullptr) {
    const auto frame = decoder_.next(bytes);
    if (!frame) return lose("a bad frame: " + frame.error().detail);
    if (!*frame) return;
    take(**frame);
  }
}

void Link::take(const wire::Frame& frame) {
  const auto command = static_cast<wire::Command>(frame.header.command);
  if (command == wire::Command::KickedEvent) return lose("kicked by the server");
  if (online_) return owner_.on_frame(*this, frame);
  begin(frame);
}

void Link::begin(const wire::Frame& frame) {
  const auto command = static_cast<wire::Command>(frame.header.command);
  if (command == wire::Command::Tokens) return take_tokens(frame.body);
  if (command == wire::Command::AuthOk && options_.sync) {
    send(wire::Command::Sync, kSyncRequest, wire::encode(wire::Sync{}));
    return;
  }
  if (command == wire::Command::AuthOk || command == wire::Command::SyncPage) {
    online_ = true;
    return owner_.on_online(*this);
  }
  if (command != wire::Command::Error) return;  // an event
  const auto refusal = wire::parse_refusal(frame.body);
  if (refusal && refusal->retryable) return come_again(refusal->error.retry_after_ms);
  lose("refused: " + (refusal ? std::string(error_name(refusal->error.code)) : "?"));
}

// As the protocol asks: those who were refused together don't come back together.
void Link::come_again(std::uint32_t after_ms) {
  ++refusals_;
  connection_->close_now();
  loop_.defer_delete(std::move(connection_));
  decoder_ = wire::FrameDecoder(kMaxAnswerBytes);
  const Duration pause = std::chrono::milliseconds(std::max(after_ms, kLeastPauseMs));
  again_.start_once(pause + pause * (options_.number % kTurns) / kTurns);
}

void Link::on_closed(net::CloseCause cause) {
  if (cause == net::CloseCause::kHandshakeFailed) return lose("TLS: " + connection_->tls()->why());
  if (cause != net::CloseCause::kOurs) lose("the server ended the connection");
}

void Link::lose(const std::string& why) {
  if (std::exchange(closed_, true)) return;
  if (connection_) connection_->close_now();
  owner_.on_lost(*this, why);
}

}  // namespace martlet::bench
