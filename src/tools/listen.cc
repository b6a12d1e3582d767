#include "tools/listen.h"

#include <utility>

namespace martlet::tools {

Listen::Listen(const ToolOptions& tool, const Options& options)
    : DeviceCommand(tool), options_(options), idle_(loop(), [this] { check_idle(); }) {}

void Listen::on_message(const client::Message& message, client::Origin origin) {
  restart_idle();
  if (message.sender == self() && !options_.show_own) return;
  output().message(message, origin);
  ++shown_;
  if (options_.count > 0 && shown_ == options_.count) done(Exit::kOk);
}

void Listen::on_dropped(const ConversationId& conversation, Seq from) {
  output().dropped(conversation, from);
}

void Listen::on_read(const wire::ReadEvent& event) {
  output().read(event.conversation, event.user, event.seq);
}

// From here on nothing is missed: whoever waits for this line may start to send.
void Listen::on_synced(bool) {
  if (!std::exchange(said_online_, true)) output().online(self(), device(), edge_);
  restart_idle();
}

void Listen::restart_idle() {
  if (options_.until_idle_s <= 0 || !said_online_) return;
  idle_.start_once(std::chrono::milliseconds(static_cast<long>(options_.until_idle_s * 1e3)));
}

void Listen::check_idle() {
  if (client().sync().is_settled()) return done(Exit::kOk);
  restart_idle();
}

}  // namespace martlet::tools
