#include "tools/simple_commands.h"

#include <utility>

namespace martlet::tools {

// ---- login --------------------------------------------------------------------------------

void Login::on_online(const std::string& edge) {
  remember_servers(options());
  output().note("logged_in", "logged in as " + self().str() + "/" + device().str() + " at " + edge);
  done(Exit::kOk);
}

// ---- sync ---------------------------------------------------------------------------------

void Sync::on_message(const client::Message& message, client::Origin origin) {
  output().message(message, origin);
  ++messages_;
}

void Sync::on_dropped(const ConversationId& conversation, Seq from) {
  output().dropped(conversation, from);
}

void Sync::on_news(const client::ConversationNews& news) {
  news_.push_back(news);
}

void Sync::on_synced(bool behind) {
  synced_ = !behind;
  settled_.start_every(std::chrono::milliseconds(5));
}

void Sync::end_if_settled() {
  if (!synced_ || !client().sync().is_settled()) return;
  settled_.cancel();
  for (const client::ConversationNews& news : news_) output().news(news);
  const auto& counters = client().sync().counters();
  output().note("synced", "synced conversations=" + std::to_string(news_.size()) +
                              " messages=" + std::to_string(messages_) +
                              " syncs=" + std::to_string(counters.syncs) +
                              " fetches=" + std::to_string(counters.fetches));
  done(Exit::kOk);
}

// ---- read ---------------------------------------------------------------------------------

Result<void> Read::prepare() {
  const Result<ConversationId> conversation = parse_conversation(self(), peer_);
  if (!conversation) return tl::unexpected(conversation.error());
  client().mark_read(*conversation, seq_);
  return {};
}

void Read::on_read_done(const ConversationId& conversation, Seq seq,
                        const std::optional<Error>& error) {
  if (error) return give_up(*error);
  output().read(conversation, self(), seq);
  done(Exit::kOk);
}

}  // namespace martlet::tools
