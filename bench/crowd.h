#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "auth/keys.h"
#include "bench/config.h"
#include "bench/link.h"

namespace martlet::bench {

// Users who are connected, one device each, spread over the edges by turn, and over the addresses
// 127.0.0.2 to 127.0.0.17: one has ports for 28,000 connections to an edge. Signs their tokens
// itself, so that no password is hashed, unless they have one. A link that is lost ends the run.
// Loop thread.
class Crowd final : private LinkOwner {
 public:
  using OnOnline = std::function<void()>;
  using OnFrame = std::function<void(Link& link, const wire::Frame& frame)>;

  struct Parts {
    event::Loop& loop;
    const Config& config;
    const auth::SigningKey& key;
    std::function<void(const std::string& why)> on_lost;
    OnFrame on_frame;
    std::function<void(Link& link)> on_link_online = [](Link&) {};
    std::size_t at_once = 32;  // far below what an edge takes of those who have not authenticated
    std::string password{};
    net::TlsClient* tls = nullptr;  // null: in the clear
  };

  Crowd(Parts parts, std::vector<UserId> users);

  // Calls back when all are online.
  void connect(OnOnline on_online);
  void disconnect();

  const std::vector<UserId>& users() const { return users_; }
  Link& link(std::size_t number) { return *links_[number]; }
  std::size_t refusals() const;

 private:
  void on_online(Link& link) override;
  void on_frame(Link& link, const wire::Frame& frame) override;
  void on_lost(Link& link, const std::string& why) override;
  void connect_next();
  void pulse();

  Parts parts_;
  std::vector<UserId> users_;
  std::vector<std::string> tokens_;  // none with a password
  std::vector<std::unique_ptr<Link>> links_;
  std::size_t online_ = 0;
  OnOnline all_online_;
  event::Timer pulse_;
  std::size_t pulse_turn_ = 0;
};

}  // namespace martlet::bench
