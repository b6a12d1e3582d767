#include "tools/send.h"

#include <utility>

#include "wire/content.h"

namespace martlet::tools {
namespace {

constexpr std::size_t kLinesOnTheirWay = 1'000;

}  // namespace

Send::Send(const ToolOptions& tool, Options options)
    : DeviceCommand(tool), options_(std::move(options)) {}

Result<void> Send::prepare() {
  const Result<ConversationId> to = parse_conversation(self(), options_.peer);
  if (!to) return tl::unexpected(to.error());
  to_ = *to;
  if (options_.from_stdin) {
    input_ended_ = false;
    lines_ = std::make_unique<InputLines>(
        loop(), kLinesOnTheirWay,
        [this](std::optional<std::string> line) { on_line(std::move(line)); });
    return {};
  }
  const auto queued = queue(options_.text);
  if (!queued) return tl::unexpected(queued.error());
  return {};
}

Result<ClientMsgId> Send::queue(const std::string& text) {
  const auto want = options_.wait_stored ? client::Strength::kStored : client::Strength::kLogged;
  const auto follow = options_.trace ? client::Follow::kAlways : client::Follow::kByChance;
  return client().send(to_, wire::encode_text(text), want, {}, follow);
}

void Send::on_line(std::optional<std::string> line) {
  if (!line) {
    input_ended_ = true;
    return end_if_done();
  }
  send_text(*line);
}

void Send::send_text(const std::string& text) {
  if (const auto queued = queue(text); !queued) give_up(queued.error());
}

void Send::on_acked(const client::SendQueue::Acked& acked) {
  output().sent(self(), acked);
  if (lines_) lines_->give_credit();
  if (!options_.wait_stored) end_if_done();
}

void Send::on_stored(const client::SendQueue::Stored& stored) {
  output().stored(stored);
  end_if_done();
}

void Send::on_refused(const client::SendQueue::Refused& refused) {
  any_refused_ = true;
  complain(refused.error);
  if (lines_) lines_->give_credit();
  end_if_done();
}

void Send::end_if_done() {
  if (!input_ended_ || !client().queue().empty()) return;
  done(any_refused_ ? Exit::kRefused : Exit::kOk);
}

}  // namespace martlet::tools
