#include "lib/redis/client.h"

#include <hiredis/hiredis.h>

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "base/log.h"

namespace martlet::redis {
namespace {

constexpr Duration kWatchdogPeriod = std::chrono::milliseconds(500);
// Of commands that Redis has not taken; more than as many as may wait fill as a rule.
constexpr std::size_t kMaxBacklogBytes = 16U << 20;

struct ReplyDeleter {
  void operator()(redisReply* reply) const { freeReplyObject(reply); }
};

Result<Reply> to_reply(const redisReply& raw) {
  Reply reply;
  switch (raw.type) {
    case REDIS_REPLY_ERROR:
      return fail(ErrorCode::kInternal, std::string(raw.str, raw.len));
    case REDIS_REPLY_INTEGER:
      reply.integer = raw.integer;
      break;
    case REDIS_REPLY_ARRAY:
      for (std::size_t i = 0; i < raw.elements; ++i) {
        auto element = to_reply(*raw.element[i]);
        if (!element) return element;
        reply.elements.push_back(std::move(*element));
      }
      break;
    default:
      if (raw.str != nullptr) reply.text.assign(raw.str, raw.len);
  }
  return reply;
}

// As Redis reads it.
Bytes to_bytes(const std::vector<std::string>& arguments) {
  std::vector<const char*> texts;
  std::vector<std::size_t> sizes;
  for (const std::string& argument : arguments) {
    texts.push_back(argument.data());
    sizes.push_back(argument.size());
  }
  char* formatted = nullptr;
  const auto size = redisFormatCommandArgv(&formatted, static_cast<int>(arguments.size()),
                                           texts.data(), sizes.data());
  MARTLET_ASSERT(size >= 0);
  Bytes bytes(formatted, static_cast<std::size_t>(size));
  redisFreeCommand(formatted);
  return bytes;
}

}  // namespace

void Client::ReaderDeleter::operator()(redisReader* reader) const {
  redisReaderFree(reader);
}

Client::Client(event::Loop& loop, Random& random, ClientOptions options,
               std::unique_ptr<net::TlsClient> tls)
    : loop_(loop),
      random_(random),
      options_(std::move(options)),
      tls_(std::move(tls)),
      backoff_(options_.min_backoff),
      progress_(loop.now()),
      retry_(loop, [this] { connect(); }),
      watchdog_(loop, [this] { check_timeout(); }) {
  MARTLET_ASSERT(options_.tls == (tls_ != nullptr));
  watchdog_.start_every(kWatchdogPeriod);
  retry_.start_once(Duration(0));
}

Client::~Client() = default;

// ---- connection ------------------------------------------------------------------------------

void Client::connect() {
  connector_ = std::make_unique<net::Connector>(
      loop_, net::Address{options_.host, options_.port}, options_.timeout,
      [this](Result<net::UniqueFd> socket) { on_connected(std::move(socket)); });
}

void Client::on_connected(Result<net::UniqueFd> socket) {
  if (!socket) return retry_later(socket.error().detail);
  net::ConnectionOptions bounds;
  bounds.high_mark_bytes = bounds.hard_limit_bytes = kMaxBacklogBytes;
  net::ConnectionListener& listener = *this;
  connection_ = std::make_unique<net::Connection>(loop_, std::move(*socket), bounds, listener,
                                                  tls_ ? tls_->connect(options_.host) : nullptr);
  reader_.reset(redisReaderCreate());
  greet();
}

void Client::greet() {
  state_ = State::kGreeting;
  if (!options_.password.empty()) {
    std::vector<std::string> auth = {"AUTH", options_.password};
    if (!options_.user.empty()) auth.insert(auth.begin() + 1, options_.user);
    send(auth, [this](const Result<Reply>& reply) {
      if (!reply) on_greeted(reply);
    });
  }
  send({"SELECT", std::to_string(options_.database)},
       [this](const Result<Reply>& reply) { on_greeted(reply); });
}

void Client::on_greeted(const Result<Reply>& reply) {
  if (state_ != State::kGreeting) return;
  if (!reply) return break_off("refused: " + reply.error().detail);
  MARTLET_LOG(info, "redis_connected host={} port={} tls={}", options_.host, options_.port,
              options_.tls);
  state_ = State::kReady;
  backoff_ = options_.min_backoff;
  trouble_.clear();
  if (listener_) listener_();
}

void Client::break_off(std::string why) {
  if (state_ == State::kClosing) return;
  state_ = State::kClosing;
  why_ = std::move(why);
  connection_->close_now();
}

void Client::on_closed(net::CloseCause cause) {
  std::string why = std::exchange(why_, {});
  if (why.empty() && cause == net::CloseCause::kHandshakeFailed) {
    why = "TLS: " + connection_->tls()->why();
  }
  state_ = State::kIdle;
  loop_.defer_delete(std::move(connection_));
  // Whoever is told may ask again, and is told at once that there is no connection.
  for (const Callback& callback : std::exchange(waiting_, {})) {
    callback(fail(ErrorCode::kUnavailable, "the connection to Redis was lost"));
  }
  retry_later(why.empty() ? "closed" : why);
}

void Client::retry_later(const std::string& why) {
  if (trouble_.empty()) MARTLET_LOG(warn, "redis_unreachable detail=\"{}\"", why);
  trouble_ = why;
  retry_.start_once(random_.jitter(backoff_, 0.3));
  backoff_ = std::min(backoff_ * 2, options_.max_backoff);
}

void Client::check_timeout() {
  if (waiting_.empty()) progress_ = loop_.now();
  if (connection_ && loop_.now() - progress_ >= options_.timeout) break_off("no answer in time");
}

// ---- commands --------------------------------------------------------------------------------

void Client::command(const std::vector<std::string>& arguments, Callback callback) {
  if (!is_connected()) return callback(fail(ErrorCode::kUnavailable, "Redis is not connected"));
  if (waiting_.size() >= options_.max_waiting) {
    return callback(fail(ErrorCode::kBusy, "too many commands wait for Redis"));
  }
  send(arguments, std::move(callback));
}

void Client::send(const std::vector<std::string>& arguments, Callback callback) {
  if (connection_->send(to_bytes(arguments)) == net::SendResult::kDropped) {
    return callback(fail(ErrorCode::kBusy, "too much waits for Redis"));
  }
  if (waiting_.empty()) progress_ = loop_.now();
  waiting_.push_back(std::move(callback));
}

void Client::on_bytes(BytesView bytes) {
  if (state_ == State::kClosing) return;
  redisReaderFeed(reader_.get(), bytes.data(), bytes.size());
  take_replies();
}

void Client::take_replies() {
  while (state_ != State::kClosing) {
    void* raw = nullptr;
    if (redisReaderGetReply(reader_.get(), &raw) != REDIS_OK) return break_off(reader_->errstr);
    if (raw == nullptr) return;
    const std::unique_ptr<redisReply, ReplyDeleter> reply(static_cast<redisReply*>(raw));
    if (waiting_.empty()) return break_off("an answer that nobody asked for");
    const Callback callback = std::move(waiting_.front());
    waiting_.pop_front();
    progress_ = loop_.now();
    callback(to_reply(*reply));
  }
}

}  // namespace martlet::redis
