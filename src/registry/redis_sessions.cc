#include "registry/redis_sessions.h"

#include <utility>

#include "registry/session_json.h"

namespace martlet::registry {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Duration kRefreshPeriod = seconds(30);
constexpr std::uint32_t kLifeMs = 90'000;
constexpr Duration kRetryPeriod = seconds(1);
// All sessions of a large edge within a few seconds, without a burst that stalls anybody.
constexpr Duration kTick = milliseconds(50);
constexpr std::size_t kWritesPerTick = 500;

// A newer session of the device may stand there by now.
constexpr const char* kRemoveIfOurs =
    "local v = redis.call('HGET', KEYS[1], ARGV[1]) "
    "if v and string.find(v, ARGV[2], 1, true) then return redis.call('HDEL', KEYS[1], ARGV[1]) "
    "end return 0";

std::string key_of(const UserId& user) {
  return "im:user:" + user.str();
}

}  // namespace

RedisSessions::RedisSessions(event::Loop& loop, redis::Client& client)
    : loop_(loop), client_(client), timer_(loop, [this] { write_some(); }) {
  client_.on_connected([this] { write_all_soon(); });
  timer_.start_every(kTick);
}

void RedisSessions::add(const SessionRecord& record) {
  ours_.push_front({record, loop_.now()});
  places_[record.session] = ours_.begin();
  write(ours_.begin());
}

void RedisSessions::remove(const SessionRecord& record) {
  const auto found = places_.find(record.session);
  if (found == places_.end()) return;
  ours_.erase(found->second);
  places_.erase(found);
  client_.command({"EVAL", kRemoveIfOurs, "1", key_of(record.user), record.device.str(),
                   to_string(record.session)},
                  [this](const Result<redis::Reply>& reply) {
                    if (!reply) ++dropped_;
                  });
}

// The list is in the order of `due`: each write puts the record to the end.
void RedisSessions::write_some() {
  const MonotonicTime now = loop_.now();
  for (std::size_t i = 0; i < kWritesPerTick; ++i) {
    if (!client_.is_connected() || ours_.empty() || ours_.front().due > now) return;
    write(ours_.begin());
  }
}

void RedisSessions::write(Place place) {
  place->due = loop_.now() + kRefreshPeriod;
  ours_.splice(ours_.end(), ours_, place);
  const SessionRecord& record = place->record;
  const std::string key = key_of(record.user);
  client_.command({"HSET", key, record.device.str(), to_json(record, loop_.wall_ms() + kLifeMs)},
                  [this, session = record.session](const Result<redis::Reply>& reply) {
                    on_written(session, reply);
                  });
  client_.command({"PEXPIRE", key, std::to_string(kLifeMs)}, [](const Result<redis::Reply>&) {});
}

// A lost connection needs nothing: all is written again when Redis is back. An error of Redis
// itself (loading, out of memory) is tried again soon.
void RedisSessions::on_written(const SessionId& session, const Result<redis::Reply>& reply) {
  if (reply) return;
  ++dropped_;
  const auto found = places_.find(session);
  if (found == places_.end() || reply.error().code == ErrorCode::kUnavailable) return;
  found->second->due = loop_.now() + kRetryPeriod;
  ours_.splice(ours_.begin(), ours_, found->second);
}

void RedisSessions::write_all_soon() {
  for (Ours& ours : ours_) ours.due = loop_.now();
}

void RedisSessions::read(const UserId& user, Records callback) {
  client_.command({"HGETALL", key_of(user)},
                  [this, user, callback = std::move(callback)](const Result<redis::Reply>& reply) {
                    if (!reply)
                      return callback(fail(ErrorCode::kUnavailable, reply.error().detail));
                    std::vector<SessionRecord> records;
                    for (std::size_t i = 0; i + 1 < reply->elements.size(); i += 2) {
                      auto record = from_json(user, reply->elements[i].text,
                                              reply->elements[i + 1].text, loop_.wall_ms());
                      if (record) records.push_back(std::move(*record));
                    }
                    callback(std::move(records));
                  });
}

}  // namespace martlet::registry
