#include "model_pair.h"

#include <algorithm>

#include "answers_text.h"
#include "database.h"
#include "store/accounts.h"
#include "store/admin.h"
#include "store/apply.h"
#include "store/cold.h"
#include "store/devices.h"
#include "store/groups.h"
#include "store/pages.h"
#include "store/shards.h"
#include "store/sync.h"

namespace martlet::store {
namespace {

std::string joined(const std::vector<std::string>& parts) {
  std::string out;
  for (const std::string& part : parts) out += (out.empty() ? "" : " ") + part;
  return out;
}

std::string number(std::int64_t value) {
  return std::to_string(value);
}

std::string or_null(std::int64_t value) {
  return value == 0 ? "null" : number(value);
}

}  // namespace

template <class T>
T ModelPair::same(const char* what, pg::Result<T> stored, Result<T> modelled) {
  ++compared_;
  if (!stored) {
    EXPECT_FALSE(modelled) << what << ": " << stored.error().message;
    return T();
  }
  EXPECT_EQ(text(*stored), modelled ? text(*modelled) : "error " + modelled.error().detail) << what;
  return std::move(*stored);
}

ApplyResult ModelPair::apply(const ApplyRequest& request) {
  return same<ApplyResult>("apply", store::apply(connection_, {request}, kShards).front(),
                           model_.apply(request));
}

bool ModelPair::apply_together(const std::vector<ApplyRequest>& requests) {
  const ApplyResults results = store::apply(connection_, requests, kShards);
  if (results.front().outcome != ApplyOutcome::kCommitted) return false;
  for (std::size_t i = 0; i < requests.size(); ++i)
    same<ApplyResult>("apply together", results[i], model_.apply(requests[i]));
  return true;
}

RaisedBase ModelPair::raise_base(ShardId shard, const ShardState& expected, std::uint64_t last,
                                 LogPosition known) {
  return same<RaisedBase>("raise_base",
                          store::raise_base(connection_, shard, expected, last, known),
                          model_.raise_base(shard, expected, last, known));
}

void ModelPair::load_shards() {
  same<ShardStates>("load_shards", store::load_shards(connection_), model_.load_shards());
}

// Each goes on after its own row ids.
SyncVector ModelPair::sync(SyncRequest request) {
  SyncRequest of_model = request;
  std::optional<SyncVector> first;
  for (;;) {
    auto modelled = model_.sync(of_model);
    const SyncRows rows = same<SyncRows>("sync", store::sync(connection_, request), modelled);
    if (!first) first = rows.now;
    const bool are_same = modelled && modelled->conversations.size() == rows.conversations.size();
    if (!rows.more || rows.conversations.empty() || !are_same) return *first;
    request.after = rows.conversations.back().row_id;
    of_model.after = modelled->conversations.back().row_id;
  }
}

FetchRows ModelPair::fetch(const FetchRequest& request) {
  return same<FetchRows>("fetch", store::fetch(connection_, request, kShards),
                         model_.fetch(request));
}

HistoryRows ModelPair::history(const HistoryRequest& request) {
  return same<HistoryRows>("history", store::history(connection_, request),
                           model_.history(request));
}

ColdAnswers ModelPair::look_up_cold(const ColdQuestions& questions) {
  return same<ColdAnswers>("look_up_cold", store::look_up_cold(connection_, questions),
                           model_.look_up_cold(questions));
}

void ModelPair::find_memberships(const wire::GroupsQuestion& question) {
  same<wire::GroupsAnswer>("find_memberships", store::find_memberships(connection_, question),
                           model_.find_memberships(question));
}

std::optional<wire::GroupInfoPage> ModelPair::group_info(const GroupInfoRequest& request) {
  return same<std::optional<wire::GroupInfoPage>>(
      "group_info", store::group_info(connection_, request), model_.group_info(request));
}

wire::GroupListPage ModelPair::group_list(const GroupListRequest& request) {
  return same<wire::GroupListPage>("group_list", store::group_list(connection_, request),
                                   model_.group_list(request));
}

bool ModelPair::create_account(const UserId& user, const std::string& password_hash,
                               WallMs now_ms) {
  return same<bool>("create_account",
                    store::create_account(connection_, user, password_hash, now_ms),
                    model_.create_account(user, password_hash, now_ms));
}

void ModelPair::find_password_hash(const UserId& user) {
  same<std::optional<std::string>>("find_password_hash",
                                   store::find_password_hash(connection_, user),
                                   model_.find_password_hash(user));
}

void ModelPair::start_login(const UserId& user, const DeviceId& device, const NewToken& token) {
  same<LoginResult>("start_login", store::start_login(connection_, user, device, token),
                    model_.start_login(user, device, token));
}

RefreshResult ModelPair::refresh(const Bytes& old_hash, const NewToken& token) {
  return same<RefreshResult>("refresh", store::refresh(connection_, old_hash, token),
                             model_.refresh(old_hash, token));
}

void ModelPair::find_devices(const UserId& user, WallMs now_ms) {
  same<std::vector<DeviceRow>>("find_devices", store::find_devices(connection_, user, now_ms),
                               model_.find_devices(user, now_ms));
}

void ModelPair::is_revoked(const UserId& user, const DeviceId& device) {
  same<bool>("is_revoked", store::is_revoked(connection_, user, device),
             model_.is_revoked(user, device));
}

void ModelPair::sign_out(const SignOutRequest& request) {
  same<std::vector<DeviceId>>("sign_out", store::sign_out(connection_, request),
                              model_.sign_out(request));
}

void ModelPair::forget_tokens(WallMs now_ms) {
  same<std::size_t>("forget_tokens", store::forget_tokens(connection_, now_ms),
                    model_.forget_tokens(now_ms));
}

void ModelPair::administer(const wire::AdminRequest& request, WallMs now_ms) {
  same<AdminDone>("administer", store::administer(connection_, request, now_ms),
                  model_.administer(request, now_ms));
}

void ModelPair::audit(std::uint32_t limit) {
  same<std::vector<wire::AuditRow>>("audit", store::audit(connection_, {0, limit}),
                                    model_.audit({0, limit}));
}

void ModelPair::forget_audit(WallMs before_ms) {
  same<std::size_t>("forget_audit", store::forget_audit(connection_, before_ms),
                    model_.forget_audit(before_ms));
}

std::vector<std::string> ModelPair::select(const std::string& sql) {
  pg::Transaction tx(connection_, pg::Mode::kSnapshot);
  const pg::Rows rows = tx.query(sql);
  EXPECT_TRUE(tx.ok()) << tx.error().message;
  std::vector<std::string> out;
  for (std::size_t i = 0; i < rows.size(); ++i) out.emplace_back(rows.text(i, 0));
  return out;
}

void ModelPair::expect_rows(const char* what, const std::string& sql,
                            std::vector<std::string> modelled) {
  ++compared_;
  std::vector<std::string> stored = select(sql);
  std::sort(stored.begin(), stored.end());
  std::sort(modelled.begin(), modelled.end());
  EXPECT_EQ(stored, modelled) << what;
}

void ModelPair::compare_tables() {
  std::vector<std::string> heads, messages, stays, cursors, dead;
  for (const ConversationId& name : model_.conversations()) {
    heads.push_back(joined({name.str(), std::to_string(model_.last_seq(name).value())}));
    for (const auto& [seq, row] : model_.messages(name)) {
      messages.push_back(joined(
          {name.str(), number(seq), std::to_string(row.message_id.value()), row.sender.str(),
           row.content ? to_string(row.client_msg_id) : "-", std::to_string(row.position.value()),
           std::to_string(row.generation.value()), std::to_string(row.time_ms),
           row.content ? base::to_hex(row.content->substr(0, 50)) : "-"}));
    }
    for (const auto& [user, rows] : model_.memberships(name)) {
      for (const auto& [joined_seq, row] : rows) {
        stays.push_back(
            joined({name.str(), user, number(row.from_seq), number(joined_seq),
                    number(row.joined_position), or_null(row.to_seq), or_null(row.ended_position),
                    number(static_cast<std::int64_t>(row.role)), number(row.stay)}));
      }
    }
  }
  for (const auto& [key, one] : model_.dead_entries()) {
    dead.push_back(joined({number(one.shard.value()), std::to_string(one.position.value()),
                           number(one.entry_index), one.sqlstate, base::to_hex(one.entry)}));
  }
  expect_rows("conversations", "SELECT name || ' ' || last_seq FROM conversations", heads);
  expect_rows("messages",
              "SELECT concat_ws(' ', c.name, m.seq, m.message_id, m.sender, CASE WHEN content IS "
              "NULL THEN '-' ELSE replace(m.client_msg_id::text, '-', '') END, m.position, "
              "m.generation, m.time_ms, coalesce(encode(substr(m.content, 1, 50), 'hex'), '-')) "
              "FROM messages m JOIN conversations c ON c.id = m.conversation_id",
              messages);
  expect_rows("memberships",
              "SELECT concat_ws(' ', c.name, m.user_id, m.from_seq, m.joined_seq, "
              "m.joined_position, coalesce(m.to_seq::text, 'null'), "
              "coalesce(m.ended_position::text, 'null'), m.role, m.stay) FROM memberships m JOIN "
              "conversations c ON c.id = m.conversation_id",
              stays);
  expect_rows("dead_entries",
              "SELECT concat_ws(' ', shard, position, entry_index, sqlstate, encode(entry, "
              "'hex')) FROM dead_entries",
              dead);
}

}  // namespace martlet::store
