#pragma once

#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <vector>

#include "bench/crowd.h"
#include "bench/latencies.h"
#include "bench/reader.h"

namespace martlet::bench {

// Users who come online all at once, read what they lack, and stay until they leave; again later,
// from where they were. Loop thread.
class Visits {
 public:
  using OnMessage = std::function<void(std::size_t visitor, const wire::Message& message)>;

  // Of the parts, what is a crowd's own is set here.
  Visits(Crowd::Parts parts, std::vector<UserId> users, OnMessage on_message);

  // Calls back when each of them has everything.
  void come(std::function<void()> on_done);
  void leave();
  // Of the visit under way: how long each took, from the moment at which all began.
  nlohmann::ordered_json report() const;

 private:
  struct Visitor {
    Reader reader;
    std::unique_ptr<event::Timer> later;  // of a request that waits
  };

  void ask(Link& link, const Reader::Request& request);
  void on_frame(Link& link, const wire::Frame& frame);

  Crowd::Parts parts_;
  const std::vector<UserId> users_;
  std::vector<Visitor> visitors_;
  std::unique_ptr<Crowd> crowd_;
  std::function<void()> on_done_;
  SystemClock clock_;
  MonotonicTime begin_;
  MonotonicTime end_;
  std::size_t finished_ = 0;
  std::size_t messages_ = 0;
  std::size_t asked_again_ = 0;
  Latencies latencies_;
};

}  // namespace martlet::bench
