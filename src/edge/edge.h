#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <unordered_map>
#include <vector>

#include "edge/arrivals.h"
#include "edge/bus_inbox.h"
#include "edge/client_link.h"
#include "edge/context.h"
#include "edge/mover.h"
#include "net/listener.h"

namespace martlet::edge {

// What the process did since it was asked last.
struct EdgeLoad {
  std::uint32_t cpu_permille = 0;  // of one core
  std::uint32_t loop_lag_us = 0;   // the longest
};

// What an edge is built on. All of it outlives the edge.
struct EdgeParts {
  event::Loop& loop;
  const Clock& clock;
  Random& random;
  bus::Bus& bus;
  registry::Sessions& registry;
  EdgeMetrics& metrics;
  VerifyToken verify_token;
  EdgeIdentity identity;  // address empty: the one that it listens on
  EdgeOptions options;
  std::function<EdgeLoad()> load = {};             // of the process since the last call
  std::function<void(std::string why)> stop = {};  // the process, in a later turn
  net::TlsServer* tls = nullptr;                   // null: clients speak in the clear
  wire::HopSink* hops = nullptr;                   // null: no message is followed
};

// An edge: holds the clients' connections and stands between them and the broker. Keeps nothing
// that a crash could lose. Loop thread.
class Edge final : private LinkHost, private UnansweredPort, private GroupDeskPort {
 public:
  using Done = std::function<void()>;
  using Started = std::function<void(Result<void>)>;

  explicit Edge(EdgeParts parts);
  ~Edge() override;

  // Subscribes, waits for the broker, listens. Calls back once.
  void start(Started on_started);
  // One more client, from the listener or from a test.
  void adopt(net::UniqueFd fd);

  bool is_draining() const { return draining_; }
  std::size_t connections() const { return links_.size(); }
  std::size_t sessions() const { return sessions_.size(); }
  std::size_t unanswered() const { return unanswered_.size(); }
  const EdgeIdentity& identity() const { return parts_.identity; }
  // As bound; empty when not listening.
  std::string listen_address() const { return listener_ ? listener_->address().str() : ""; }

  // Leaves routing; after the delay no new connections; tells all clients to go elsewhere and waits
  // for them.
  void drain(Done on_done);
  // Waits a little for what is unanswered, then closes all that is left.
  void close_all(Done on_done);

 private:
  Result<Taken> on_request(const Request& request) override;
  std::size_t max_body_bytes(wire::Command command) const override;
  void on_ended(ClientLink& link, CloseReason reason) override;
  void on_gone(ClientLink& link) override;

  void publish(const OutgoingFrame& frame, std::uint32_t times) override;
  void on_repeated(std::size_t frames) override;
  void on_timed_out(const OutgoingFrame& frame) override;
  void on_credit(ShardId shard) override;

  void deliver(const UserId& user, OutgoingEvent& event, const SessionId& origin) override;
  void hint_resync(const UserId& user, const ConversationId& conversation,
                   std::uint32_t within_ms) override;
  void hint_added(const UserId& user, const ConversationId& conversation,
                  std::uint32_t within_ms) override;
  void on_to_group(const GroupId& group, BytesView payload) override;

  void subscribe();
  Result<void> listen();
  void on_bus_state(bus::BusState state);
  void notice_standstill();
  void catch_up();
  void end_waiting();
  void hint_resync_all();
  void wake_one(ShardId shard);
  void tick();
  void every_second();
  void beat();
  void close_door(Done on_done);
  void update_metrics();
  Duration stop_share(Duration usual, int hundredths) const;
  void wait_for(const std::function<bool()>& condition, Duration deadline, Done then);
  ClientLink* find_link(std::uint64_t number) const;
  void admit(net::UniqueFd fd, const net::SocketAddress& from);
  void refuse_connection(const net::UniqueFd& fd, const net::SocketAddress& from,
                         const Door::Refusal& refusal);
  void refused(const net::SocketAddress& from, CloseReason reason);
  void log_refusals();
  void make_room(std::uint64_t number);

  EdgeParts parts_;
  net::ConnectionTotals totals_;
  TimerWheel wheel_;
  TimerWheel throttle_wheel_;
  UserMeter users_;
  event::Turns token_turns_;
  Door door_;
  Tracer tracer_;
  Unanswered unanswered_;
  CreditQueue credit_queue_;
  SubjectPerUser channels_;
  GroupDesk groups_;
  SessionTable sessions_;
  EdgeContext context_;
  BusInbox inbox_;
  Mover mover_;
  LinkEnvironment environment_;
  Arrivals arrivals_;
  std::unique_ptr<net::Listener> listener_;
  struct Refused {
    std::size_t count = 0;  // since the last line of the log
    std::string address;    // of the last one
    CloseReason reason{};
  };
  Refused refused_;
  struct FailedHandshakes {
    std::size_t count = 0;  // since the last line of the log
    std::string why;        // of the last one
  };
  FailedHandshakes failed_handshakes_;
  std::unordered_map<std::uint64_t, std::unique_ptr<ClientLink>> links_;
  std::uint64_t last_link_ = 0;
  std::vector<std::unique_ptr<bus::Subscription>> subscriptions_;
  event::Timer tick_;
  MonotonicTime next_second_;
  MonotonicTime awake_;
  bool is_behind_ = false;
  std::uint64_t last_catch_up_ = 0;
  MonotonicTime catch_up_at_;
  MonotonicTime resync_allowed_;
  bool resync_owed_ = false;
  bool draining_ = false;
  bool announced_ = false;
  std::uint64_t bytes_out_before_ = 0;

  struct Wait {
    std::function<bool()> condition;
    MonotonicTime deadline;
    Done then;
  };
  std::vector<Wait> waits_;
};

}  // namespace martlet::edge
