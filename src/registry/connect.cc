#include "registry/connect.h"

#include <utility>

#include "base/random.h"
#include "registry/redis_sessions.h"

namespace martlet::registry {
namespace {

class ConnectedSessions final : public Sessions {
 public:
  ConnectedSessions(event::Loop& loop, redis::ClientOptions options)
      : client_(loop, random_, std::move(options)), sessions_(loop, client_) {}

  void add(const SessionRecord& record) override { sessions_.add(record); }
  void remove(const SessionRecord& record) override { sessions_.remove(record); }
  void read(const UserId& user, Records callback) override {
    sessions_.read(user, std::move(callback));
  }
  std::uint64_t dropped() const override { return sessions_.dropped(); }

 private:
  SystemRandom random_;
  redis::Client client_;
  RedisSessions sessions_;
};

}  // namespace

Result<std::unique_ptr<Sessions>> connect(event::Loop& loop, std::string_view redis_url) {
  auto options = redis::parse_url(redis_url);
  if (!options) return fail(options.error().code, "redis.url: " + options.error().detail);
  return std::make_unique<ConnectedSessions>(loop, std::move(*options));
}

}  // namespace martlet::registry
