#pragma once

#include <functional>
#include <memory>

#include "sim/scheduler.h"
#include "store/store.h"
#include "support/memory_store.h"

namespace martlet::sim {

// PostgreSQL as persists see it: what was asked runs on its own, also when the one who asked is
// gone; an answer may be lost although the work was done; it may be away or slow.
struct Database {
  explicit Database(std::uint16_t shards) : tables(shards) {}

  test::DatabaseModel tables;
  bool up = true;
  Duration slow{};                     // besides the usual time
  std::size_t page_conversations = 0;  // of a SYNC; 0: as the product has it
  std::size_t lose_answers = 0;        // of the next calls: done, and nobody is told
};

// One persist's connections to it.
class SimStore final : public store::MessageStore {
 public:
  SimStore(Database& database, LanePtr lane) : database_(database), lane_(std::move(lane)) {}

  void load_shards(Done<store::ShardStates> done) override;
  void raise_base(ShardId shard, const store::ShardState& expected, std::uint64_t last,
                  LogPosition known, Done<store::RaisedBase> done) override;
  void apply(store::ApplyRequest request, std::function<void(store::ApplyResult)> done) override;
  void look_up_cold(store::ColdQuestions questions, Done<store::ColdAnswers> done) override;
  void fetch(store::FetchRequest request, Done<store::FetchRows> done) override;
  void history(store::HistoryRequest request, Done<store::HistoryRows> done) override;
  void sync(store::SyncRequest request, Done<store::SyncRows> done) override;
  void find_memberships(wire::GroupsQuestion question, Done<wire::GroupsAnswer> done) override;
  void group_info(store::GroupInfoRequest request,
                  Done<std::optional<wire::GroupInfoPage>> done) override;
  void group_list(store::GroupListRequest request, Done<wire::GroupListPage> done) override;
  void create_account(UserId user, std::string password_hash, WallMs now_ms,
                      Done<bool> done) override;
  void find_password_hash(UserId user, Done<std::optional<std::string>> done) override;
  void start_login(UserId user, DeviceId device, store::NewToken token,
                   Done<store::LoginResult> done) override;
  void refresh(Bytes old_hash, store::NewToken token, Done<store::RefreshResult> done) override;
  void find_devices(UserId user, WallMs now_ms, Done<std::vector<store::DeviceRow>> done) override;
  void is_revoked(UserId user, DeviceId device, Done<bool> done) override;
  void sign_out(store::SignOutRequest request, Done<std::vector<DeviceId>> done) override;
  void forget_tokens(WallMs now_ms, Done<std::size_t> done) override;
  void administer(wire::AdminRequest request, WallMs now_ms, Done<store::AdminDone> done) override;
  void audit(wire::AuditQuestion question, Done<std::vector<wire::AuditRow>> done) override;
  // Nobody asks here: it finds nothing.
  void trace(wire::TraceQuestion question, Done<std::vector<wire::TraceRow>> done) override;
  void forget_audit(WallMs before_ms, Done<std::size_t> done) override;

 private:
  template <class T>
  void run(std::function<Result<T>(test::DatabaseModel&)> work, Done<T> done);

  Database& database_;
  LanePtr lane_;
};

}  // namespace martlet::sim
