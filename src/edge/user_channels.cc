#include "edge/user_channels.h"

#include <utility>

#include "bus/subjects.h"

namespace martlet::edge {

SubjectPerUser::SubjectPerUser(bus::Bus& bus, TimerWheel& wheel, const Clock& clock,
                               Options options, Handler handler)
    : bus_(bus), handler_(std::move(handler)), subjects_(bus, wheel, clock, options) {}

void SubjectPerUser::attach(const UserId& user, Ready ready) {
  const std::string subject = bus::subject::user(user);
  subjects_.attach(subject, [this, user](BytesView payload) { handler_(user, payload); });
  subjects_.await(subject, std::move(ready));
}

void SubjectPerUser::detach(const UserId& user) {
  subjects_.detach(bus::subject::user(user));
}

bool SubjectPerUser::renew(const UserId& user) {
  return subjects_.renew(bus::subject::user(user));
}

void SubjectPerUser::publish(const UserId& user, BytesView to_user) {
  bus_.publish(bus::subject::user(user), to_user);
}

}  // namespace martlet::edge
