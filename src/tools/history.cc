#include "tools/history.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace martlet::tools {

History::History(const ToolOptions& tool, Options options)
    : DeviceCommand(tool), options_(std::move(options)), again_(loop(), [this] { ask(); }) {}

Result<void> History::prepare() {
  const Result<ConversationId> conversation = parse_conversation(self(), options_.peer);
  if (!conversation) return tl::unexpected(conversation.error());
  conversation_ = *conversation;
  from_ = options_.forward ? options_.after : options_.before;
  ask();
  return {};
}

// How many more.
std::uint64_t History::wanted() const {
  if (options_.limit == 0) return kMaxHistoryPageMessages;
  const std::uint64_t left = options_.limit - messages_.size();
  return std::min<std::uint64_t>(left, kMaxHistoryPageMessages);
}

void History::ask() {
  wire::History query;
  query.conversation = conversation_;
  query.from = Seq(from_);
  query.direction = options_.forward ? wire::Direction::Forward : wire::Direction::Backward;
  query.limit = static_cast<std::uint32_t>(wanted());
  client().history(query, [this](Result<client::HistoryAnswer> page) { on_page(std::move(page)); });
}

void History::on_page(Result<client::HistoryAnswer> page) {
  if (!page) return give_up(page.error());
  // Backwards the first page is the one with the newest: it comes again, whole.
  if (page->again_in && !options_.forward && from_ == 0) {
    return again_.start_once(*page->again_in);
  }
  const bool any = !page->messages.empty();
  if (any) from_ = page->messages.back().seq.value();
  std::move(page->messages.begin(), page->messages.end(), std::back_inserter(messages_));
  const bool full = options_.limit > 0 && messages_.size() >= options_.limit;
  if (page->more && any && !full) return ask();
  if (page->again_in && options_.forward && !full) return again_.start_once(*page->again_in);
  print();
}

void History::print() {
  if (!options_.forward) std::reverse(messages_.begin(), messages_.end());
  for (const client::Message& message : messages_) {
    output().message(message, client::Origin::kFetched);
  }
  done(Exit::kOk);
}

}  // namespace martlet::tools
