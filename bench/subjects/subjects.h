#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "bus/nats_bus.h"
#include "event/loop.h"
#include "tools/input.h"

namespace martlet::bench {

struct SubjectsConfig {
  std::string url;
  std::size_t subjects = 0;
  Duration seconds{};  // of the window
};

// What a broker with very many users has to do: their subjects, subscribed through the bus as edges
// do, over as many buses as edges would have, and messages to all of them, without any client. One
// process, one thread. Tells its phases on standard output, a line of JSON each, as Load does:
//   connected                          after the start
//   subscribe -> subscribed, seconds   the broker knows every subscription
//   load -> measuring, measured, done  messages in a closed loop; received_per_s and lost
//   check -> checked, heard_once       a message to each subject; so many heard exactly one
//   quit
// and, whenever every bus has lost the broker and found it again: resubscribed.
class Subjects {
 public:
  Subjects(event::Loop& loop, SubjectsConfig config);

  // Blocks until all buses are connected.
  void start();
  bool has_failed() const { return failed_; }

 private:
  struct Counts {
    std::uint64_t sent = 0, received = 0;
  };

  void on_command(const std::string& command);
  void on_state(bus::BusState state);
  void subscribe_some(std::size_t first);
  void wait_subscribed();
  void load();
  void check();
  void begin(std::uint64_t limit);
  void send(std::uint64_t count);
  void on_message(std::size_t subject);
  void when_settled(std::function<void()> then);
  void fail(const std::string& why);

  event::Loop& loop_;
  const SubjectsConfig config_;
  std::vector<std::unique_ptr<bus::NatsBus>> buses_;  // the first one publishes
  std::vector<std::unique_ptr<bus::Subscription>> subscriptions_;
  std::vector<std::uint32_t> heard_;  // by subject, since begin()
  Counts counts_;                     // since begin()
  std::uint64_t limit_ = 0;           // of counts_.sent
  std::uint64_t next_ = 0;            // of all that are sent, which says to whom
  std::size_t away_ = 0;              // buses without the broker
  MonotonicTime since_;               // the begin of the phase under way
  bool failed_ = false;
  std::unique_ptr<event::Timer> timer_;
  std::unique_ptr<tools::InputLines> commands_;
};

}  // namespace martlet::bench
