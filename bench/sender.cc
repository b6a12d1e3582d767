#include "bench/sender.h"

#include "bench/message_number.h"

namespace martlet::bench {
namespace {

constexpr Duration kTick = std::chrono::milliseconds(1);
// The place of a refused message of the closed loop is taken after this time, not at once.
constexpr Duration kPause = std::chrono::milliseconds(50);

}  // namespace

Sender::Sender(event::Loop& loop, const Config& config, Crowd& crowd,
               std::unique_ptr<Workload> workload, OnNonsense on_nonsense)
    : loop_(loop),
      config_(config),
      crowd_(crowd),
      workload_(std::move(workload)),
      on_nonsense_(std::move(on_nonsense)),
      content_(wire::encode_text(std::string(config.text_bytes, 'x'))),
      tick_(loop_, [this] { tick(); }) {}

void Sender::start() {
  sending_ = true;
  tick_.start_every(kTick);
  if (config_.rate > 0) {
    schedule_.emplace(config_.rate, now(), config_.burst);
    return;
  }
  for (std::size_t i = 0; i < config_.in_flight; ++i) send(now());
}

void Sender::stop() {
  sending_ = false;
  tick_.cancel();
}

void Sender::tick() {
  const MonotonicTime now = this->now();
  if (schedule_) {
    while (const auto due = schedule_->take(now)) send(*due);
  }
  while (!pausing_.empty() && pausing_.front() <= now) {
    pausing_.pop_front();
    send(now);
  }
}

void Sender::send(MonotonicTime due) {
  if (config_.messages > 0 && account_.size() == config_.messages) return;
  const std::size_t sender = account_.size() % workload_->senders();
  const Target target = workload_->next(sender);
  const std::uint64_t number = account_.sent({.sender = static_cast<std::uint32_t>(sender),
                                              .conversation = target.conversation,
                                              .copies = target.copies,
                                              .due = due});
  const ClientMsgId id = make_numbered_id(clock_.wall_ms(), number);
  wire::Send body{.to_user = target.to_user,
                  .to_group = target.to_group,
                  .client_msg_id = id,
                  .content = content_,
                  .age = Duration(0),
                  .want = config_.stored ? wire::AckLevel::Stored : wire::AckLevel::Logged};
  const std::uint64_t key = std::uint64_t(sender) << 32 | target.conversation;
  const auto [last, is_first] = last_.try_emplace(key, Last{number, id});
  if (!is_first) body.follows = follows(std::exchange(last->second, Last{number, id}));
  const auto request = static_cast<std::uint32_t>(number + 1);
  if (!crowd_.link(sender).send(wire::Command::Send, request, wire::encode(body))) {
    refuse(number, "the connection takes no more");
  }
}

// As the client library does, so that a sender's order holds.
std::optional<ClientMsgId> Sender::follows(const Last& last) const {
  if (account_.is_answered(last.number)) return std::nullopt;
  return last.id;
}

void Sender::on_frame(std::size_t receiver, const wire::Frame& frame) {
  switch (static_cast<wire::Command>(frame.header.command)) {
    case wire::Command::Ack:
      return on_ack(frame.body);
    case wire::Command::StoredEvent:
      return on_stored(frame.body);
    case wire::Command::MessageEvent:
      return on_message(receiver, frame.body);
    case wire::Command::Error:
      return on_refusal(frame);
    case wire::Command::ResyncEvent:
      ++resyncs_;
      return;
    default:
      return;
  }
}

std::optional<std::uint64_t> Sender::number_in(const ClientMsgId& id) const {
  const auto number = number_of(id);
  return number && *number < account_.size() ? number : std::nullopt;
}

void Sender::on_ack(BytesView body) {
  const auto ack = wire::parse_ack(body);
  if (!ack) return on_nonsense_("a bad Ack");
  const auto number = number_in(ack->client_msg_id);
  if (!number) return;
  account_.acknowledged(*number, ack->seq);
  if (!config_.stored || ack->level == wire::AckLevel::Stored) confirm(*number);
}

void Sender::on_stored(BytesView body) {
  const auto stored = wire::parse_stored_event(body);
  if (!stored) return on_nonsense_("a bad StoredEvent");
  const auto number = number_in(stored->client_msg_id);
  if (number && config_.stored) confirm(*number);
}

void Sender::on_message(std::size_t receiver, BytesView body) {
  const auto message = wire::parse_message(body);
  if (!message) return on_nonsense_("a bad MessageEvent");
  received(receiver, *message);
}

void Sender::received(std::size_t receiver, const wire::Message& message) {
  const auto number = number_in(message.client_msg_id);
  if (!number) return;
  account_.received(static_cast<std::uint32_t>(receiver), *number, message.seq, now());
}

void Sender::on_refusal(const wire::Frame& frame) {
  const auto refusal = wire::parse_refusal(frame.body);
  if (!refusal) return on_nonsense_("a bad Error");
  const std::string why =
      std::string(error_name(refusal->error.code)) + ": " + refusal->error.detail;
  const std::uint32_t request = frame.header.request_id;
  if (request == 0 || request > account_.size()) return on_nonsense_("an error: " + why);
  if (!refusal->retryable || refusal->error.retry_after_ms == 0) ++refusals_without_time_;
  refuse(request - 1, why);
}

void Sender::confirm(std::uint64_t number) {
  const MonotonicTime now = this->now();
  if (!account_.confirmed(number, now)) return;
  if (sending_ && !schedule_) send(now);
}

void Sender::refuse(std::uint64_t number, const std::string& why) {
  if (!account_.refused(number)) return;
  if (first_refusal_.empty()) first_refusal_ = why;
  if (sending_ && !schedule_) pausing_.push_back(now() + kPause);
}

}  // namespace martlet::bench
