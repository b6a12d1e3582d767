#include "sim/database.h"

#include <utility>

#include "base/planted.h"

namespace martlet::sim {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using test::DatabaseModel;

Scheduler& scheduler() {
  return Scheduler::get();
}

Duration way(const Database& database) {
  return scheduler().between(microseconds(100), milliseconds(3)) + database.slow;
}

// Nothing happened, or so it seems to who asked.
Duration until_lost() {
  return scheduler().between(milliseconds(5), milliseconds(200));
}

bool loses_answer(Database& database) {
  if (database.lose_answers == 0) return false;
  --database.lose_answers;
  scheduler().coverage().add("answer of the database lost");
  return true;
}

void count(const store::ApplyResult& result) {
  if (result.outcome == store::ApplyOutcome::kFenced) {
    scheduler().coverage().add("path: commit fenced");
  }
}

// Messages that were accepted before and are known to the database alone.
void count(const Result<store::ColdAnswers>& answers) {
  for (const wire::ColdAnswer& answer : *answers) {
    for (const wire::StoredMessage& message : answer.messages) {
      scheduler().coverage().add(message.found ? "path: duplicate found by look-up"
                                               : "path: looked up, not there");
    }
  }
}

}  // namespace

template <class T>
void SimStore::run(std::function<Result<T>(DatabaseModel&)> work, Done<T> callback) {
  const Done<T> done = expected_by(lane_, std::move(callback));
  const auto lost = [lane = lane_, done] {
    scheduler().after(until_lost(), lane, [done] {
      done(fail(ErrorCode::kUnavailable, "the database does not answer"));
    });
  };
  scheduler().after(way(database_), nullptr,
                    [&database = database_, lane = lane_, work = std::move(work), done, lost] {
                      if (!database.up) return lost();
                      Result<T> result = work(database.tables);
                      if (loses_answer(database)) return lost();
                      scheduler().after(way(database), lane,
                                        [done, result = std::move(result)] { done(result); });
                    });
}

void SimStore::apply(store::ApplyRequest request,
                     std::function<void(store::ApplyResult)> callback) {
  const std::function<void(store::ApplyResult)> done = expected_by(lane_, std::move(callback));
  const auto lost = [lane = lane_, done] {
    scheduler().after(until_lost(), lane, [done] {
      done({.outcome = store::ApplyOutcome::kUnknown, .detail = "the connection broke"});
    });
  };
  scheduler().after(
      way(database_), nullptr,
      [&database = database_, lane = lane_, request = std::move(request), done, lost] {
        if (!database.up) return lost();
        // Planted fault: two transactions, and the connection breaks between them.
        if (is_planted(Planted::kSkipRows) && loses_answer(database)) {
          database.tables.plant_watermark(request);
          return lost();
        }
        store::ApplyResult result = database.tables.apply(request);
        count(result);
        if (loses_answer(database)) return lost();
        scheduler().after(way(database), lane,
                          [done, result = std::move(result)] { done(result); });
      });
}

void SimStore::load_shards(Done<store::ShardStates> done) {
  run<store::ShardStates>([](DatabaseModel& db) { return db.load_shards(); }, std::move(done));
}

void SimStore::raise_base(ShardId shard, const store::ShardState& expected, std::uint64_t last,
                          LogPosition known, Done<store::RaisedBase> done) {
  run<store::RaisedBase>(
      [shard, expected, last, known](DatabaseModel& db) {
        return db.raise_base(shard, expected, last, known);
      },
      std::move(done));
}

void SimStore::look_up_cold(store::ColdQuestions questions, Done<store::ColdAnswers> done) {
  run<store::ColdAnswers>(
      [questions = std::move(questions)](DatabaseModel& db) {
        Result<store::ColdAnswers> answers = db.look_up_cold(questions);
        count(answers);
        return answers;
      },
      std::move(done));
}

void SimStore::fetch(store::FetchRequest request, Done<store::FetchRows> done) {
  run<store::FetchRows>(
      [request = std::move(request)](DatabaseModel& db) { return db.fetch(request); },
      std::move(done));
}

