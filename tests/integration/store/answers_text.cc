#include "answers_text.h"

#include <algorithm>

#include "base/hash.h"

namespace martlet::store {
namespace {

std::string piece(bool value) {
  return value ? "yes" : "no";
}
std::string piece(const std::string& value) {
  return value;
}
std::string piece(const char* value) {
  return value;
}
std::string piece(std::uint64_t value) {
  return std::to_string(value);
}
template <class Tag, class Rep>
std::string piece(const Strong<Tag, Rep>& value) {
  return std::to_string(value.value());
}
template <class Tag>
std::string piece(const Name<Tag>& value) {
  return value.str();
}
std::string piece(const ConversationId& value) {
  return value.str();
}
template <class Enum>
requires std::is_enum_v<Enum> std::string piece(Enum value) {
  return std::to_string(static_cast<int>(value));
}

template <class... Values>
std::string line(const Values&... values) {
  std::string out;
  ((out += piece(values) + ' '), ...);
  out.back() = '\n';
  return out;
}

std::string lines(const char* name, const std::vector<wire::Range>& ranges) {
  std::string out;
  for (const wire::Range& range : ranges)
    out += line(name, range.conversation, range.from, range.to);
  return out;
}

// The id of a tombstone is chance.
std::string lines(const char* name, const std::vector<StoredRow>& rows) {
  std::string out;
  for (const StoredRow& row : rows) {
    out += line(name, row.conversation, row.seq, row.message_id, row.sender,
                row.removed ? "removed" : to_string(row.client_msg_id), row.time_ms, row.generation,
                row.content.size(), base::hash64(row.content));
  }
  return out;
}

std::string head(const wire::ConversationHead& head) {
  std::string out = line("head", head.status, head.last_seq, head.group.has_value());
  if (!head.group) return out;
  out += line("group", head.group->members_at, head.group->members.join());
  for (const auto& [user, role] : head.group->members.roles()) out += line("member", user, role);
  return out;
}

}  // namespace

std::string text(const ShardStates& states) {
  std::string out;
  for (const ShardState& one : states) out += line(one.watermark, one.base, one.generation);
  return out;
}

std::string text(const RaisedBase& raised) {
  return text(ShardStates{raised.state}) + line(raised.changed);
}

// Of the detail only the SQLSTATE: the words are PostgreSQL's.
std::string text(const ApplyResult& result) {
  const bool has_state =
      result.outcome == ApplyOutcome::kRefused || result.outcome == ApplyOutcome::kDuplicate;
  return line(result.outcome, result.messages, result.dead, result.repeats,
              has_state ? result.detail.substr(0, 5) : result.detail);
}

std::string text(const SyncRows& rows) {
  std::string out = line("more", rows.more);
  for (std::size_t i = 0; i < rows.now.positions.size(); ++i)
    out += line("now", i, rows.now.generations.at(i), rows.now.positions[i]);
  for (const SyncConversation& one : rows.conversations) {
    out += line("conversation", one.conversation, one.last_seq, one.read_seq, one.peer_read_seq,
                one.unread, one.first_seq, one.start_seq, one.members_at, one.is_former,
                one.generation);
    out += lines("newest", one.newest);
  }
  return out;
}

std::string text(const FetchRows& rows) {
  std::string out = lines("message", rows.messages) + lines("withheld", rows.withheld) +
                    lines("remaining", rows.remaining);
  for (const ShardId shard : rows.beyond) out += line("beyond", shard);
  if (rows.not_member) out += line("not_member", *rows.not_member);
  return out;
}

std::string text(const HistoryRows& rows) {
  return lines("message", rows.messages) + lines("withheld", rows.withheld) +
         line(rows.more, rows.not_member);
}

std::string text(const ColdAnswers& answers) {
  std::string out;
  for (const wire::ColdAnswer& answer : answers) {
    out += line("answer", answer.error.code, answer.generation, answer.watermark);
    for (const wire::ConversationHead& one : answer.heads) out += head(one);
    for (const wire::StoredMessage& one : answer.messages)
      out += line("message", one.found, one.seq, one.message_id, one.time_ms, one.content_hash);
    for (const wire::UserStatus status : answer.users) out += line("user", status);
  }
  return out;
}

std::string text(const wire::GroupsAnswer& answer) {
  std::vector<std::string> memberships;
  for (const wire::GroupMembership& one : answer.memberships)
    memberships.push_back(line(one.group, one.user, one.from_seq, one.members_at));
  std::sort(memberships.begin(), memberships.end());
  std::string out = line(answer.error.code, answer.members_at, answer.behind);
  for (const std::string& one : memberships) out += one;
  return out;
}

std::string text(const std::optional<wire::GroupInfoPage>& page) {
  if (!page) return "none\n";
  std::string out = line(page->group, page->title, page->join, page->earlier_history,
                         std::uint64_t{page->members_count}, page->members_at, page->more);
  for (const wire::GroupMember& one : page->members) out += line(one.user, one.role, one.since_seq);
  return out;
}

std::string text(const wire::GroupListPage& page) {
  std::string out = line(page.more);
  for (const wire::GroupSummary& one : page.groups)
    out += line(one.group, one.title, one.role, std::uint64_t{one.members_count});
  return out;
}

std::string text(bool value) {
  return piece(value);
}

std::string text(std::size_t value) {
  return piece(std::uint64_t{value});
}

std::string text(const std::optional<std::string>& value) {
  return value ? "\"" + *value + "\"" : "none";
}

std::string text(std::vector<DeviceId> devices) {
  std::sort(devices.begin(), devices.end());
  std::string out;
  for (const DeviceId& one : devices) out += line(one);
  return out;
}

std::string text(const std::vector<DeviceRow>& devices) {
  std::string out;
  for (const DeviceRow& one : devices) out += line(one.device, one.last_login_ms);
  return out;
}

std::string text(const LoginResult& result) {
  return line(result.outcome) + text(result.signed_out);
}

std::string text(const AdminDone& done) {
  return line(done.is_known) + text(done.signed_out);
}

std::string text(const std::vector<wire::AuditRow>& rows) {
  std::string out;
  for (const wire::AuditRow& row : rows) {
    const wire::AdminRequest& act = row.request;
    out += line(row.time_ms, act.act, act.who, act.user, act.device, act.edge);
  }
  return out;
}

std::string text(const RefreshResult& result) {
  return line(result.outcome, result.user, result.device);
}

}  // namespace martlet::store
