#include "store/group_changes.h"

#include <algorithm>
#include <set>

#include "store/signed.h"

namespace martlet::store {
namespace {

void load_groups(pg::Transaction& tx, const std::set<std::int64_t>& ids, GroupPlan& groups) {
  const pg::Rows rows = tx.query(
      "SELECT conversation_id, earlier_history FROM groups WHERE conversation_id = "
      "ANY($1::bigint[])",
      pg::Params().numbers({ids.begin(), ids.end()}));
  for (std::size_t i = 0; i < rows.size(); ++i)
    groups.know_group(rows.number(i, 0), static_cast<EarlierHistory>(rows.number(i, 1)));
}

// The members among those who are named by the changes, or made them.
void load_members(pg::Transaction& tx, const ApplyPlan& plan, const RowIds& ids,
                  GroupPlan& groups) {
  std::set<std::pair<std::int64_t, std::string>> named;
  for (const ApplyPlan::GroupEntry& one : plan.groups()) {
    const std::int64_t group = ids.at(one.entry->conversation.str());
    named.emplace(group, one.entry->sender.str());
    for (const UserId& user : one.change.users) named.emplace(group, user.str());
  }
  std::vector<std::int64_t> conversations;
  std::vector<std::string> users;
  for (const auto& [group, user] : named) {
    conversations.push_back(group);
    users.push_back(user);
  }
  const pg::Rows rows = tx.query(
      "SELECT m.conversation_id, m.user_id, m.joined_seq, m.role FROM unnest($1::bigint[], "
      "$2::text[]) AS t(id, user_id) JOIN memberships m ON m.conversation_id = t.id AND m.user_id "
      "= t.user_id COLLATE \"C\" WHERE m.to_seq IS NULL",
      pg::Params().numbers(conversations).texts(users));
  for (std::size_t i = 0; i < rows.size(); ++i) {
    groups.know_member(rows.number(i, 0), std::string(rows.text(i, 1)),
                       static_cast<std::uint64_t>(rows.number(i, 2)),
                       static_cast<GroupRole>(rows.number(i, 3)));
  }
}

// PostgreSQL has no U+0000 in texts.
std::string without_zeros(std::string text) {
  std::erase(text, '\0');
  return text;
}

void write_created(pg::Transaction& tx, const GroupPlan& groups) {
  std::vector<std::int64_t> ids, joins, histories;
  std::vector<std::string> titles;
  for (const auto& [id, group] : groups.groups()) {
    if (!group.created) continue;
    ids.push_back(id);
    titles.push_back(without_zeros(group.title));
    joins.push_back(static_cast<std::int64_t>(group.join));
    histories.push_back(static_cast<std::int64_t>(group.earlier_history));
  }
  if (ids.empty()) return;
  tx.query(
      "INSERT INTO groups (conversation_id, title, join_policy, earlier_history, members_at, "
      "members_count) SELECT t.id, t.title, t.join_policy, t.history, 0, 0 FROM "
      "unnest($1::bigint[], $2::text[], $3::smallint[], $4::smallint[]) AS t(id, title, "
      "join_policy, history)",
      pg::Params().numbers(ids).texts(titles).numbers(joins).numbers(histories));
}

void write_counts(pg::Transaction& tx, const GroupPlan& groups) {
  std::vector<std::int64_t> ids, seqs, more;
  for (const auto& [id, group] : groups.groups()) {
    if (group.members_at == 0) continue;
    ids.push_back(id);
    seqs.push_back(as_signed(group.members_at));
    more.push_back(group.more_members);
  }
  if (ids.empty()) return;
  tx.query(
      "UPDATE groups g SET members_at = greatest(g.members_at, t.seq), members_count = "
      "g.members_count + t.more FROM unnest($1::bigint[], $2::bigint[], $3::integer[]) AS t(id, "
      "seq, more) WHERE g.conversation_id = t.id",
      pg::Params().numbers(ids).numbers(seqs).numbers(more));
}

// A stay that ends comes before the next one that begins: a user has one at a time.
void write_changed(pg::Transaction& tx, const std::vector<GroupPlan::Stay>& stays) {
  std::vector<std::int64_t> ids, joined, to, ended, roles;
  std::vector<std::string> users;
  for (const GroupPlan::Stay& stay : stays) {
    ids.push_back(stay.group);
    users.push_back(stay.user);
    joined.push_back(as_signed(stay.joined_seq));
    to.push_back(as_signed(stay.to_seq));
    ended.push_back(as_signed(stay.ended_position));
    roles.push_back(static_cast<std::int64_t>(stay.role));
  }
  if (ids.empty()) return;
  tx.query(
      "UPDATE memberships m SET to_seq = NULLIF(t.to_seq, 0), ended_position = NULLIF(t.ended, 0), "
      "role = t.role FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::bigint[], "
      "$5::bigint[], $6::smallint[]) AS t(id, user_id, joined, to_seq, ended, role) WHERE "
      "m.conversation_id = t.id AND m.user_id = t.user_id COLLATE \"C\" AND m.joined_seq = "
      "t.joined",
      pg::Params().numbers(ids).texts(users).numbers(joined).numbers(to).numbers(ended).numbers(
          roles));
}

void write_begun(pg::Transaction& tx, const std::vector<GroupPlan::Stay>& stays) {
  std::vector<std::int64_t> ids, from, joined, positions, to, ended, roles;
  std::vector<std::string> users;
  for (const GroupPlan::Stay& stay : stays) {
    ids.push_back(stay.group);
    users.push_back(stay.user);
    from.push_back(as_signed(stay.from_seq));
    joined.push_back(as_signed(stay.joined_seq));
    positions.push_back(as_signed(stay.joined_position));
    to.push_back(as_signed(stay.to_seq));
    ended.push_back(as_signed(stay.ended_position));
    roles.push_back(static_cast<std::int64_t>(stay.role));
  }
  if (ids.empty()) return;
  tx.query(
      "INSERT INTO memberships (conversation_id, user_id, from_seq, joined_seq, joined_position, "
      "to_seq, ended_position, role, stay) SELECT t.id, t.user_id, t.from_seq, t.joined, "
      "t.position, NULLIF(t.to_seq, 0), NULLIF(t.ended, 0), t.role, coalesce((SELECT m.stay FROM "
      "memberships m WHERE m.conversation_id = t.id AND m.user_id = t.user_id COLLATE \"C\" ORDER "
      "BY m.joined_seq DESC LIMIT 1), 0) + row_number() OVER (PARTITION BY t.id, t.user_id ORDER "
      "BY t.joined) FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::bigint[], "
      "$5::bigint[], $6::bigint[], $7::bigint[], $8::smallint[]) AS t(id, user_id, from_seq, "
      "joined, position, to_seq, ended, role)",
      pg::Params()
          .numbers(ids)
          .texts(users)
          .numbers(from)
          .numbers(joined)
          .numbers(positions)
          .numbers(to)
          .numbers(ended)
          .numbers(roles));
}

void write_disbanded(pg::Transaction& tx, const GroupPlan& groups) {
  std::vector<std::int64_t> ids, seqs, positions;
  for (const auto& [id, group] : groups.groups()) {
    if (!group.disbanded) continue;
    ids.push_back(id);
    seqs.push_back(as_signed(group.members_at));
    positions.push_back(as_signed(group.position));
  }
  if (ids.empty()) return;
  tx.query(
      "UPDATE memberships m SET to_seq = t.seq, ended_position = t.position FROM "
      "unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS t(id, seq, position) WHERE "
      "m.conversation_id = t.id AND m.to_seq IS NULL",
      pg::Params().numbers(ids).numbers(seqs).numbers(positions));
  tx.query(
      "UPDATE groups SET disbanded = true, members_count = 0 WHERE conversation_id = "
      "ANY($1::bigint[])",
      pg::Params().numbers(ids));
}

}  // namespace

GroupPlan plan_groups(pg::Transaction& tx, const ApplyPlan& plan, const RowIds& ids) {
  GroupPlan groups;
  if (plan.groups().empty()) return groups;
  std::set<std::int64_t> concerned;
  for (const ApplyPlan::GroupEntry& one : plan.groups())
    concerned.insert(ids.at(one.entry->conversation.str()));
  load_groups(tx, concerned, groups);
  load_members(tx, plan, ids, groups);
  if (!tx.ok()) return {};
  for (const ApplyPlan::GroupEntry& one : plan.groups())
    groups.apply(ids.at(one.entry->conversation.str()), one);
  return groups;
}

void write_groups(pg::Transaction& tx, const GroupPlan& groups) {
  write_created(tx, groups);
  write_counts(tx, groups);
  write_changed(tx, groups.changed());
  write_begun(tx, groups.begun());
  write_disbanded(tx, groups);
}

}  // namespace martlet::store
