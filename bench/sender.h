#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include "bench/account.h"
#include "bench/crowd.h"
#include "bench/pace.h"
#include "bench/workload.h"

namespace martlet::bench {

// Sends a workload's messages at its pace, its senders by turns, and books what comes back. Loop
// thread.
class Sender {
 public:
  // The server said what makes no sense: the run is over.
  using OnNonsense = std::function<void(const std::string& what)>;

  Sender(event::Loop& loop, const Config& config, Crowd& crowd, std::unique_ptr<Workload> workload,
         OnNonsense on_nonsense);

  void start();
  void stop();
  void on_frame(std::size_t receiver, const wire::Frame& frame);
  // Live or read later.
  void received(std::size_t receiver, const wire::Message& message);

  Account& account() { return account_; }
  std::uint64_t resyncs() const { return resyncs_; }
  // Refusals that do not say when to come again.
  std::uint64_t refusals_without_time() const { return refusals_without_time_; }
  // Why messages were refused, the first of them.
  const std::string& first_refusal() const { return first_refusal_; }

 private:
  struct Last {
    std::uint64_t number;
    ClientMsgId id;
  };

  void tick();
  void send(MonotonicTime due);
  std::optional<ClientMsgId> follows(const Last& last) const;
  // None: not about a message of this run.
  std::optional<std::uint64_t> number_in(const ClientMsgId& id) const;
  void on_ack(BytesView body);
  void on_stored(BytesView body);
  void on_message(std::size_t receiver, BytesView body);
  void on_refusal(const wire::Frame& frame);
  void confirm(std::uint64_t number);
  void refuse(std::uint64_t number, const std::string& why);
  MonotonicTime now() const { return clock_.now(); }

  event::Loop& loop_;
  const Config& config_;
  Crowd& crowd_;
  std::unique_ptr<Workload> workload_;
  OnNonsense on_nonsense_;
  SystemClock clock_;  // not the loop's, which stands still for a turn
  Account account_;
  const Bytes content_;
  bool sending_ = false;
  std::optional<OpenSchedule> schedule_;          // none: closed loop
  std::unordered_map<std::uint64_t, Last> last_;  // by sender and conversation
  std::deque<MonotonicTime> pausing_;  // closed loop: refused messages' places, until when
  std::uint64_t resyncs_ = 0;
  std::uint64_t refusals_without_time_ = 0;
  std::string first_refusal_;
  event::Timer tick_;
};

}  // namespace martlet::bench
