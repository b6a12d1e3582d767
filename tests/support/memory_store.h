#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "store/types.h"
#include "support/memory_apply.h"
#include "support/memory_tables.h"

namespace martlet::test {

// What store::PgStore promises, in memory: the same requests, answered at once. It means what the
// SQL of src/store means, which tests/integration/store/model_test.cc compares. Deterministic: no
// thread, no clock, no chance; the ids of tombstones and the gaps between row ids alone are others
// than PostgreSQL's.
//
// All calls are those of store::MessageStore (src/store/store.h). They fail only where PostgreSQL
// would refuse: a database that is down, slow, or loses an answer is the caller's to play.
class DatabaseModel {
 public:
  explicit DatabaseModel(std::uint16_t shards);
  DatabaseModel(const DatabaseModel&) = delete;
  DatabaseModel& operator=(const DatabaseModel&) = delete;

  Result<store::ShardStates> load_shards() const { return tables_.shards; }
  Result<store::RaisedBase> raise_base(ShardId shard, const store::ShardState& expected,
                                       std::uint64_t last, LogPosition known = {});
  store::ApplyResult apply(const store::ApplyRequest& request);
  // Planted fault: the watermark's transaction alone, without the rows'.
  void plant_watermark(const store::ApplyRequest& request);

  Result<store::ColdAnswers> look_up_cold(const store::ColdQuestions& questions) const;
  Result<store::FetchRows> fetch(const store::FetchRequest& request) const;
  Result<store::HistoryRows> history(const store::HistoryRequest& request) const;
  Result<store::SyncRows> sync(const store::SyncRequest& request) const;

  Result<wire::GroupsAnswer> find_memberships(const wire::GroupsQuestion& question) const;
  Result<std::optional<wire::GroupInfoPage>> group_info(
      const store::GroupInfoRequest& request) const;
  Result<wire::GroupListPage> group_list(const store::GroupListRequest& request) const;

  Result<bool> create_account(const UserId& user, const std::string& password_hash, WallMs now_ms);
  Result<std::optional<std::string>> find_password_hash(const UserId& user) const;
  Result<store::LoginResult> start_login(const UserId& user, const DeviceId& device,
                                         const store::NewToken& token);
  Result<store::RefreshResult> refresh(const Bytes& old_hash, const store::NewToken& token);
  Result<std::vector<store::DeviceRow>> find_devices(const UserId& user, WallMs now_ms) const;
  Result<bool> is_revoked(const UserId& user, const DeviceId& device) const;
  Result<std::vector<DeviceId>> sign_out(const store::SignOutRequest& request);
  Result<std::size_t> forget_tokens(WallMs now_ms);
  Result<store::AdminDone> administer(const wire::AdminRequest& request, WallMs now_ms);
  Result<std::vector<wire::AuditRow>> audit(const wire::AuditQuestion& question) const;
  Result<std::size_t> forget_audit(WallMs before_ms);

  // Longer contents are refused from now on, as if the table had a CHECK. 0: none is.
  void set_max_content_bytes(std::size_t bytes) { options_.max_content_bytes = bytes; }

  // For checkers: what is stored, whoever may see it.

  // In the order of their names.
  std::vector<ConversationId> conversations() const;
  // By seq; empty if there is no such conversation.
  const Messages& messages(const ConversationId& conversation) const;
  // 0: none.
  Seq last_seq(const ConversationId& conversation) const;
  // All stays of each user.
  const Memberships& memberships(const ConversationId& group) const;
  // Null: no such group.
  const GroupRow* group(const ConversationId& group) const;
  // 0: none.
  Seq read_seq(const UserId& user, const ConversationId& conversation) const;
  // By shard, position and place in the batch.
  const std::map<DeadKey, DeadEntry>& dead_entries() const { return tables_.dead; }

 private:
  MemoryApplyOptions options_;
  Tables tables_;
  std::uint64_t made_ids_ = 0;
};

}  // namespace martlet::test
