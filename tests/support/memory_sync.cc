#include <algorithm>
#include <optional>

#include "store/limits.h"
#include "store/signed.h"
#include "store/sync.h"
#include "support/memory_reads.h"

namespace martlet::test {
namespace {

using store::SyncConversation;

std::uint64_t number(std::int64_t value) {
  return static_cast<std::uint64_t>(value);
}

// What one user's sync is asked with.
class Sync {
 public:
  Sync(const Tables& tables, const store::SyncRequest& request)
      : tables_(tables), request_(request), user_(request.user.str()) {}
  store::SyncRows run();

 private:
  bool is_told(const CursorRow& cursor) const;
  std::optional<SyncConversation> changed(std::int64_t id, const CursorRow& cursor) const;
  std::optional<SyncConversation> changed_pair(const ConversationTable& table,
                                               const CursorRow& cursor) const;
  std::optional<SyncConversation> changed_group(const ConversationTable& table,
                                                const CursorRow& cursor) const;
  SyncConversation common(const ConversationTable& table) const;
  std::int64_t last_own_seq(const ConversationTable& table, std::int64_t above,
                            std::int64_t last) const;
  std::int64_t start_seq(const ConversationTable& table, const StayRow& newest) const;
  void add_newest(SyncConversation& one) const;

  const Tables& tables_;
  const store::SyncRequest& request_;
  const std::string& user_;
  std::vector<std::int64_t> told_;  // by shard
  store::SyncVector now_;
};

bool Sync::is_told(const CursorRow& cursor) const {
  return cursor.read_seq <= 0 || cursor.read_position <= told_.at(cursor.read_shard);
}

SyncConversation Sync::common(const ConversationTable& table) const {
  SyncConversation one;
  one.row_id = table.id;
  one.conversation = table.name;
  one.generation = now_.generations.at(table.shard.value());
  return one;
}

std::optional<SyncConversation> Sync::changed_pair(const ConversationTable& table,
                                                   const CursorRow& cursor) const {
  const ConversationHeadRow& head = table.head;
  if (head.last_seq <= 0) return std::nullopt;
  const bool is_first = table.first_user == user_;
  const Cursors& peers = tables_.cursors_of(is_first ? table.second_user : table.first_user);
  const auto found = peers.find(table.id);
  const CursorRow peer = found == peers.end() ? CursorRow() : found->second;
  if (head.last_position <= told_.at(table.shard.value()) && is_told(cursor) && is_told(peer))
    return std::nullopt;
  SyncConversation one = common(table);
  const std::int64_t sent = is_first ? head.sent_first : head.sent_second;
  one.last_seq = Seq(number(head.last_seq));
  one.read_seq = Seq(number(std::min(cursor.read_seq, head.last_seq)));
  one.peer_read_seq = Seq(number(std::min(peer.read_seq, head.last_seq)));
  one.unread = number(std::max<std::int64_t>(head.last_seq - std::max(cursor.read_seq, sent), 0));
  one.members_at = Seq(0);
  return one;
}

// 0: none in those.
std::int64_t Sync::last_own_seq(const ConversationTable& table, std::int64_t above,
                                std::int64_t last) const {
  for (auto one = table.messages.upper_bound(last); one != table.messages.begin();) {
    --one;
    if (one->first <= above) return 0;
    if (one->second.sender.str() == user_) return one->first;
  }
  return 0;
}

std::int64_t Sync::start_seq(const ConversationTable& table, const StayRow& newest) const {
  const std::int64_t told = told_.at(table.shard.value());
  if (newest.joined_position <= told) return newest.joined_seq;
  for (const auto& [joined, stay] : table.stays.at(user_))
    if (stay.joined_position > told) return joined;
  return 0;
}

std::optional<SyncConversation> Sync::changed_group(const ConversationTable& table,
                                                    const CursorRow& cursor) const {
  const StayRow* stay = table.newest_stay(user_);
  if (!table.group || stay == nullptr) return std::nullopt;
  const bool is_former = stay->to_seq != 0;
  const std::int64_t end = is_former ? stay->ended_position : table.head.last_position;
  if (end <= told_.at(table.shard.value()) && is_told(cursor)) return std::nullopt;
  const std::int64_t last = is_former ? stay->to_seq : table.head.last_seq;
  const std::int64_t seen = std::max(cursor.read_seq, stay->joined_seq - 1);
  const auto look_back = static_cast<std::int64_t>(store::kOwnLookBack);
  const std::int64_t own = last_own_seq(table, std::max(last - look_back, seen), last);
  SyncConversation one = common(table);
  one.last_seq = Seq(number(last));
  one.read_seq = Seq(number(std::min(cursor.read_seq, last)));
  one.unread = number(std::max<std::int64_t>(last - std::max(seen, own), 0));
  one.first_seq = Seq(number(stay->from_seq));
  one.members_at = Seq(number(std::min(table.group->members_at, last)));
  one.is_former = is_former;
  one.start_seq = Seq(number(start_seq(table, *stay)));
  return one;
}

std::optional<SyncConversation> Sync::changed(std::int64_t id, const CursorRow& cursor) const {
  const ConversationTable& table = *tables_.rows.at(id);
  return table.name.is_group() ? changed_group(table, cursor) : changed_pair(table, cursor);
}

// The newest messages, as many as the conversation's share of the page allows.
void Sync::add_newest(SyncConversation& one) const {
  const ConversationTable& table = *tables_.rows.at(one.row_id);
  const std::int64_t from = store::as_signed(one.first_seq.value());
  std::size_t bytes = 0;
  for (auto row = table.messages.upper_bound(store::as_signed(one.last_seq.value()));
       row != table.messages.begin() && one.newest.size() < kFirstSyncMessages;) {
    --row;
    if (row->first < from) break;
    bytes += (row->second.content ? row->second.content->size() : 0) + store::kMaxRowOverheadBytes;
    if (bytes > store::kFirstSyncConversationBytes && !one.newest.empty()) break;
    one.newest.push_back(stored_row(table, row->second));
  }
  std::reverse(one.newest.begin(), one.newest.end());
}

store::SyncRows Sync::run() {
  const std::size_t usual =
      request_.since ? store::kSyncPageConversations : store::kFirstSyncPageConversations;
  const std::size_t asked = request_.max_conversations;
  const std::size_t limit = asked == 0 ? usual : std::min(usual, asked);
  now_ = store::vector_of(tables_.shards);
  told_ = store::told(request_, now_);
  store::SyncRows out;
  out.now = now_;
  const Cursors& cursors = tables_.cursors_of(user_);
  for (auto one = cursors.upper_bound(request_.after); one != cursors.end(); ++one) {
    auto row = changed(one->first, one->second);
    if (!row) continue;
    out.more = out.conversations.size() == limit;
    if (out.more) break;
    if (!request_.since) add_newest(*row);
    out.conversations.push_back(std::move(*row));
  }
  return out;
}

}  // namespace

store::SyncRows sync_of_tables(const Tables& tables, const store::SyncRequest& request) {
  return Sync(tables, request).run();
}

}  // namespace martlet::test
