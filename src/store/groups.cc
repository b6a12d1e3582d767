#include "store/groups.h"

#include <algorithm>

#include "store/limits.h"

namespace martlet::store {
namespace {

Seq seq_of(const pg::Rows& rows, std::size_t row, int column) {
  return Seq(static_cast<std::uint64_t>(rows.number(row, column)));
}

std::string name_of(const GroupId& group) {
  return ConversationId::of_group(group).str();
}

GroupId group_of(std::string_view name) {
  return ConversationId::trusted(name).group();
}

pg::Rows query_of_user(pg::Transaction& tx, const UserId& user) {
  return tx.query(
      "SELECT c.name, m.user_id, m.from_seq, g.members_at FROM memberships m JOIN conversations c "
      "ON c.id = m.conversation_id JOIN groups g ON g.conversation_id = c.id WHERE m.user_id = $1 "
      "AND m.to_seq IS NULL ORDER BY c.id LIMIT $2::bigint",
      pg::Params()
          .text(user.str())
          .number(static_cast<std::int64_t>(kMaxMembershipsPerAnswer + 1)));
}

pg::Rows query_of_group(pg::Transaction& tx, const wire::GroupsQuestion& question) {
  std::vector<std::string> users;
  for (const UserId& user : question.users) users.push_back(user.str());
  return tx.query(
      "SELECT c.name, m.user_id, m.from_seq, g.members_at FROM conversations c JOIN groups g ON "
      "g.conversation_id = c.id JOIN memberships m ON m.conversation_id = c.id WHERE c.name = $1 "
      "AND m.user_id = ANY($2::text[]) AND m.to_seq IS NULL",
      pg::Params().text(name_of(question.group)).texts(users));
}

std::size_t limit_of(std::size_t asked, std::size_t usual, std::size_t most) {
  return asked == 0 ? usual : std::min(asked, most);
}

// None: no such group, or the user is no member.
std::optional<std::int64_t> find_group(pg::Transaction& tx, const GroupInfoRequest& request,
                                       wire::GroupInfoPage& page) {
  const pg::Rows rows = tx.query(
      "SELECT g.conversation_id, g.title, g.join_policy, g.earlier_history, g.members_count, "
      "g.members_at FROM conversations c JOIN groups g ON g.conversation_id = c.id JOIN "
      "memberships "
      "m ON m.conversation_id = c.id AND m.user_id = $2 AND m.to_seq IS NULL WHERE c.name = $1",
      pg::Params().text(name_of(request.group)).text(request.user.str()));
  if (rows.empty()) return std::nullopt;
  page.group = request.group;
  page.title = rows.text(0, 1);
  page.join = static_cast<JoinPolicy>(rows.number(0, 2));
  page.earlier_history = static_cast<EarlierHistory>(rows.number(0, 3));
  page.members_count = static_cast<std::uint32_t>(rows.number(0, 4));
  page.members_at = seq_of(rows, 0, 5);
  return rows.number(0, 0);
}

void add_members(pg::Transaction& tx, std::int64_t group, const GroupInfoRequest& request,
                 wire::GroupInfoPage& page) {
  const std::size_t limit = limit_of(request.limit, kGroupPageMembers, kMaxGroupPageMembers);
  // One more than wanted tells whether there are more.
  const pg::Rows rows = tx.query(
      "SELECT user_id, role, joined_seq FROM memberships WHERE conversation_id = $1 AND to_seq IS "
      "NULL AND user_id > $2 ORDER BY user_id LIMIT $3::bigint",
      pg::Params().number(group).text(request.after).number(static_cast<std::int64_t>(limit + 1)));
  for (std::size_t i = 0; i < rows.size() && i < limit; ++i) {
    page.members.push_back({UserId::trusted(rows.text(i, 0)),
                            static_cast<GroupRole>(rows.number(i, 1)), seq_of(rows, i, 2)});
  }
  page.more = rows.size() > limit;
}

}  // namespace

pg::Result<wire::GroupsAnswer> find_memberships(pg::Connection& connection,
                                                const wire::GroupsQuestion& question) {
  pg::Transaction tx(connection, pg::Mode::kSnapshot);
  wire::GroupsAnswer answer;
  const bool of_user = question.group.empty();
  const pg::Rows rows = of_user ? query_of_user(tx, question.user) : query_of_group(tx, question);
  for (std::size_t i = 0; i < rows.size() && i < kMaxMembershipsPerAnswer; ++i) {
    answer.memberships.push_back({group_of(rows.text(i, 0)), UserId::trusted(rows.text(i, 1)),
                                  seq_of(rows, i, 2), seq_of(rows, i, 3)});
  }
  // Whoever asked must not take for complete what had no room.
  answer.behind = rows.size() > kMaxMembershipsPerAnswer;
  if (!of_user) {
    const pg::Rows group = tx.query(
        "SELECT g.members_at FROM conversations c JOIN groups g ON g.conversation_id = c.id WHERE "
        "c.name = $1",
        pg::Params().text(name_of(question.group)));
    if (!group.empty()) answer.members_at = seq_of(group, 0, 0);
  }
  if (auto done = tx.commit(); !done) return tl::unexpected(done.error());
  return answer;
}

pg::Result<std::optional<wire::GroupInfoPage>> group_info(pg::Connection& connection,
                                                          const GroupInfoRequest& request) {
  pg::Transaction tx(connection, pg::Mode::kSnapshot);
  wire::GroupInfoPage page;
  const auto group = find_group(tx, request, page);
  if (group) add_members(tx, *group, request, page);
  if (auto done = tx.commit(); !done) return tl::unexpected(done.error());
  if (!group) return std::nullopt;
  return page;
}

pg::Result<wire::GroupListPage> group_list(pg::Connection& connection,
                                           const GroupListRequest& request) {
  const std::size_t limit = limit_of(request.limit, kGroupPageGroups, kGroupPageGroups);
  pg::Transaction tx(connection, pg::Mode::kSnapshot);
  const pg::Rows rows = tx.query(
      "SELECT c.name, g.title, m.role, g.members_count FROM memberships m JOIN conversations c ON "
      "c.id = m.conversation_id JOIN groups g ON g.conversation_id = c.id WHERE m.user_id = $1 AND "
      "m.to_seq IS NULL AND c.name > $2 ORDER BY c.name LIMIT $3::bigint",
      pg::Params()
          .text(request.user.str())
          .text("g:" + request.after)
          .number(static_cast<std::int64_t>(limit + 1)));
  if (auto done = tx.commit(); !done) return tl::unexpected(done.error());
  wire::GroupListPage page;
  for (std::size_t i = 0; i < rows.size() && i < limit; ++i) {
    page.groups.push_back({group_of(rows.text(i, 0)), std::string(rows.text(i, 1)),
                           static_cast<GroupRole>(rows.number(i, 2)),
                           static_cast<std::uint32_t>(rows.number(i, 3))});
  }
  page.more = rows.size() > limit;
  return page;
}

}  // namespace martlet::store
