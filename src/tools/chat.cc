#include "tools/chat.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "wire/content.h"

namespace martlet::tools {
namespace {

constexpr std::size_t kLinesOnTheirWay = 1'000;
constexpr Duration kPatience = std::chrono::seconds(3);

struct InputMessage {
  ConversationId to;  // empty: not told
  std::string text;
};

Result<InputMessage> parse_input(const UserId& self, const std::string& line) {
  const nlohmann::json json = nlohmann::json::parse(line, nullptr, false);
  const auto bad = [] {
    return fail(ErrorCode::kBadBody, R"(a line of input must be {"to": PEER, "text": TEXT})");
  };
  if (!json.is_object() || !json.contains("text") || !json["text"].is_string()) return bad();
  InputMessage message;
  message.text = json["text"].get<std::string>();
  if (!json.contains("to")) return message;
  if (!json["to"].is_string()) return bad();
  const Result<ConversationId> to = parse_conversation(self, json["to"].get<std::string>());
  if (!to) return tl::unexpected(to.error());
  message.to = *to;
  return message;
}

}  // namespace

Chat::Chat(const ToolOptions& tool, Options options)
    : DeviceCommand(tool),
      options_(std::move(options)),
      still_offline_(loop(), [this] { on_still_offline(); }) {}

Result<void> Chat::prepare() {
  if (!options_.peer.empty()) {
    const Result<ConversationId> conversation = parse_conversation(self(), options_.peer);
    if (!conversation) return tl::unexpected(conversation.error());
    conversation_ = *conversation;
  } else if (!output().is_json()) {
    return fail(ErrorCode::kBadId, "chat needs a PEER, or --json");
  }
  still_offline_.start_once(kPatience);
  return {};
}

void Chat::on_online(const std::string& edge) {
  edge_ = edge;
  still_offline_.cancel();
  if (std::exchange(said_offline_, false)) std::fputs("martlet: connected\n", stderr);
}

// A loss that is over at once is not worth a word.
void Chat::on_state(client::State state, const std::string& why) {
  DeviceCommand::on_state(state, why);
  const bool is_lost = state == client::State::kConnecting && !said_offline_;
  if (is_lost && !still_offline_.is_scheduled()) still_offline_.start_once(kPatience);
}

// Input is taken once this device is up to date, so that what was missed is shown first; but what
// somebody types while no server answers must not be lost.
void Chat::on_still_offline() {
  said_offline_ = true;
  complain({ErrorCode::kUnavailable, "not connected; what you write goes out later"});
  take_input();
}

void Chat::on_synced(bool) {
  if (std::exchange(said_online_, true)) return;
  output().online(self(), device(), edge_);
  take_input();
}

void Chat::take_input() {
  if (lines_) return;
  lines_ = std::make_unique<InputLines>(
      loop(), kLinesOnTheirWay,
      [this](std::optional<std::string> line) { on_line(std::move(line)); });
}

void Chat::on_line(std::optional<std::string> line) {
  if (!line) {
    input_ended_ = true;
    return end_if_done();
  }
  if (line->empty()) {
    lines_->give_credit();
    return;
  }
  const Result<void> sent = send_line(*line);
  if (sent) return;
  lines_->give_credit();
  complain(sent.error());
}

Result<void> Chat::send_line(const std::string& line) {
  InputMessage message{conversation_, line};
  if (output().is_json()) {
    Result<InputMessage> parsed = parse_input(self(), line);
    if (!parsed) return tl::unexpected(parsed.error());
    message = std::move(*parsed);
    if (message.to.empty()) message.to = conversation_;
  }
  if (message.to.empty()) return fail(ErrorCode::kBadId, "to whom?");
  const auto queued =
      client().send(message.to, wire::encode_text(message.text), client::Strength::kLogged);
  if (!queued) return tl::unexpected(queued.error());
  return {};
}

bool Chat::is_shown(const ConversationId& conversation) const {
  return output().is_json() || conversation == conversation_;
}

void Chat::on_message(const client::Message& message, client::Origin origin) {
  if (is_shown(message.conversation)) output().message(message, origin);
}

void Chat::on_acked(const client::SendQueue::Acked& acked) {
  if (output().is_json()) output().sent(self(), acked);
  if (lines_) lines_->give_credit();
  end_if_done();
}

void Chat::on_refused(const client::SendQueue::Refused& refused) {
  if (output().is_json()) output().refused(refused);
  complain(refused.error);
  if (lines_) lines_->give_credit();
  end_if_done();
}

void Chat::on_dropped(const ConversationId& conversation, Seq from) {
  if (is_shown(conversation)) output().dropped(conversation, from);
}

void Chat::on_read(const wire::ReadEvent& event) {
  if (is_shown(event.conversation)) output().read(event.conversation, event.user, event.seq);
}

void Chat::on_typing(const wire::TypingEvent& event) {
  if (is_shown(event.conversation)) output().typing(event);
}

void Chat::end_if_done() {
  if (input_ended_ && !options_.stay && client().queue().empty()) done(Exit::kOk);
}

}  // namespace martlet::tools
