#include "support/memory_tables.h"

#include "base/assert.h"

namespace martlet::test {

const StayRow* ConversationTable::current_stay(const std::string& user) const {
  const auto found = stays.find(user);
  if (found == stays.end()) return nullptr;
  for (auto one = found->second.rbegin(); one != found->second.rend(); ++one)
    if (one->second.to_seq == 0) return &one->second;
  return nullptr;
}

StayRow* ConversationTable::current_stay(const std::string& user) {
  return const_cast<StayRow*>(std::as_const(*this).current_stay(user));
}

const StayRow* ConversationTable::newest_stay(const std::string& user) const {
  const auto found = stays.find(user);
  if (found == stays.end() || found->second.empty()) return nullptr;
  return &found->second.rbegin()->second;
}

void Journal::roll_back(std::size_t mark) {
  while (undo_.size() > mark) {
    undo_.back()();
    undo_.pop_back();
  }
}

Tables::Tables(std::uint16_t shard_count) : shards(shard_count) {
  for (store::ShardState& shard : shards) shard.generation = Generation(1);
}

ConversationTable* Tables::find(const std::string& conversation) const {
  const auto found = conversations.find(conversation);
  return found == conversations.end() ? nullptr : found->second.get();
}

const Cursors& Tables::cursors_of(const std::string& user) const {
  static const Cursors kNone;
  const auto found = cursors.find(user);
  return found == cursors.end() ? kNone : found->second;
}

ConversationTable& Tables::add_conversation(const std::string& name, ShardId shard,
                                            Journal& journal) {
  auto table = std::make_unique<ConversationTable>();
  const std::int64_t id = next_row_id++;
  table->id = id;
  table->name = ConversationId::trusted(name);
  table->shard = shard;
  if (!table->name.is_group()) {
    const auto [first, second] = table->name.users();
    table->first_user = first.str();
    table->second_user = second.str();
  }
  ConversationTable& added = *table;
  MARTLET_ASSERT(conversations.emplace(name, std::move(table)).second);
  rows.emplace(id, &added);
  journal.note([this, name, id] {
    rows.erase(id);
    conversations.erase(name);
  });
  return added;
}

}  // namespace martlet::test
