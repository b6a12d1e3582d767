#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "client/limits.h"
#include "net/connection.h"
#include "net/connector.h"
#include "net/tls.h"
#include "wire/answers.h"
#include "wire/commands.h"
#include "wire/frame.h"

namespace martlet::client {

// How a request ended.
struct Answer {
  enum class Kind : std::uint8_t { kBody, kRefused, kLost };
  Kind kind = Kind::kLost;
  BytesView body;         // kBody: of the command that answers the request; verified
  wire::Refusal refusal;  // kRefused
};

// One connection to an edge: frames, request ids, deadlines and heartbeats; knows nothing of
// accounts and messages. Ends by itself when the peer does, when a request stays unanswered, or
// when nothing comes for one and a half heartbeats.
//
// Loop thread; loop and owner must outlive it. It may be given to Loop::defer_delete at any time,
// also inside its own calls; after close() it calls nobody.
class Link final : private net::ConnectionListener {
 public:
  class Owner {
   public:
    virtual ~Owner() = default;
    virtual void on_link_up() = 0;
    virtual void on_link_event(wire::Command command, BytesView body) = 0;
    // An error that answers no request of ours: the connection usually ends next.
    virtual void on_link_error(const wire::Refusal& refusal) = 0;
    // The server's clock, as a PONG tells it.
    virtual void on_link_time(WallMs /*time_ms*/) {}
    // The last call. Requests still open were answered kLost before.
    virtual void on_link_down(const std::string& why) = 0;
  };
  using OnAnswer = std::function<void(const Answer&)>;

  // tls: null: in the clear. Outlives the link.
  Link(event::Loop& loop, const net::Address& address, Owner& owner, net::TlsClient* tls = nullptr);
  ~Link() override;
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  // Only when up: on a link that went down nothing is sent, and nobody is answered.
  void request(wire::Command command, BytesView body, OnAnswer on_answer);
  void set_heartbeat(Duration heartbeat);
  // Ends it without a call to the owner; open requests are answered kLost.
  void close();
  // Ends it as if the peer had.
  void fail(const std::string& why);

  bool is_up() const { return connection_ != nullptr && connection_->is_secured() && !closed_; }
  std::size_t unanswered() const { return pending_.size(); }

 private:
  struct Pending {
    wire::Command command;
    MonotonicTime since;
    OnAnswer on_answer;
  };

  void on_connected(Result<net::UniqueFd> fd);
  void on_secured() override;
  void on_bytes(BytesView bytes) override;
  void on_drained() override {}
  void on_closed(net::CloseCause cause) override;
  void on_frame(const wire::Frame& frame);
  void on_answer(const wire::FrameHeader& header, BytesView body);
  void send_ping();
  void on_pong(const Answer& answer);
  void check_time();
  void end(const std::string& why);
  void drop_pending();

  event::Loop& loop_;
  const net::Address address_;
  net::TlsClient* tls_;
  Owner& owner_;
  std::unique_ptr<net::Connector> connector_;
  std::unique_ptr<net::Connection> connection_;
  wire::FrameDecoder decoder_{kMaxFrameBytes};
  Bytes unpacked_;
  std::map<std::uint32_t, Pending> pending_;  // by request id, which is also the order of sending
  std::uint32_t last_id_ = 0;
  bool closed_ = false;
  Duration heartbeat_{};
  MonotonicTime last_bytes_{};
  MonotonicTime last_ping_{};
  event::Timer second_;
};

}  // namespace martlet::client
