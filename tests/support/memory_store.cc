#include "support/memory_store.h"

#include <algorithm>

#include "base/assert.h"
#include "support/memory_accounts.h"
#include "support/memory_reads.h"

namespace martlet::test {

DatabaseModel::DatabaseModel(std::uint16_t shards) : tables_(shards) {
  options_.shards = shards;
}

Result<store::RaisedBase> DatabaseModel::raise_base(ShardId shard,
                                                    const store::ShardState& expected,
                                                    std::uint64_t last, LogPosition known) {
  const std::uint64_t end = expected.base + last;
  const LogPosition watermark = std::max(expected.watermark, known);
  MARTLET_ASSERT(end <= expected.watermark.value() && end < watermark.value());
  store::ShardState& row = tables_.shards.at(shard.value());
  if (row != expected) return store::RaisedBase{row, false};
  row = {watermark, watermark.value() - last, row.generation.next()};
  return store::RaisedBase{row, true};
}

store::ApplyResult DatabaseModel::apply(const store::ApplyRequest& request) {
  return apply_to_tables(tables_, options_, request, made_ids_);
}

void DatabaseModel::plant_watermark(const store::ApplyRequest& request) {
  store::ShardState& row = tables_.shards.at(request.shard.value());
  if (row == request.expected) row.watermark = request.batches.back().position;
}

Result<store::ColdAnswers> DatabaseModel::look_up_cold(
    const store::ColdQuestions& questions) const {
  return cold_of_tables(tables_, questions);
}

Result<store::FetchRows> DatabaseModel::fetch(const store::FetchRequest& request) const {
  return fetch_of_tables(tables_, request);
}

Result<store::HistoryRows> DatabaseModel::history(const store::HistoryRequest& request) const {
  return history_of_tables(tables_, request);
}

Result<store::SyncRows> DatabaseModel::sync(const store::SyncRequest& request) const {
  return sync_of_tables(tables_, request);
}

Result<wire::GroupsAnswer> DatabaseModel::find_memberships(
    const wire::GroupsQuestion& question) const {
  return memberships_of_tables(tables_, question);
}

Result<std::optional<wire::GroupInfoPage>> DatabaseModel::group_info(
    const store::GroupInfoRequest& request) const {
  return group_info_of_tables(tables_, request);
}

Result<wire::GroupListPage> DatabaseModel::group_list(
    const store::GroupListRequest& request) const {
  return group_list_of_tables(tables_, request);
}

Result<bool> DatabaseModel::create_account(const UserId& user, const std::string& password_hash,
                                           WallMs now_ms) {
  return test::create_account(tables_, user, password_hash, now_ms);
}

Result<std::optional<std::string>> DatabaseModel::find_password_hash(const UserId& user) const {
  const auto found = tables_.accounts.find(user.str());
  if (found == tables_.accounts.end()) return std::nullopt;
  return found->second.password_hash;
}

Result<store::LoginResult> DatabaseModel::start_login(const UserId& user, const DeviceId& device,
                                                      const store::NewToken& token) {
  return test::start_login(tables_, user, device, token);
}

Result<store::RefreshResult> DatabaseModel::refresh(const Bytes& old_hash,
                                                    const store::NewToken& token) {
  return test::refresh(tables_, old_hash, token);
}

Result<std::vector<store::DeviceRow>> DatabaseModel::find_devices(const UserId& user,
                                                                  WallMs now_ms) const {
  return test::find_devices(tables_, user, now_ms);
}

Result<bool> DatabaseModel::is_revoked(const UserId& user, const DeviceId& device) const {
  return test::is_revoked(tables_, user, device);
}

Result<std::vector<DeviceId>> DatabaseModel::sign_out(const store::SignOutRequest& request) {
  return test::sign_out(tables_, request);
}

Result<std::size_t> DatabaseModel::forget_tokens(WallMs now_ms) {
  return test::forget_tokens(tables_, now_ms);
}

Result<store::AdminDone> DatabaseModel::administer(const wire::AdminRequest& request,
                                                   WallMs now_ms) {
  return test::administer(tables_, request, now_ms);
}

Result<std::vector<wire::AuditRow>> DatabaseModel::audit(
    const wire::AuditQuestion& question) const {
  return test::audit(tables_, question);
}

Result<std::size_t> DatabaseModel::forget_audit(WallMs before_ms) {
  return test::forget_audit(tables_, before_ms);
}

std::vector<ConversationId> DatabaseModel::conversations() const {
  std::vector<ConversationId> names;
  for (const auto& [name, table] : tables_.conversations) names.push_back(table->name);
  std::sort(names.begin(), names.end());
  return names;
}

const Messages& DatabaseModel::messages(const ConversationId& conversation) const {
  static const Messages kNone;
  const ConversationTable* table = tables_.find(conversation.str());
  return table == nullptr ? kNone : table->messages;
}

Seq DatabaseModel::last_seq(const ConversationId& conversation) const {
  const ConversationTable* table = tables_.find(conversation.str());
  return Seq(table == nullptr ? 0 : static_cast<std::uint64_t>(table->head.last_seq));
}

const Memberships& DatabaseModel::memberships(const ConversationId& group) const {
  static const Memberships kNone;
  const ConversationTable* table = tables_.find(group.str());
  return table == nullptr ? kNone : table->stays;
}

const GroupRow* DatabaseModel::group(const ConversationId& group) const {
  const ConversationTable* table = tables_.find(group.str());
  return table != nullptr && table->group ? &*table->group : nullptr;
}

Seq DatabaseModel::read_seq(const UserId& user, const ConversationId& conversation) const {
  const ConversationTable* table = tables_.find(conversation.str());
  if (table == nullptr) return Seq();
  const Cursors& cursors = tables_.cursors_of(user.str());
  const auto found = cursors.find(table->id);
  return Seq(found == cursors.end() ? 0 : static_cast<std::uint64_t>(found->second.read_seq));
}

}  // namespace martlet::test
