#include "support/memory_writer.h"

#include <algorithm>
#include <tuple>

#include "store/signed.h"

namespace martlet::test {
namespace {

using store::ApplyPlan;
using store::as_signed;
using store::GroupPlan;

MessageRow row_of(const ApplyPlan::MessageRow& message) {
  const wire::Entry& entry = *message.entry;
  MessageRow row;
  row.seq = as_signed(entry.seq.value());
  row.message_id = entry.message_id;
  row.time_ms = entry.time_ms;
  row.position = message.place.position;
  row.content_hash = entry.content_hash;
  row.client_msg_id = entry.client_msg_id;
  row.generation = message.place.batch->generation;
  row.sender = entry.sender;
  return row;
}

// No client's: those are UUIDv7.
ClientMsgId made_id(std::uint64_t number) {
  ClientMsgId id;
  id.bytes.fill(0xff);
  for (std::size_t i = 0; i < 8; ++i)
    id.bytes[15 - i] = static_cast<std::uint8_t>(number >> (8 * i));
  return id;
}

StayRow row_of(const GroupPlan::Stay& stay) {
  StayRow row;
  row.from_seq = as_signed(stay.from_seq);
  row.joined_seq = as_signed(stay.joined_seq);
  row.joined_position = as_signed(stay.joined_position);
  row.to_seq = as_signed(stay.to_seq);
  row.ended_position = as_signed(stay.ended_position);
  row.role = stay.role;
  return row;
}

std::string without_zeros(std::string text) {
  std::erase(text, '\0');
  return text;
}

}  // namespace

void MemoryWriter::fail(std::string sqlstate, std::string message) {
  if (failed_) return;
  failed_ = true;
  error_ = {pg::Failure::kContent, std::move(sqlstate), std::move(message)};
}

void MemoryWriter::violate(const char* index) {
  fail("23505", "duplicate key value violates unique constraint \"" + std::string(index) + "\"");
}

pg::Error MemoryWriter::roll_back(std::size_t mark) {
  journal_.roll_back(mark);
  failed_ = false;
  return error_;
}

ConversationTable& MemoryWriter::table_of(const wire::Entry& entry) {
  return *tables_.find(entry.conversation.str());
}

void MemoryWriter::write_conversations(const ApplyPlan& plan) {
  for (const auto& [name, change] : plan.conversations()) {
    if (failed_) return;
    const ConversationHeadRow now{as_signed(change.last_seq), as_signed(change.last_position),
                                  as_signed(change.sent_first), as_signed(change.sent_second)};
    ConversationTable* table = tables_.find(name);
    if (table == nullptr) {
      tables_.add_conversation(name, shard_, journal_).head = now;
      continue;
    }
    ConversationHeadRow& head = journal_.changing(table->head);
    head.last_seq = std::max(head.last_seq, now.last_seq);
    head.last_position = std::max(head.last_position, now.last_position);
    head.sent_first = std::max(head.sent_first, now.sent_first);
    head.sent_second = std::max(head.sent_second, now.sent_second);
  }
}

GroupPlan MemoryWriter::plan_groups(const ApplyPlan& plan) {
  GroupPlan groups;
  std::set<std::pair<std::int64_t, std::string>> known;
  const auto know_member = [&](const ConversationTable& table, const std::string& user) {
    if (!known.emplace(table.id, user).second) return;
    const StayRow* stay = table.current_stay(user);
    if (stay == nullptr) return;
    groups.know_member(table.id, user, static_cast<std::uint64_t>(stay->joined_seq), stay->role);
  };
  for (const ApplyPlan::GroupEntry& one : plan.groups()) {
    const ConversationTable& table = table_of(*one.entry);
    if (table.group) groups.know_group(table.id, table.group->earlier_history);
    know_member(table, one.entry->sender.str());
    for (const UserId& user : one.change.users) know_member(table, user.str());
  }
  for (const ApplyPlan::GroupEntry& one : plan.groups()) groups.apply(table_of(*one.entry).id, one);
  return groups;
}

void MemoryWriter::write_group_changes(const ApplyPlan& plan) {
  if (failed_) return;
  const GroupPlan groups = plan_groups(plan);
  write_members(plan, groups);
  write_group_rows(groups);
  write_changed(groups);
  write_begun(groups);
  write_disbanded(groups);
}

void MemoryWriter::add_cursor(const std::string& user, std::int64_t conversation) {
  journal_.insert(tables_.cursors[user], conversation, CursorRow());
}

void MemoryWriter::write_members(const ApplyPlan& plan, const GroupPlan& groups) {
  for (const auto& [name, change] : plan.conversations()) {
    const ConversationTable& table = *tables_.find(name);
    if (!change.begins || table.name.is_group()) continue;
    add_cursor(table.first_user, table.id);
    add_cursor(table.second_user, table.id);
  }
  for (const GroupPlan::Stay& stay : groups.begun()) add_cursor(stay.user, stay.group);
}

void MemoryWriter::write_group_rows(const GroupPlan& groups) {
  for (const auto& [id, group] : groups.groups()) {
    if (group.members_at == 0) continue;
    std::optional<GroupRow>& row = journal_.changing(tables_.rows.at(id)->group);
    if (group.created)
      row = GroupRow{without_zeros(group.title), group.join, group.earlier_history, 0, 0, false};
    row->members_at = std::max(row->members_at, as_signed(group.members_at));
    row->members_count += group.more_members;
  }
}

void MemoryWriter::write_changed(const GroupPlan& groups) {
  for (const GroupPlan::Stay& stay : groups.changed()) {
    Stays& stays = tables_.rows.at(stay.group)->stays[stay.user];
    StayRow& row = journal_.changing(stays.at(as_signed(stay.joined_seq)));
    row.to_seq = as_signed(stay.to_seq);
    row.ended_position = as_signed(stay.ended_position);
    row.role = stay.role;
  }
}

// Counted from what is stored before any of them.
void MemoryWriter::write_begun(const GroupPlan& groups) {
  std::vector<GroupPlan::Stay> begun = groups.begun();
  std::sort(begun.begin(), begun.end(), [](const GroupPlan::Stay& a, const GroupPlan::Stay& b) {
    return std::tuple(a.group, a.user, as_signed(a.joined_seq)) <
           std::tuple(b.group, b.user, as_signed(b.joined_seq));
  });
  std::map<std::pair<std::int64_t, std::string>, std::int64_t> counts;
  for (const GroupPlan::Stay& stay : begun) {
    const StayRow* newest = tables_.rows.at(stay.group)->newest_stay(stay.user);
    counts.try_emplace({stay.group, stay.user}, newest == nullptr ? 0 : newest->stay);
  }
  for (const GroupPlan::Stay& stay : begun) {
    StayRow row = row_of(stay);
    row.stay = ++counts.at({stay.group, stay.user});
    add_stay(*tables_.rows.at(stay.group), stay.user, row);
    if (failed_) return;
  }
}

void MemoryWriter::add_stay(ConversationTable& table, const std::string& user, const StayRow& row) {
  if (row.to_seq == 0 && table.current_stay(user) != nullptr) return violate("memberships_current");
  if (!journal_.insert(table.stays[user], row.joined_seq, row)) violate("memberships_pkey");
}

void MemoryWriter::write_disbanded(const GroupPlan& groups) {
  if (failed_) return;
  for (const auto& [id, group] : groups.groups()) {
    if (!group.disbanded) continue;
    ConversationTable& table = *tables_.rows.at(id);
    for (auto& [user, stays] : table.stays) {
      StayRow* stay = table.current_stay(user);
      if (stay == nullptr) continue;
      journal_.changing(*stay).to_seq = as_signed(group.members_at);
      stay->ended_position = as_signed(group.position);
    }
    std::optional<GroupRow>& row = journal_.changing(table.group);
    row->disbanded = true;
    row->members_count = 0;
  }
}

void MemoryWriter::check_content(const ApplyPlan::MessageRow& message) {
  const wire::Entry& entry = *message.entry;
  if (options_.max_content_bytes != 0 && entry.content.size() > options_.max_content_bytes)
    fail("23514", "new row for relation \"messages\" violates check constraint");
}

void MemoryWriter::add_message(const ApplyPlan::MessageRow& message, MessageRow row) {
  if (failed_) return;
  ConversationTable& table = table_of(*message.entry);
  const std::int64_t seq = row.seq;
  const OnceKey key{row.client_msg_id, row.sender.str()};
  if (table.messages.contains(seq)) return violate("messages_pkey");
  if (!journal_.insert(table.once, key, seq)) return violate("messages_once");
  journal_.insert(table.messages, seq, std::move(row));
}

// COPY reads and checks the rows before it writes them.
void MemoryWriter::write_messages(const std::vector<ApplyPlan::MessageRow>& messages) {
  for (const ApplyPlan::MessageRow& one : messages) check_content(one);
  for (const ApplyPlan::MessageRow& one : messages) {
    if (failed_) return;
    MessageRow row = row_of(one);
    row.content = one.entry->content;
    add_message(one, std::move(row));
  }
}

void MemoryWriter::write_tombstones(const std::vector<ApplyPlan::MessageRow>& messages,
                                    store::TombstoneIds which) {
  for (const ApplyPlan::MessageRow& one : messages) {
    if (failed_) return;
    MessageRow row = row_of(one);
    if (which == store::TombstoneIds::kNew) row.client_msg_id = made_id(++made_ids_);
    add_message(one, std::move(row));
  }
}

void MemoryWriter::write_reads(const ApplyPlan& plan) {
  if (failed_) return;
  for (const auto& [key, change] : plan.reads()) {
    const ConversationTable* table = tables_.find(key.second);
    if (table == nullptr) continue;
    const CursorRow now{as_signed(change.seq), as_signed(change.position), shard_.value()};
    Cursors& cursors = tables_.cursors[key.first];
    if (journal_.insert(cursors, table->id, now)) continue;
    CursorRow& row = cursors.at(table->id);
    if (row.read_seq < now.read_seq) journal_.changing(row) = now;
  }
}

void MemoryWriter::keep_dead(DeadEntry entry) {
  if (failed_) return;
  const DeadKey key{entry.shard, entry.position, entry.entry_index};
  journal_.insert(tables_.dead, key, std::move(entry));
}

}  // namespace martlet::test
