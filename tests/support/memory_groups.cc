#include <algorithm>
#include <limits>

#include "model/limits.h"
#include "support/memory_reads.h"

namespace martlet::test {
namespace {

Seq seq_of(std::int64_t value) {
  return Seq(static_cast<std::uint64_t>(value));
}

std::size_t limit_of(std::size_t asked, std::size_t usual, std::size_t most) {
  return asked == 0 ? usual : std::min(asked, most);
}

// The user is in that group.
wire::GroupMembership membership_of(const ConversationTable& table, const std::string& user) {
  return {table.name.group(), UserId::trusted(user), seq_of(table.current_stay(user)->from_seq),
          seq_of(table.group->members_at)};
}

const ConversationTable* find_group(const Tables& tables, const GroupId& group) {
  const ConversationTable* table = tables.find(ConversationId::of_group(group).str());
  return table != nullptr && table->group ? table : nullptr;
}

}  // namespace

std::vector<const ConversationTable*> groups_of(const Tables& tables, const std::string& user,
                                                std::size_t most) {
  std::vector<const ConversationTable*> groups;
  for (const auto& [id, cursor] : tables.cursors_of(user)) {
    if (groups.size() == most) break;
    const ConversationTable* table = tables.rows.at(id);
    if (table->group && table->current_stay(user) != nullptr) groups.push_back(table);
  }
  return groups;
}

wire::GroupsAnswer memberships_of_tables(const Tables& tables,
                                         const wire::GroupsQuestion& question) {
  wire::GroupsAnswer answer;
  if (question.group.empty()) {
    const std::string& user = question.user.str();
    for (const ConversationTable* table : groups_of(tables, user, kMaxMembershipsPerAnswer + 1))
      answer.memberships.push_back(membership_of(*table, user));
  } else if (const ConversationTable* table = find_group(tables, question.group)) {
    answer.members_at = seq_of(table->group->members_at);
    std::set<std::string> users;
    for (const UserId& user : question.users) users.insert(user.str());
    for (const std::string& user : users)
      if (table->current_stay(user) != nullptr)
        answer.memberships.push_back(membership_of(*table, user));
  }
  answer.behind = answer.memberships.size() > kMaxMembershipsPerAnswer;
  if (answer.behind) answer.memberships.pop_back();
  return answer;
}

std::optional<wire::GroupInfoPage> group_info_of_tables(const Tables& tables,
                                                        const store::GroupInfoRequest& request) {
  const ConversationTable* table = find_group(tables, request.group);
  if (table == nullptr || table->current_stay(request.user.str()) == nullptr) return std::nullopt;
  wire::GroupInfoPage page;
  page.group = request.group;
  page.title = table->group->title;
  page.join = table->group->join;
  page.earlier_history = table->group->earlier_history;
  page.members_count = static_cast<std::uint32_t>(table->group->members_count);
  page.members_at = seq_of(table->group->members_at);
  const std::size_t limit = limit_of(request.limit, kGroupPageMembers, kMaxGroupPageMembers);
  for (auto one = table->stays.upper_bound(request.after); one != table->stays.end(); ++one) {
    const StayRow* stay = table->current_stay(one->first);
    if (stay == nullptr) continue;
    page.more = page.members.size() == limit;
    if (page.more) break;
    page.members.push_back({UserId::trusted(one->first), stay->role, seq_of(stay->joined_seq)});
  }
  return page;
}

wire::GroupListPage group_list_of_tables(const Tables& tables,
                                         const store::GroupListRequest& request) {
  const std::size_t limit = limit_of(request.limit, kGroupPageGroups, kGroupPageGroups);
  const std::string after = "g:" + request.after;
  std::map<std::string, const ConversationTable*> groups;
  for (const ConversationTable* table :
       groups_of(tables, request.user.str(), std::numeric_limits<std::size_t>::max()))
    groups.emplace(table->name.str(), table);
  wire::GroupListPage page;
  for (auto one = groups.upper_bound(after); one != groups.end(); ++one) {
    page.more = page.groups.size() == limit;
    if (page.more) break;
    const ConversationTable& table = *one->second;
    page.groups.push_back({table.name.group(), table.group->title,
                           table.current_stay(request.user.str())->role,
                           static_cast<std::uint32_t>(table.group->members_count)});
  }
  return page;
}

}  // namespace martlet::test
