#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/result.h"
#include "store/types.h"

namespace martlet::store {

// What is kept for ever: accounts, conversations, messages, read cursors, watermarks. Loop thread;
// nothing blocks; every callback is called exactly once, later, unless the store is destroyed
// before.
//
// Errors: kUnavailable (the database does not answer), kBusy (too much waits for it), kInternal (a
// bug; it is in the log).
class MessageStore {
 public:
  template <class T>
  using Done = std::function<void(Result<T>)>;
  virtual ~MessageStore() = default;

  // Jobs that wait for a connection.
  virtual std::size_t waiting() const { return 0; }

  virtual void load_shards(Done<ShardStates> done) = 0;
  // The log ends at sequence `last`, below the watermark or what it is known to have had.
  virtual void raise_base(ShardId shard, const ShardState& expected, std::uint64_t last,
                          LogPosition known, Done<RaisedBase> done) = 0;
  virtual void apply(ApplyRequest request, std::function<void(ApplyResult)> done) = 0;

  // Answers are in the order of the questions, all of one snapshot.
  virtual void look_up_cold(ColdQuestions questions, Done<ColdAnswers> done) = 0;
  virtual void fetch(FetchRequest request, Done<FetchRows> done) = 0;
  virtual void history(HistoryRequest request, Done<HistoryRows> done) = 0;
  virtual void sync(SyncRequest request, Done<SyncRows> done) = 0;

  virtual void find_memberships(wire::GroupsQuestion question, Done<wire::GroupsAnswer> done) = 0;
  // None: the user is not in that group.
  virtual void group_info(GroupInfoRequest request,
                          Done<std::optional<wire::GroupInfoPage>> done) = 0;
  virtual void group_list(GroupListRequest request, Done<wire::GroupListPage> done) = 0;

  // False: the name is taken.
  virtual void create_account(UserId user, std::string password_hash, WallMs now_ms,
                              Done<bool> done) = 0;
  // None: no such user.
  virtual void find_password_hash(UserId user, Done<std::optional<std::string>> done) = 0;
  // Answers which other devices were signed out for this one: a user has kMaxDevicesPerUser.
  virtual void start_login(UserId user, DeviceId device, NewToken token,
                           Done<LoginResult> done) = 0;
  virtual void refresh(Bytes old_hash, NewToken token, Done<RefreshResult> done) = 0;
  virtual void find_devices(UserId user, WallMs now_ms, Done<std::vector<DeviceRow>> done) = 0;
  // Signed out and not logged in again, or banned.
  virtual void is_revoked(UserId user, DeviceId device, Done<bool> done) = 0;
  // Answers which were signed out.
  virtual void sign_out(SignOutRequest request, Done<std::vector<DeviceId>> done) = 0;
  // A bounded number of tokens that expired long ago; answers how many.
  virtual void forget_tokens(WallMs now_ms, Done<std::size_t> done) = 0;

  // In the audit log with what it does, or neither.
  virtual void administer(wire::AdminRequest request, WallMs now_ms, Done<AdminDone> done) = 0;
  virtual void audit(wire::AuditQuestion question, Done<std::vector<wire::AuditRow>> done) = 0;
  // What is known of a message, and of who may see it.
  virtual void trace(wire::TraceQuestion question, Done<std::vector<wire::TraceRow>> done) = 0;
  // A bounded number of rows from before then; answers how many.
  virtual void forget_audit(WallMs before_ms, Done<std::size_t> done) = 0;
};

}  // namespace martlet::store
