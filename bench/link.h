#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "event/loop.h"
#include "net/connection.h"
#include "net/connector.h"
#include "net/tls.h"
#include "wire/bodies.h"
#include "wire/commands.h"
#include "wire/frame.h"

namespace martlet::bench {

class Link;

// Of everybody, also in the tokens that the generator signs.
inline const DeviceId kDevice = DeviceId::trusted("bench");

class LinkOwner {
 public:
  virtual ~LinkOwner() = default;
  // AUTH was accepted, and SYNC was answered where it was asked for.
  virtual void on_online(Link& link) = 0;
  // Answers and events of an authenticated session.
  virtual void on_frame(Link& link, const wire::Frame& frame) = 0;
  // Once; nothing follows. why: for people.
  virtual void on_lost(Link& link, const std::string& why) = 0;
};

// One authenticated connection with frames in both directions, and nothing of what the client
// library does: no repeats, no store, no sync; whoever is told to wait at LOGIN or AUTH comes
// again. Loop thread.
class Link final : private net::ConnectionListener {
 public:
  struct Options {
    std::size_t number = 0;  // the owner's
    net::Address address;
    net::SocketAddress from;
    std::string access_token;  // empty: LOGIN with the password comes first
    UserId user;
    std::string password;
    bool sync = false;              // asks what there is before it is online
    net::TlsClient* tls = nullptr;  // null: in the clear
  };

  Link(event::Loop& loop, Options options, LinkOwner& owner);
  ~Link() override;

  std::size_t number() const { return options_.number; }
  // How often it was told to come again later.
  std::size_t refusals() const { return refusals_; }

  // False: the connection takes no more. request_id 0: no answer is wanted.
  bool send(wire::Command command, std::uint32_t request_id, BytesView body);
  void close();

 private:
  void connect();
  void come_again(std::uint32_t after_ms);
  void on_connected(Result<net::UniqueFd> fd);
  void on_bytes(BytesView bytes) override;
  void on_drained() override {}
  void on_closed(net::CloseCause cause) override;
  void sign_in();
  void take(const wire::Frame& frame);
  void take_tokens(BytesView body);
  void begin(const wire::Frame& frame);
  void lose(const std::string& why);

  event::Loop& loop_;
  const Options options_;
  LinkOwner& owner_;
  std::unique_ptr<net::Connector> connector_;
  std::unique_ptr<net::Connection> connection_;
  wire::FrameDecoder decoder_;
  std::string access_token_;
  event::Timer again_;
  std::size_t refusals_ = 0;
  bool online_ = false;
  bool closed_ = false;
};

}  // namespace martlet::bench
