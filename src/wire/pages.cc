#include "wire/answers.h"
#include "wire/fields.h"
#include "wire/limits.h"
#include "wire/message_fields.h"
#include "wire/ranges.h"

// The long answers: SyncPage, FetchPage, HistoryPage.
namespace martlet::wire {
namespace {

constexpr std::uint64_t kAnyLength = kMaxSeq + 1;

flatbuffers::Offset<flatbuffers::Vector<flatbuffers::Offset<proto::Withheld>>> put_withheld(
    Builder& builder, const std::vector<Withheld>& withheld) {
  std::vector<flatbuffers::Offset<proto::Withheld>> offsets;
  offsets.reserve(withheld.size());
  for (const Withheld& range : withheld) {
    const auto conversation = builder.CreateSharedString(range.conversation.str());
    offsets.push_back(
        proto::CreateWithheld(builder, conversation, range.from.value(), range.to.value()));
  }
  return builder.CreateVector(offsets);
}

flatbuffers::Offset<proto::ConversationState> put_state(Builder& builder,
                                                        const ConversationState& state) {
  flatbuffers::Offset<MessageVector> newest;
  if (!state.newest.empty()) newest = put_messages(builder, state.newest);
  const auto conversation = builder.CreateSharedString(state.conversation.str());
  return proto::CreateConversationState(
      builder, conversation, state.last_seq.value(), state.read_seq.value(),
      state.peer_read_seq.value(), state.unread, state.first_seq.value(), state.generation.value(),
      state.membership, newest, state.members_at.value(), state.start_seq.value());
}

ConversationState read_state(const proto::ConversationState& table, FieldReader& read) {
  ConversationState state;
  state.conversation = read.conversation(table.conversation(), "conversation");
  state.last_seq = read.seq(table.last_seq(), "last_seq");
  state.read_seq = read.seq(table.read_seq(), "read_seq");
  state.peer_read_seq = read.seq(table.peer_read_seq(), "peer_read_seq");
  state.unread = table.unread();
  state.first_seq = read.seq(table.first_seq(), "first_seq");
  state.generation = Generation(table.generation());
  state.membership = read.enumerator(table.membership(), Membership::MAX, "membership");
  state.newest = read_messages(table.newest(), read);
  state.members_at = read.seq(table.members_at(), "members_at");
  state.start_seq = read.seq(table.start_seq(), "start_seq");
  return state;
}

}  // namespace

Bytes encode(const SyncPage& body) {
  Builder builder(4096);
  std::vector<flatbuffers::Offset<proto::ConversationState>> offsets;
  offsets.reserve(body.conversations.size());
  for (const auto& state : body.conversations) offsets.push_back(put_state(builder, state));
  const auto conversations = builder.CreateVector(offsets);
  const auto next_page = put_some_bytes(builder, body.next_page);
  const auto token = put_some_bytes(builder, body.token);
  return finish(builder, proto::CreateSyncPage(builder, conversations, next_page, token,
                                               body.behind, body.again_in_ms));
}

Bytes encode(const FetchPage& body) {
  Builder builder(4096);
  const auto messages = put_messages(builder, body.messages);
  const auto withheld = put_withheld(builder, body.withheld);
  const auto remaining = put_ranges(builder, body.remaining);
  return finish(builder, proto::CreateFetchPage(builder, messages, withheld, remaining));
}

Bytes encode(const HistoryPage& body) {
  Builder builder(4096);
  const auto messages = put_messages(builder, body.messages);
  const auto withheld = put_withheld(builder, body.withheld);
  return finish(builder, proto::CreateHistoryPage(builder, messages, withheld, body.more,
                                                  body.behind, body.again_in_ms));
}

Result<SyncPage> parse_sync_page(BytesView body) {
  const auto table = read_body<proto::SyncPage>(body);
  if (!table) return tl::unexpected<Error>(table.error());
  const proto::SyncPage& page = **table;
  FieldReader read;
  SyncPage out;
  if (page.conversations() != nullptr) {
    out.conversations.reserve(page.conversations()->size());
    for (const auto* state : *page.conversations()) {
      out.conversations.push_back(read_state(*state, read));
      if (!read.ok()) break;
    }
  }
  out.next_page = view(page.next_page());
  out.token = view(page.token());
  out.behind = page.behind();
  out.again_in_ms = page.again_in_ms();
  return read.result(std::move(out));
}

Result<FetchPage> parse_fetch_page(BytesView body) {
  const auto table = read_body<proto::FetchPage>(body);
  if (!table) return tl::unexpected<Error>(table.error());
  const proto::FetchPage& page = **table;
  FieldReader read;
  FetchPage out;
  out.messages = read_messages(page.messages(), read);
  out.withheld = read_ranges(page.withheld(), "withheld", kAnyLength, read);
  out.remaining = read_ranges(page.remaining(), "remaining", kAnyLength, read);
  return read.result(std::move(out));
}

Result<HistoryPage> parse_history_page(BytesView body) {
  const auto table = read_body<proto::HistoryPage>(body);
  if (!table) return tl::unexpected<Error>(table.error());
  const proto::HistoryPage& page = **table;
  FieldReader read;
  HistoryPage out;
  out.messages = read_messages(page.messages(), read);
  out.withheld = read_ranges(page.withheld(), "withheld", kAnyLength, read);
  out.more = page.more();
  out.behind = page.behind();
  out.again_in_ms = page.again_in_ms();
  return read.result(std::move(out));
}

std::size_t size_in_page(const ConversationState& state) {
  constexpr std::size_t kStateOverheadBytes = 128;
  return state.conversation.str().size() + kStateOverheadBytes;
}

}  // namespace martlet::wire
