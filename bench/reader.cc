#include "bench/reader.h"

#include <algorithm>
#include <utility>

#include "client/limits.h"

namespace martlet::bench {

Reader::Request Reader::begin() {
  return ask_sync({}, Duration(0));
}

Reader::Request Reader::ask_sync(BytesView page, Duration wait) {
  out_ = {.command = wire::Command::Sync,
          .body = wire::encode(wire::Sync{.token = token_, .page = page}),
          .wait = wait};
  return out_;
}

Result<std::optional<Reader::Request>> Reader::answered(const wire::Frame& frame) {
  const auto command = static_cast<wire::Command>(frame.header.command);
  if (command == wire::Command::SyncPage) {
    const auto page = wire::parse_sync_page(frame.body);
    return page ? take_page(*page) : tl::unexpected<Error>(page.error());
  }
  if (command == wire::Command::FetchPage) {
    const auto page = wire::parse_fetch_page(frame.body);
    return page ? take_page(*page) : tl::unexpected<Error>(page.error());
  }
  const auto refusal = wire::parse_refusal(frame.body);
  if (!refusal) return tl::unexpected<Error>(refusal.error());
  if (!refusal->retryable) return tl::unexpected<Error>(refusal->error);
  out_.wait = std::chrono::milliseconds(refusal->error.retry_after_ms);
  return out_;
}

Result<std::optional<Reader::Request>> Reader::take_page(const wire::SyncPage& page) {
  for (const wire::ConversationState& state : page.conversations) learn(state);
  if (!page.next_page.empty()) return ask_sync(page.next_page, Duration(0));
  token_.assign(page.token.begin(), page.token.end());
  if (page.behind) return ask_sync({}, std::chrono::milliseconds(page.again_in_ms));
  return ask_fetch();
}

// A first SYNC brings the newest messages itself, and a device wants no older ones then.
void Reader::learn(const wire::ConversationState& state) {
  for (const wire::Message& message : state.newest) on_message_(message);
  const auto [read, is_new] = read_.try_emplace(state.conversation, Seq(0));
  const Seq begin = is_new ? std::max(state.start_seq, Seq(1)) : Seq(read->second.value() + 1);
  if (state.newest.empty() && begin <= state.last_seq) {
    lacking_.push_back({.conversation = state.conversation, .from = begin, .to = state.last_seq});
  }
  read->second = std::max(read->second, state.last_seq);
}

Result<std::optional<Reader::Request>> Reader::take_page(const wire::FetchPage& page) {
  if (page.messages.empty() && page.withheld.empty() && !page.remaining.empty()) {
    return fail(ErrorCode::kBadBody, "a FETCH brought nothing");
  }
  for (const wire::Message& message : page.messages) on_message_(message);
  lacking_.insert(lacking_.end(), page.remaining.rbegin(), page.remaining.rend());
  return ask_fetch();
}

// From the end, where it is cheap to take from.
std::optional<Reader::Request> Reader::ask_fetch() {
  if (lacking_.empty()) return std::nullopt;
  wire::Fetch fetch;
  std::size_t bytes = 0;
  while (!lacking_.empty() && fetch.ranges.size() < kMaxRangesPerFetch) {
    bytes += lacking_.back().conversation.str().size() + client::kRangeOverheadBytes;
    if (bytes > client::kMaxFetchBodyBytes) break;
    fetch.ranges.push_back(std::move(lacking_.back()));
    lacking_.pop_back();
  }
  out_ = {.command = wire::Command::Fetch, .body = wire::encode(fetch), .wait = Duration(0)};
  return out_;
}

}  // namespace martlet::bench
