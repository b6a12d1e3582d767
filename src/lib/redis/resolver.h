#pragma once

#include <functional>
#include <string>
#include <thread>

#include "base/result.h"
#include "event/loop.h"

namespace martlet::redis {

// Turns a host name into a numeric address without blocking the loop: names are looked up on a
// thread of its own. Loop thread; destroying it waits for a look-up under way.
class Resolver {
 public:
  using Found = std::function<void(const Result<std::string>&)>;

  explicit Resolver(event::Loop& loop) : loop_(loop) {}
  ~Resolver();
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  // One at a time. Calls back once: at once for a numeric host.
  void resolve(const std::string& host, Found found);

 private:
  event::Loop& loop_;
  std::thread thread_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace martlet::redis
