#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "event/loop.h"
#include "lib/pg/pool.h"
#include "store/apply_queue.h"
#include "store/store.h"

namespace martlet::store {

struct PgStoreOptions {
  std::string url;
  std::string owner_url;  // for migrations; empty: url
  std::string application_name = "martlet-persist";
  std::uint16_t shards = 16;
  std::size_t writers = 4;  // threads, each with a connection
  std::size_t readers = 4;
  std::size_t lookups = 2;  // for look_up_cold alone: what clients read must not hold up a SEND
  std::size_t max_queue = 1000;
};

// MessageStore on PostgreSQL. Its schema must be up to date (open_store).
class PgStore final : public MessageStore {
 public:
  PgStore(event::Loop& loop, const PgStoreOptions& options);
  ~PgStore() override { *self_ = nullptr; }
  PgStore(const PgStore&) = delete;
  PgStore& operator=(const PgStore&) = delete;

  std::size_t waiting() const override;
  void load_shards(Done<ShardStates> done) override;
  void raise_base(ShardId shard, const ShardState& expected, std::uint64_t last, LogPosition known,
                  Done<RaisedBase> done) override;
  void apply(ApplyRequest request, std::function<void(ApplyResult)> done) override;
  void look_up_cold(ColdQuestions questions, Done<ColdAnswers> done) override;
  void fetch(FetchRequest request, Done<FetchRows> done) override;
  void history(HistoryRequest request, Done<HistoryRows> done) override;
  void sync(SyncRequest request, Done<SyncRows> done) override;
  void find_memberships(wire::GroupsQuestion question, Done<wire::GroupsAnswer> done) override;
  void group_info(GroupInfoRequest request, Done<std::optional<wire::GroupInfoPage>> done) override;
  void group_list(GroupListRequest request, Done<wire::GroupListPage> done) override;
  void create_account(UserId user, std::string password_hash, WallMs now_ms,
                      Done<bool> done) override;
  void find_password_hash(UserId user, Done<std::optional<std::string>> done) override;
  void start_login(UserId user, DeviceId device, NewToken token, Done<LoginResult> done) override;
  void refresh(Bytes old_hash, NewToken token, Done<RefreshResult> done) override;
  void find_devices(UserId user, WallMs now_ms, Done<std::vector<DeviceRow>> done) override;
  void is_revoked(UserId user, DeviceId device, Done<bool> done) override;
  void sign_out(SignOutRequest request, Done<std::vector<DeviceId>> done) override;
  void forget_tokens(WallMs now_ms, Done<std::size_t> done) override;
  void administer(wire::AdminRequest request, WallMs now_ms, Done<AdminDone> done) override;
  void audit(wire::AuditQuestion question, Done<std::vector<wire::AuditRow>> done) override;
  void trace(wire::TraceQuestion question, Done<std::vector<wire::TraceRow>> done) override;
  void forget_audit(WallMs before_ms, Done<std::size_t> done) override;

 private:
  template <class T>
  void run(pg::Pool& pool, std::function<pg::Result<T>(pg::Connection&)> work, Done<T> done);

  void start_applies_soon();
  void start_applies();
  void start(ApplyQueue::Together together);

  event::Loop& loop_;
  const std::uint16_t shards_;
  ApplyQueue applies_;
  bool starts_applies_ = false;  // at the end of this turn
  event::Timer pause_;
  pg::Pool writers_;
  pg::Pool readers_;
  pg::Pool lookups_;
  pg::Pool states_;  // for load_shards alone: take-overs and readiness wait for nobody's reads
  std::shared_ptr<PgStore*> self_ = std::make_shared<PgStore*>(this);
};

// Connects (trying again for up to `wait`), brings the schema up to date, compares the shard count.
// The error is one line for the operator. Blocks; start-up only.
Result<void> open_store(const PgStoreOptions& options, Duration wait, const Clock& clock);

}  // namespace martlet::store
