#pragma once

#include <atomic>
#include <chrono>
#include <future>
#include <memory>

#include "net/resolver.h"

namespace martlet::net {

// A name service that answers when it is told to, or when the test ends; after ten seconds at the
// latest, so that a loop that waits for it fails its test.
class SlowLookUp {
 public:
  ~SlowLookUp() {
    if (!answered_) answer();
  }
  Resolver::LookUp look_up() {
    return [go = go_.get_future().share(), done = done_](const Address&) {
      go.wait_for(std::chrono::seconds(10));
      *done = true;
      return net::resolve({"127.0.0.1", 7});
    };
  }
  void answer() {
    answered_ = true;
    go_.set_value();
  }
  bool has_answered() const { return *done_; }

 private:
  bool answered_ = false;
  std::promise<void> go_;
  std::shared_ptr<std::atomic<bool>> done_ = std::make_shared<std::atomic<bool>>(false);
};

}  // namespace martlet::net
