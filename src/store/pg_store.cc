#include "store/pg_store.h"

#include <thread>
#include <utility>

#include "base/log.h"
#include "store/accounts.h"
#include "store/admin.h"
#include "store/apply.h"
#include "store/cold.h"
#include "store/devices.h"
#include "store/groups.h"
#include "store/migrate.h"
#include "store/pages.h"
#include "store/shards.h"
#include "store/sync.h"
#include "store/trace.h"

namespace martlet::store {
namespace {

constexpr std::uint32_t kRetryAfterMs = 1000;
constexpr auto kConnectPause = std::chrono::milliseconds(250);

pg::ConnectOptions connect_options(const PgStoreOptions& options) {
  pg::ConnectOptions connect;
  connect.url = options.url;
  connect.application_name = options.application_name;
  return connect;
}

pg::PoolOptions pool_options(const PgStoreOptions& options, std::size_t threads) {
  return {connect_options(options), threads, options.max_queue};
}

// What a client may hear; the operator finds the rest in the log.
Error public_error(const pg::Error& error) {
  using pg::Failure;
  const bool is_bug = error.failure == Failure::kOther || error.failure == Failure::kContent;
  if (is_bug || error.failure == Failure::kBroken) {
    MARTLET_LOG(error, "database_refused sqlstate={} message=\"{}\"", error.sqlstate,
                error.message);
  } else {
    MARTLET_LOG(debug, "database_failed sqlstate={} message=\"{}\"", error.sqlstate, error.message);
  }
  if (is_bug) return {ErrorCode::kInternal, "the database refused a statement"};
  return {ErrorCode::kUnavailable, "the database does not answer", kRetryAfterMs};
}

// True if waiting can't help: the server answers and says no.
bool is_final(const pg::Error& error) {
  return error.message.find("authentication failed") != std::string::npos ||
         error.message.find("does not exist") != std::string::npos ||
         error.message.find("no password supplied") != std::string::npos;
}

tl::unexpected<Error> unreachable(const pg::Error& error, Duration wait) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(wait).count();
  return fail(ErrorCode::kUnavailable, "PostgreSQL is not reachable: " + error.message +
                                           " (tried " + std::to_string(seconds) + " s)");
}

Result<std::unique_ptr<pg::Connection>> open_until(const pg::ConnectOptions& options,
                                                   MonotonicTime deadline, Duration wait,
                                                   const Clock& clock) {
  for (;;) {
    auto connection = pg::Connection::open(options);
    if (connection) return std::move(*connection);
    if (is_final(connection.error()))
      return fail(ErrorCode::kUnavailable, "PostgreSQL refuses: " + connection.error().message);
    if (clock.now() >= deadline) return unreachable(connection.error(), wait);
    std::this_thread::sleep_for(kConnectPause);
  }
}

}  // namespace

PgStore::PgStore(event::Loop& loop, const PgStoreOptions& options)
    : loop_(loop),
      shards_(options.shards),
      applies_(options.writers),
      pause_(loop, [this] { start_applies(); }),
      writers_(loop, pool_options(options, options.writers)),
      readers_(loop, pool_options(options, options.readers)),
      lookups_(loop, pool_options(options, options.lookups)),
      states_(loop, pool_options(options, 1)) {}

template <class T>
void PgStore::run(pg::Pool& pool, std::function<pg::Result<T>(pg::Connection&)> work,
                  Done<T> done) {
  const bool taken = pool.submit<T>(std::move(work), [done](pg::Result<T> result) {
    if (result) {
      if constexpr (std::is_void_v<T>) {
        done({});
      } else {
        done(std::move(*result));
      }
    } else {
      done(tl::unexpected(public_error(result.error())));
    }
  });
  if (taken) return;
  loop_.post([done] {
    done(fail(ErrorCode::kBusy, "too many requests wait for the database", kRetryAfterMs));
  });
}

void PgStore::load_shards(Done<ShardStates> done) {
  run<ShardStates>(
      states_, [](pg::Connection& c) { return store::load_shards(c); }, std::move(done));
}

