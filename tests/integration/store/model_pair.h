#pragma once

#include <string>
#include <vector>

#include "lib/pg/connection.h"
#include "support/memory_store.h"

namespace martlet::store {

// PostgreSQL and the model of it, asked the same. Every call expects the same answer of both, and
// gives PostgreSQL's.
class ModelPair {
 public:
  ModelPair(pg::Connection& connection, test::DatabaseModel& model)
      : connection_(connection), model_(model) {}

  ApplyResult apply(const ApplyRequest& request);
  // In one transaction; the model applies them one after the other. False: nothing was applied.
  bool apply_together(const std::vector<ApplyRequest>& requests);
  RaisedBase raise_base(ShardId shard, const ShardState& expected, std::uint64_t last,
                        LogPosition known);
  void load_shards();
  // All pages; answers the positions of the first one.
  SyncVector sync(SyncRequest request);
  FetchRows fetch(const FetchRequest& request);
  HistoryRows history(const HistoryRequest& request);
  ColdAnswers look_up_cold(const ColdQuestions& questions);
  void find_memberships(const wire::GroupsQuestion& question);
  std::optional<wire::GroupInfoPage> group_info(const GroupInfoRequest& request);
  wire::GroupListPage group_list(const GroupListRequest& request);

  bool create_account(const UserId& user, const std::string& password_hash, WallMs now_ms);
  void find_password_hash(const UserId& user);
  void start_login(const UserId& user, const DeviceId& device, const NewToken& token);
  RefreshResult refresh(const Bytes& old_hash, const NewToken& token);
  void find_devices(const UserId& user, WallMs now_ms);
  void is_revoked(const UserId& user, const DeviceId& device);
  void sign_out(const SignOutRequest& request);
  void forget_tokens(WallMs now_ms);
  void administer(const wire::AdminRequest& request, WallMs now_ms);
  // Those of the latest; ids aside.
  void audit(std::uint32_t limit);
  void forget_audit(WallMs before_ms);

  // Every row of conversations, messages, memberships, cursors and dead_entries.
  void compare_tables();

  // How many answers were compared.
  std::size_t compared() const { return compared_; }

 private:
  template <class T>
  T same(const char* what, pg::Result<T> stored, Result<T> modelled);
  std::vector<std::string> select(const std::string& sql);
  void expect_rows(const char* what, const std::string& sql, std::vector<std::string> modelled);

  pg::Connection& connection_;
  test::DatabaseModel& model_;
  std::size_t compared_ = 0;
};

}  // namespace martlet::store
