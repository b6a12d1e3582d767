#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "event/loop.h"
#include "net/resolver.h"

struct redisAsyncContext;
struct redisReply;

namespace martlet::redis {

struct ClientOptions {
  std::string host = "127.0.0.1";
  std::uint16_t port = 6379;
  std::string user;      // empty: Redis' default user
  std::string password;  // empty: none
  int database = 0;
  // A connection attempt, or the oldest command, without an answer for so long: connect anew.
  Duration timeout = std::chrono::seconds(3);
  Duration min_backoff = std::chrono::milliseconds(100);
  Duration max_backoff = std::chrono::seconds(2);
  std::size_t max_waiting = 20'000;  // commands without an answer
};

// redis://[[user]:password@]host[:port][/database]
Result<ClientOptions> parse_url(std::string_view url);

// What Redis answered. An error of Redis is an Error, not a reply.
struct Reply {
  std::string text;             // strings and statuses; empty for nil
  std::int64_t integer = 0;     // integers
  std::vector<Reply> elements;  // arrays
};

// One connection to Redis (hiredis), kept up with backoff. Never blocks the loop and keeps nothing
// while Redis is away: commands fail at once then. Loop thread; the loop outlives it.
class Client {
 public:
  using Callback = std::function<void(Result<Reply>)>;

  Client(event::Loop& loop, Random& random, ClientOptions options);
  // Callbacks that wait are not called.
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // Called once, later, or at once with kUnavailable (not connected) or kBusy (too many wait).
  void command(const std::vector<std::string>& arguments, Callback callback);

  bool is_connected() const { return state_ == State::kReady; }
  std::size_t waiting() const { return waiting_; }
  // Each time that a connection is ready for commands. One listener.
  void on_connected(std::function<void()> listener) { listener_ = std::move(listener); }

 private:
  enum class State { kIdle, kResolving, kConnecting, kGreeting, kReady, kClosing };
  struct Waiting;

  void connect();
  void connect_to(const Result<net::SocketAddress>& address);
  void on_connect(bool connected);
  void greet();
  void on_greeted(const Result<Reply>& reply);
  void on_lost(const char* why);
  void drop_connection();
  void retry_later();
  void check_timeout();
  void send(const std::vector<std::string>& arguments, Callback callback);
  static void handle_reply(redisAsyncContext* context, void* reply, void* waiting);

  event::Loop& loop_;
  Random& random_;
  const ClientOptions options_;
  State state_ = State::kIdle;
  redisAsyncContext* context_ = nullptr;  // hiredis frees it itself when the connection ends
  Duration backoff_;
  std::size_t waiting_ = 0;
  MonotonicTime progress_;  // when something was answered, or had nothing to answer
  bool reported_ = false;
  std::function<void()> listener_;
  event::Timer retry_;
  event::Timer watchdog_;
  net::Resolver resolver_;
};

}  // namespace martlet::redis
