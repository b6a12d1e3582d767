#pragma once

#include <functional>
#include <memory>
#include <string>

#include "client/link.h"
#include "event/loop.h"
#include "model/ids.h"

namespace martlet::swarm {

// Registers one user, again and again until the server says yes or that the name is taken.
class Registration final : private client::Link::Owner {
 public:
  // done: empty, or what is wrong for good.
  using Done = std::function<void(const std::string& problem)>;

  Registration(event::Loop& loop, net::Address server, UserId user, std::string password,
               Done done);
  ~Registration() override;

 private:
  void on_link_up() override;
  void on_link_event(wire::Command, BytesView) override {}
  void on_link_error(const wire::Refusal&) override {}
  void on_link_down(const std::string& why) override;
  void on_answer(const client::Answer& answer);
  void connect();
  void again(std::uint32_t least_ms);

  event::Loop& loop_;
  net::Address server_;
  UserId user_;
  std::string password_;
  Done done_;
  std::unique_ptr<client::Link> link_;
  event::Timer retry_;
};

}  // namespace martlet::swarm