void PgStore::raise_base(ShardId shard, const ShardState& expected, std::uint64_t last,
                         LogPosition known, Done<RaisedBase> done) {
  run<RaisedBase>(
      writers_,
      [=](pg::Connection& c) { return store::raise_base(c, shard, expected, last, known); },
      std::move(done));
}

void PgStore::apply(ApplyRequest request, std::function<void(ApplyResult)> done) {
  applies_.add(std::move(request), std::move(done));
  start_applies_soon();
}

// All that this turn asks for goes together.
void PgStore::start_applies_soon() {
  if (std::exchange(starts_applies_, true)) return;
  loop_.at_turn_end([self = self_] {
    if (*self != nullptr) (*self)->start_applies();
  });
}

void PgStore::start_applies() {
  starts_applies_ = false;
  for (;;) {
    ApplyQueue::Together together = applies_.take(loop_.now());
    if (together.requests.empty()) {
      if (together.again > Duration(0)) pause_.start_once(together.again);
      return;
    }
    start(std::move(together));
  }
}

void PgStore::start(ApplyQueue::Together together) {
  const auto shared = std::make_shared<ApplyQueue::Together>(std::move(together));
  const auto ended = [this, shared](pg::Result<ApplyResults> results) {
    start_applies_soon();
    const std::size_t size = shared->requests.size();
    if (!results) results = ApplyResults(size, {ApplyOutcome::kRetry, results.error().message});
    const ApplyResult& first = results->front();
    if (size > 1 && first.outcome != ApplyOutcome::kCommitted)
      MARTLET_LOG(info, "transaction_failed shards={} detail=\"{}\"", size, first.detail);
    applies_.ended(std::move(*shared), *results);
  };
  const bool taken = writers_.submit<ApplyResults>(
      [shared, shards = shards_](pg::Connection& c) -> pg::Result<ApplyResults> {
        return store::apply(c, shared->requests, shards);
      },
      ended);
  if (taken) return;
  loop_.post([self = self_, ended] {
    if (*self == nullptr) return;
    ended(tl::unexpected(pg::Error{pg::Failure::kRetry, "", "too much waits for the database"}));
  });
}

std::size_t PgStore::waiting() const {
  return applies_.waiting() + writers_.waiting() + readers_.waiting() + lookups_.waiting() +
         states_.waiting();
}

void PgStore::look_up_cold(ColdQuestions questions, Done<ColdAnswers> done) {
  run<ColdAnswers>(
      lookups_,
      [questions = std::move(questions)](pg::Connection& c) {
        return store::look_up_cold(c, questions);
      },
      std::move(done));
}

void PgStore::fetch(FetchRequest request, Done<FetchRows> done) {
  run<FetchRows>(
      readers_,
      [request = std::move(request), shards = shards_](pg::Connection& c) {
        return store::fetch(c, request, shards);
      },
      std::move(done));
}

void PgStore::history(HistoryRequest request, Done<HistoryRows> done) {
  run<HistoryRows>(
      readers_,
      [request = std::move(request)](pg::Connection& c) { return store::history(c, request); },
      std::move(done));
}

void PgStore::sync(SyncRequest request, Done<SyncRows> done) {
  run<SyncRows>(
      readers_,
      [request = std::move(request)](pg::Connection& c) { return store::sync(c, request); },
      std::move(done));
}

void PgStore::find_memberships(wire::GroupsQuestion question, Done<wire::GroupsAnswer> done) {
  run<wire::GroupsAnswer>(
      readers_,
      [question = std::move(question)](pg::Connection& c) {
        return store::find_memberships(c, question);
      },
      std::move(done));
}

void PgStore::group_info(GroupInfoRequest request, Done<std::optional<wire::GroupInfoPage>> done) {
  run<std::optional<wire::GroupInfoPage>>(
      readers_,
      [request = std::move(request)](pg::Connection& c) { return store::group_info(c, request); },
      std::move(done));
}

