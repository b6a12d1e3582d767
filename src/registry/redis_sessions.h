#pragma once

#include <cstdint>
#include <list>
#include <unordered_map>

#include "event/loop.h"
#include "lib/redis/client.h"
#include "registry/sessions.h"

namespace martlet::registry {

// The directory in Redis: a hash for each user with a field for each device. Our records are
// written again every 30 s, and all of them, some at a time, whenever Redis comes back; records of
// a process that died run out after 90 s. Loop thread; the client must outlive it.
class RedisSessions final : public Sessions {
 public:
  RedisSessions(event::Loop& loop, redis::Client& client);

  void add(const SessionRecord& record) override;
  void remove(const SessionRecord& record) override;
  void read(const UserId& user, Records callback) override;
  std::uint64_t dropped() const override { return dropped_; }

 private:
  struct Ours {
    SessionRecord record;
    MonotonicTime due;
  };
  using Place = std::list<Ours>::iterator;

  void write_some();
  void write(Place place);
  void on_written(const SessionId& session, const Result<redis::Reply>& reply);
  void write_all_soon();

  event::Loop& loop_;
  redis::Client& client_;
  std::list<Ours> ours_;  // what is due first stands first
  std::unordered_map<SessionId, Place> places_;
  std::uint64_t dropped_ = 0;
  event::Timer timer_;
};

}  // namespace martlet::registry
