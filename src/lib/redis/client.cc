#include "lib/redis/client.h"

#include <hiredis/adapters/libevent.h>
#include <hiredis/async.h>
#include <hiredis/hiredis.h>

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "base/log.h"

namespace martlet::redis {
namespace {

constexpr Duration kWatchdogPeriod = std::chrono::milliseconds(500);

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

}  // namespace

struct Client::Waiting {
  Client* client;
  Callback callback;
};

Client::Client(event::Loop& loop, Random& random, ClientOptions options)
    : loop_(loop),
      random_(random),
      options_(std::move(options)),
      backoff_(options_.min_backoff),
      progress_(loop.now()),
      retry_(loop, [this] { connect(); }),
      watchdog_(loop, [this] { check_timeout(); }),
      resolver_(loop) {
  watchdog_.start_every(kWatchdogPeriod);
  retry_.start_once(Duration(0));
}

Client::~Client() {
  state_ = State::kClosing;
  drop_connection();
}

// ---- connection ------------------------------------------------------------------------------

void Client::connect() {
  state_ = State::kResolving;
  resolver_.resolve({options_.host, options_.port},
                    [this](const Result<net::SocketAddress>& address) { connect_to(address); });
}

void Client::connect_to(const Result<net::SocketAddress>& address) {
  if (!address) return on_lost(address.error().detail.c_str());
  state_ = State::kConnecting;
  progress_ = loop_.now();
  context_ = redisAsyncConnect(address->address().host.c_str(), options_.port);
  if (context_ == nullptr || context_->err != 0) {
    const std::string why = context_ == nullptr ? "no memory" : context_->errstr;
    drop_connection();
    return on_lost(why.c_str());
  }
  context_->data = this;
  redisLibeventAttach(context_, loop_.raw());
  redisAsyncSetConnectCallback(context_, [](const redisAsyncContext* context, int status) {
    auto* client = static_cast<Client*>(context->data);
    if (client != nullptr) client->on_connect(status == REDIS_OK);
  });
  redisAsyncSetDisconnectCallback(context_, [](const redisAsyncContext* context, int) {
    auto* client = static_cast<Client*>(context->data);
    if (client == nullptr) return;
    client->context_ = nullptr;
    client->on_lost(context->errstr[0] != 0 ? context->errstr : "closed");
  });
}

void Client::on_connect(bool connected) {
  if (connected) return greet();
  const std::string why = context_->errstr;
  context_ = nullptr;
  on_lost(why.c_str());
}

void Client::greet() {
  state_ = State::kGreeting;
  const auto on_answer = [this](const Result<Reply>& reply) { on_greeted(reply); };
  if (!options_.password.empty()) {
    std::vector<std::string> auth = {"AUTH", options_.password};
    if (!options_.user.empty()) auth.insert(auth.begin() + 1, options_.user);
    send(auth, [this](const Result<Reply>& reply) {
      if (!reply) on_greeted(reply);
    });
  }
  send({"SELECT", std::to_string(options_.database)}, on_answer);
}

void Client::on_greeted(const Result<Reply>& reply) {
  if (state_ != State::kGreeting) return;
  if (!reply) {
    if (!reported_) MARTLET_LOG(warn, "redis_refused detail={}", reply.error().detail);
    reported_ = true;
    // Inside of a callback of hiredis the connection must not go at once.
    state_ = State::kClosing;
    return redisAsyncDisconnect(context_);
  }
  MARTLET_LOG(info, "redis_connected host={} port={}", options_.host, options_.port);
  state_ = State::kReady;
  backoff_ = options_.min_backoff;
  reported_ = false;
  if (listener_) listener_();
}

void Client::on_lost(const char* why) {
  if (!reported_) MARTLET_LOG(warn, "redis_unreachable detail={}", why);
  reported_ = true;
  retry_later();
}

void Client::retry_later() {
  state_ = State::kIdle;
  retry_.start_once(random_.jitter(backoff_, 0.3));
  backoff_ = std::min(backoff_ * 2, options_.max_backoff);
}

// Frees the connection; hiredis calls back everybody who waits, without a reply.
void Client::drop_connection() {
  if (context_ == nullptr) return;
  redisAsyncContext* context = std::exchange(context_, nullptr);
  context->data = nullptr;
  redisAsyncSetDisconnectCallback(context, nullptr);
  redisAsyncFree(context);
}

void Client::check_timeout() {
  const bool waits = state_ == State::kConnecting || waiting_ > 0;
  if (!waits) progress_ = loop_.now();
  if (context_ == nullptr || loop_.now() - progress_ < options_.timeout) return;
  state_ = State::kIdle;  // who is told now may not send on this connection
  drop_connection();
  on_lost("no answer in time");
}

// ---- commands --------------------------------------------------------------------------------

void Client::command(const std::vector<std::string>& arguments, Callback callback) {
  if (!is_connected()) return callback(fail(ErrorCode::kUnavailable, "Redis is not connected"));
  if (waiting_ >= options_.max_waiting) {
    return callback(fail(ErrorCode::kBusy, "too many commands wait for Redis"));
  }
  send(arguments, std::move(callback));
}

void Client::send(const std::vector<std::string>& arguments, Callback callback) {
  std::vector<const char*> texts;
  std::vector<std::size_t> sizes;
  for (const std::string& argument : arguments) {
    texts.push_back(argument.data());
    sizes.push_back(argument.size());
  }
  if (waiting_++ == 0) progress_ = loop_.now();
  auto* waiting = new Waiting{this, std::move(callback)};
  const int status =
      redisAsyncCommandArgv(context_, &Client::handle_reply, waiting,
                            static_cast<int>(arguments.size()), texts.data(), sizes.data());
  if (status != REDIS_OK) handle_reply(context_, nullptr, waiting);
}

void Client::handle_reply(redisAsyncContext*, void* reply, void* waiting) {
  const std::unique_ptr<Waiting> owned(static_cast<Waiting*>(waiting));
  Client& client = *owned->client;
  --client.waiting_;
  client.progress_ = client.loop_.now();
  if (client.state_ == State::kClosing && reply == nullptr) return;
  if (reply == nullptr) {
    return owned->callback(fail(ErrorCode::kUnavailable, "the connection to Redis was lost"));
  }
  owned->callback(to_reply(*static_cast<const redisReply*>(reply)));
}

}  // namespace martlet::redis