void PgStore::group_list(GroupListRequest request, Done<wire::GroupListPage> done) {
  run<wire::GroupListPage>(
      readers_,
      [request = std::move(request)](pg::Connection& c) { return store::group_list(c, request); },
      std::move(done));
}

void PgStore::create_account(UserId user, std::string password_hash, WallMs now_ms,
                             Done<bool> done) {
  run<bool>(
      readers_,
      [=](pg::Connection& c) { return store::create_account(c, user, password_hash, now_ms); },
      std::move(done));
}

void PgStore::find_password_hash(UserId user, Done<std::optional<std::string>> done) {
  run<std::optional<std::string>>(
      readers_, [=](pg::Connection& c) { return store::find_password_hash(c, user); },
      std::move(done));
}

void PgStore::start_login(UserId user, DeviceId device, NewToken token, Done<LoginResult> done) {
  run<LoginResult>(
      readers_, [=](pg::Connection& c) { return store::start_login(c, user, device, token); },
      std::move(done));
}

void PgStore::refresh(Bytes old_hash, NewToken token, Done<RefreshResult> done) {
  run<RefreshResult>(
      readers_, [=](pg::Connection& c) { return store::refresh(c, old_hash, token); },
      std::move(done));
}

void PgStore::find_devices(UserId user, WallMs now_ms, Done<std::vector<DeviceRow>> done) {
  run<std::vector<DeviceRow>>(
      readers_, [=](pg::Connection& c) { return store::find_devices(c, user, now_ms); },
      std::move(done));
}

void PgStore::is_revoked(UserId user, DeviceId device, Done<bool> done) {
  run<bool>(
      readers_, [=](pg::Connection& c) { return store::is_revoked(c, user, device); },
      std::move(done));
}

void PgStore::sign_out(SignOutRequest request, Done<std::vector<DeviceId>> done) {
  run<std::vector<DeviceId>>(
      readers_,
      [request = std::move(request)](pg::Connection& c) { return store::sign_out(c, request); },
      std::move(done));
}

void PgStore::forget_tokens(WallMs now_ms, Done<std::size_t> done) {
  run<std::size_t>(
      readers_, [=](pg::Connection& c) { return store::forget_tokens(c, now_ms); },
      std::move(done));
}

void PgStore::administer(wire::AdminRequest request, WallMs now_ms, Done<AdminDone> done) {
  run<AdminDone>(
      readers_,
      [request = std::move(request), now_ms](pg::Connection& c) {
        return store::administer(c, request, now_ms);
      },
      std::move(done));
}

void PgStore::audit(wire::AuditQuestion question, Done<std::vector<wire::AuditRow>> done) {
  run<std::vector<wire::AuditRow>>(
      readers_, [=](pg::Connection& c) { return store::audit(c, question); }, std::move(done));
}

void PgStore::trace(wire::TraceQuestion question, Done<std::vector<wire::TraceRow>> done) {
  run<std::vector<wire::TraceRow>>(
      readers_,
      [question = std::move(question)](pg::Connection& c) { return store::trace(c, question); },
      std::move(done));
}

void PgStore::forget_audit(WallMs before_ms, Done<std::size_t> done) {
  run<std::size_t>(
      readers_, [=](pg::Connection& c) { return store::forget_audit(c, before_ms); },
      std::move(done));
}

Result<void> open_store(const PgStoreOptions& options, Duration wait, const Clock& clock) {
  const MonotonicTime deadline = clock.now() + wait;
  pg::ConnectOptions as_owner = connect_options(options);
  if (!options.owner_url.empty()) as_owner.url = options.owner_url;
  const auto owner = open_until(as_owner, deadline, wait, clock);
  if (!owner) return tl::unexpected(owner.error());
  if (auto done = migrate(**owner); !done)
    return fail(ErrorCode::kInternal, "migration failed: " + done.error().message);
  const auto connection = open_until(connect_options(options), deadline, wait, clock);
  if (!connection) return tl::unexpected(connection.error());
  if (auto done = prepare_shards(**connection, options.shards); !done)
    return fail(ErrorCode::kInternal, done.error().message);
  return {};
}

}  // namespace martlet::store
