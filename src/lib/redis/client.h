#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "event/loop.h"
#include "net/connection.h"
#include "net/connector.h"
#include "net/tls.h"

struct redisReader;

namespace martlet::redis {

struct ClientOptions {
  std::string host = "127.0.0.1";
  std::uint16_t port = 6379;
  std::string user;      // empty: Redis' default user
  std::string password;  // empty: none
  int database = 0;
  bool tls = false;
  // A connection attempt, or the oldest command, without an answer for so long: connect anew.
  Duration timeout = std::chrono::seconds(3);
  Duration min_backoff = std::chrono::milliseconds(100);
  Duration max_backoff = std::chrono::seconds(2);
  std::size_t max_waiting = 20'000;  // commands without an answer
};

// redis://[[user]:password@]host[:port][/database], rediss:// for TLS
Result<ClientOptions> parse_url(std::string_view url);

// What Redis answered. An error of Redis is an Error, not a reply.
struct Reply {
  std::string text;             // strings and statuses; empty for nil
  std::int64_t integer = 0;     // integers
  std::vector<Reply> elements;  // arrays
};

// One connection to Redis, kept up with backoff; hiredis knows what is said on it. Never blocks the
// loop and keeps nothing while Redis is away: commands fail at once then. Loop thread; the loop
// outlives it.
class Client final : private net::ConnectionListener {
 public:
  using Callback = std::function<void(Result<Reply>)>;

  // tls: if the options want it; else null.
  Client(event::Loop& loop, Random& random, ClientOptions options,
         std::unique_ptr<net::TlsClient> tls = nullptr);
  // Callbacks that wait are not called.
  ~Client() override;
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // Called once, later, or at once with kUnavailable (not connected) or kBusy (too many wait).
  void command(const std::vector<std::string>& arguments, Callback callback);

  bool is_connected() const { return state_ == State::kReady; }
  // Why there is no connection, for people; empty: none was tried yet, or there is one.
  const std::string& trouble() const { return trouble_; }
  std::size_t waiting() const { return waiting_.size(); }
  // Each time that a connection is ready for commands. One listener.
  void on_connected(std::function<void()> listener) { listener_ = std::move(listener); }

 private:
  enum class State { kIdle, kGreeting, kReady, kClosing };
  struct ReaderDeleter {
    void operator()(redisReader* reader) const;
  };

  void on_bytes(BytesView bytes) override;
  void on_drained() override {}
  void on_closed(net::CloseCause cause) override;
  void connect();
  void on_connected(Result<net::UniqueFd> socket);
  void greet();
  void on_greeted(const Result<Reply>& reply);
  void take_replies();
  void break_off(std::string why);
  void retry_later(const std::string& why);
  void check_timeout();
  void send(const std::vector<std::string>& arguments, Callback callback);

  event::Loop& loop_;
  Random& random_;
  const ClientOptions options_;
  std::unique_ptr<net::TlsClient> tls_;
  State state_ = State::kIdle;
  std::unique_ptr<net::Connector> connector_;
  std::unique_ptr<net::Connection> connection_;
  std::unique_ptr<redisReader, ReaderDeleter> reader_;
  std::deque<Callback> waiting_;  // in the order of their commands
  Duration backoff_;
  MonotonicTime progress_;  // when something was answered, or had nothing to answer
  std::string why_;         // it is closing; empty: Redis did that
  std::string trouble_;
  std::function<void()> listener_;
  event::Timer retry_;
  event::Timer watchdog_;
};

}  // namespace martlet::redis
