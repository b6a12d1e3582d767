#pragma once

#include <functional>
#include <memory>

#include "base/result.h"
#include "event/loop.h"
#include "net/address.h"

namespace martlet::net {

// Asks the system's resolver without blocking the loop: names are looked up on a thread of their
// own, for which nobody waits. Loop thread; the loop must outlive it.
class Resolver {
 public:
  using Found = std::function<void(const Result<SocketAddress>&)>;
  // Blocks; any thread.
  using LookUp = std::function<Result<SocketAddress>(const Address&)>;

  // look_up: for names; tests give their own.
  explicit Resolver(event::Loop& loop, LookUp look_up = net::resolve);
  // Gives up.
  ~Resolver();
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  // Calls back once, at once for a numeric address, and may be destroyed by that. One at a time: a
  // question that is under way is given up.
  void resolve(const Address& address, Found found);
  void give_up();

 private:
  struct Question;

  event::Loop& loop_;
  LookUp look_up_;
  std::shared_ptr<Question> question_;  // null: none is under way
};

}  // namespace martlet::net