void SimStore::history(store::HistoryRequest request, Done<store::HistoryRows> done) {
  run<store::HistoryRows>(
      [request = std::move(request)](DatabaseModel& db) { return db.history(request); },
      std::move(done));
}

void SimStore::sync(store::SyncRequest request, Done<store::SyncRows> done) {
  request.max_conversations = database_.page_conversations;
  run<store::SyncRows>(
      [request = std::move(request)](DatabaseModel& db) { return db.sync(request); },
      std::move(done));
}

void SimStore::find_memberships(wire::GroupsQuestion question, Done<wire::GroupsAnswer> done) {
  run<wire::GroupsAnswer>(
      [question = std::move(question)](DatabaseModel& db) { return db.find_memberships(question); },
      std::move(done));
}

void SimStore::group_info(store::GroupInfoRequest request,
                          Done<std::optional<wire::GroupInfoPage>> done) {
  run<std::optional<wire::GroupInfoPage>>(
      [request = std::move(request)](DatabaseModel& db) { return db.group_info(request); },
      std::move(done));
}

void SimStore::group_list(store::GroupListRequest request, Done<wire::GroupListPage> done) {
  run<wire::GroupListPage>(
      [request = std::move(request)](DatabaseModel& db) { return db.group_list(request); },
      std::move(done));
}

void SimStore::create_account(UserId user, std::string password_hash, WallMs now_ms,
                              Done<bool> done) {
  run<bool>([user, password_hash,
             now_ms](DatabaseModel& db) { return db.create_account(user, password_hash, now_ms); },
            std::move(done));
}

void SimStore::find_password_hash(UserId user, Done<std::optional<std::string>> done) {
  run<std::optional<std::string>>([user](DatabaseModel& db) { return db.find_password_hash(user); },
                                  std::move(done));
}

void SimStore::start_login(UserId user, DeviceId device, store::NewToken token,
                           Done<store::LoginResult> done) {
  run<store::LoginResult>(
      [user, device, token](DatabaseModel& db) { return db.start_login(user, device, token); },
      std::move(done));
}

void SimStore::refresh(Bytes old_hash, store::NewToken token, Done<store::RefreshResult> done) {
  run<store::RefreshResult>(
      [old_hash, token](DatabaseModel& db) { return db.refresh(old_hash, token); },
      std::move(done));
}

void SimStore::find_devices(UserId user, WallMs now_ms, Done<std::vector<store::DeviceRow>> done) {
  run<std::vector<store::DeviceRow>>(
      [user, now_ms](DatabaseModel& db) { return db.find_devices(user, now_ms); }, std::move(done));
}

void SimStore::is_revoked(UserId user, DeviceId device, Done<bool> done) {
  run<bool>([user, device](DatabaseModel& db) { return db.is_revoked(user, device); },
            std::move(done));
}

void SimStore::sign_out(store::SignOutRequest request, Done<std::vector<DeviceId>> done) {
  run<std::vector<DeviceId>>([request](DatabaseModel& db) { return db.sign_out(request); },
                             std::move(done));
}

void SimStore::forget_tokens(WallMs now_ms, Done<std::size_t> done) {
  run<std::size_t>([now_ms](DatabaseModel& db) { return db.forget_tokens(now_ms); },
                   std::move(done));
}

void SimStore::administer(wire::AdminRequest request, WallMs now_ms, Done<store::AdminDone> done) {
  run<store::AdminDone>(
      [request, now_ms](DatabaseModel& db) { return db.administer(request, now_ms); },
      std::move(done));
}

void SimStore::audit(wire::AuditQuestion question, Done<std::vector<wire::AuditRow>> done) {
  run<std::vector<wire::AuditRow>>([question](DatabaseModel& db) { return db.audit(question); },
                                   std::move(done));
}

void SimStore::trace(wire::TraceQuestion, Done<std::vector<wire::TraceRow>> done) {
  run<std::vector<wire::TraceRow>>([](DatabaseModel&) { return std::vector<wire::TraceRow>(); },
                                   std::move(done));
}

void SimStore::forget_audit(WallMs before_ms, Done<std::size_t> done) {
  run<std::size_t>([before_ms](DatabaseModel& db) { return db.forget_audit(before_ms); },
                   std::move(done));
}

}  // namespace martlet::sim
