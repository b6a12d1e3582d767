#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "bench/latencies.h"
#include "model/ids.h"

namespace martlet::bench {

struct Sending {
  std::uint32_t sender = 0;
  std::uint32_t conversation = 0;
  std::uint32_t copies = 1;
  MonotonicTime due;  // when it was meant to be sent
};

// What came of all messages of a run, and what was measured in its window.
struct Totals {
  // The whole run, warm-up and what came after the window included.
  std::uint64_t sent = 0;
  std::uint64_t confirmed = 0;
  std::uint64_t refused = 0;
  std::uint64_t unanswered = 0;
  std::uint64_t delivered = 0;  // copies, each counted once
  std::uint64_t lost = 0;       // copies of confirmed messages that never came
  std::uint64_t doubled = 0;    // copies too many, and answers too many
  std::uint64_t unordered = 0;  // breaches of a conversation's order, see Account
  // Within the window, whenever they were sent.
  std::uint64_t confirmed_in_window = 0;
  std::uint64_t delivered_in_window = 0;
};

// What came of the messages that were due in one second of the window, whenever it came.
struct SecondOfWindow {
  std::uint64_t due = 0;
  std::uint64_t refused = 0;
  Latencies confirm_latencies;
};

// Accounts for every message by its number. Pure.
//
// Order, for each conversation: a receiver sees growing seqs; messages of one sender have seqs in
// the order of sending; all seqs together are without a gap and none is given twice. Every breach
// counts as unordered.
//
// Latencies are those of messages that were due in the window, whenever the answer came.
class Account {
 public:
  void begin_window(MonotonicTime now) { window_begin_ = now; }
  void end_window(MonotonicTime now) { window_end_ = now; }

  // The next message; returns its number.
  std::uint64_t sent(const Sending& sending);
  // The server gave it its place. Other numbers than those of sent messages assert in all of these.
  void acknowledged(std::uint64_t number, Seq seq);
  // It has the strength that was asked for: the same moment, or later. False: it had it before.
  bool confirmed(std::uint64_t number, MonotonicTime now);
  // Final for this run: a refused message is not repeated. False: it was answered before.
  bool refused(std::uint64_t number);
  // A live event.
  void received(std::uint32_t receiver, std::uint64_t number, Seq seq, MonotonicTime now);

  std::uint64_t size() const { return messages_.size(); }
  bool is_answered(std::uint64_t number) const;
  bool is_answered() const { return unanswered_ == 0; }  // all of them
  // Nothing is awaited any more.
  bool is_complete() const { return unanswered_ == 0 && missing_ == 0; }

  Totals totals() const;
  const Latencies& confirm_latencies() const { return confirm_latencies_; }
  const Latencies& receive_latencies() const { return receive_latencies_; }
  // Of the last copy of each message.
  const Latencies& last_latencies() const { return last_latencies_; }
  const std::vector<SecondOfWindow>& seconds() const { return seconds_; }

 private:
  enum class State : std::uint8_t { kOpen, kConfirmed, kRefused };
  struct Message {
    Sending sending;
    Seq seq;  // 0: unknown
    State state = State::kOpen;
    bool measured = false;
    std::uint32_t received = 0;
  };

  Message& message(std::uint64_t number);
  SecondOfWindow& second_of(const Message& message);
  bool is_in_window(MonotonicTime time) const;
  std::uint64_t breaches_of_senders() const;
  std::uint64_t breaches_of_numbering() const;

  std::optional<MonotonicTime> window_begin_;
  std::optional<MonotonicTime> window_end_;
  std::deque<Message> messages_;
  std::unordered_map<std::uint64_t, Seq> last_seen_;  // by receiver and conversation
  std::uint64_t unanswered_ = 0;
  std::uint64_t missing_ = 0;  // copies of messages that were not refused
  Totals totals_;
  Latencies confirm_latencies_;
  Latencies receive_latencies_;
  Latencies last_latencies_;
  std::vector<SecondOfWindow> seconds_;
};

}  // namespace martlet::bench
