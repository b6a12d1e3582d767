#include "bench/account.h"

#include <algorithm>
#include <map>
#include <vector>

#include "base/assert.h"

namespace martlet::bench {
namespace {

std::uint64_t key_of(std::uint32_t who, std::uint32_t conversation) {
  return std::uint64_t(who) << 32 | conversation;
}

}  // namespace

Account::Message& Account::message(std::uint64_t number) {
  MARTLET_ASSERT(number < messages_.size());
  return messages_[number];
}

bool Account::is_in_window(MonotonicTime time) const {
  return window_begin_ && time >= *window_begin_ && (!window_end_ || time < *window_end_);
}

// Of a measured one.
SecondOfWindow& Account::second_of(const Message& message) {
  const Duration after = message.sending.due - *window_begin_;
  const auto number = static_cast<std::size_t>(after / std::chrono::seconds(1));
  if (number >= seconds_.size()) seconds_.resize(number + 1);
  return seconds_[number];
}

bool Account::is_answered(std::uint64_t number) const {
  return messages_.at(number).state != State::kOpen;
}

std::uint64_t Account::sent(const Sending& sending) {
  messages_.push_back({.sending = sending, .seq = {}, .measured = is_in_window(sending.due)});
  if (messages_.back().measured) ++second_of(messages_.back()).due;
  ++totals_.sent;
  ++unanswered_;
  missing_ += sending.copies;
  return messages_.size() - 1;
}

void Account::acknowledged(std::uint64_t number, Seq seq) {
  Message& message = this->message(number);
  if (message.seq != Seq()) ++totals_.doubled;
  message.seq = seq;
}

bool Account::confirmed(std::uint64_t number, MonotonicTime now) {
  Message& message = this->message(number);
  if (message.state != State::kOpen) return false;
  message.state = State::kConfirmed;
  --unanswered_;
  ++totals_.confirmed;
  if (is_in_window(now)) ++totals_.confirmed_in_window;
  if (message.measured) {
    confirm_latencies_.add(now - message.sending.due);
    second_of(message).confirm_latencies.add(now - message.sending.due);
  }
  return true;
}

bool Account::refused(std::uint64_t number) {
  Message& message = this->message(number);
  if (message.state != State::kOpen) return false;
  message.state = State::kRefused;
  --unanswered_;
  missing_ -= message.sending.copies - std::min(message.received, message.sending.copies);
  ++totals_.refused;
  if (message.measured) ++second_of(message).refused;
  return true;
}

void Account::received(std::uint32_t receiver, std::uint64_t number, Seq seq, MonotonicTime now) {
  Message& message = this->message(number);
  Seq& last = last_seen_[key_of(receiver, message.sending.conversation)];
  if (message.received++ >= message.sending.copies) {
    ++totals_.doubled;
    return;
  }
  if (seq <= last) ++totals_.unordered;
  last = std::max(last, seq);
  if (message.state != State::kRefused) --missing_;
  ++totals_.delivered;
  if (is_in_window(now)) ++totals_.delivered_in_window;
  if (!message.measured) return;
  receive_latencies_.add(now - message.sending.due);
  if (message.received == message.sending.copies) last_latencies_.add(now - message.sending.due);
}

Totals Account::totals() const {
  Totals totals = totals_;
  totals.unanswered = unanswered_;
  for (const Message& message : messages_) {
    if (message.state != State::kConfirmed) continue;
    totals.lost += message.sending.copies - std::min(message.received, message.sending.copies);
  }
  totals.unordered += breaches_of_senders() + breaches_of_numbering();
  return totals;
}

// Messages are in the order of sending.
std::uint64_t Account::breaches_of_senders() const {
  std::uint64_t breaches = 0;
  std::unordered_map<std::uint64_t, Seq> last;
  for (const Message& message : messages_) {
    if (message.seq == Seq()) continue;
    Seq& before = last[key_of(message.sending.sender, message.sending.conversation)];
    if (message.seq <= before) ++breaches;
    before = message.seq;
  }
  return breaches;
}

std::uint64_t Account::breaches_of_numbering() const {
  // What was not acknowledged may have got a number all the same.
  const bool all_known = unanswered_ == 0 && totals_.refused == 0;
  std::map<std::uint32_t, std::vector<Seq>> seqs;
  for (const Message& message : messages_) {
    if (message.seq != Seq()) seqs[message.sending.conversation].push_back(message.seq);
  }
  std::uint64_t breaches = 0;
  for (auto& [conversation, given] : seqs) {
    std::sort(given.begin(), given.end());
    for (std::size_t i = 1; i < given.size(); ++i) {
      const std::uint64_t step = given[i].value() - given[i - 1].value();
      if (step == 0 || (step > 1 && all_known)) ++breaches;
    }
  }
  return breaches;
}

}  // namespace martlet::bench
