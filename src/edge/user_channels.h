#pragma once

#include <functional>

#include "base/result.h"
#include "bus/bus.h"
#include "edge/counted_subjects.h"
#include "model/ids.h"

namespace martlet::edge {

// How a user is addressed: makes what is published to a user arrive here while somebody is attached
// to them. Behind an interface, because a subject per user has a ceiling; hash buckets or a subject
// per edge could replace it. Loop thread.
class UserChannels {
 public:
  using Handler = std::function<void(const UserId&, BytesView to_user)>;
  using Ready = std::function<void(Result<void>)>;
  virtual ~UserChannels() = default;

  // Counted. ready: once, maybe at once, when the broker knows, or with an error; the attachment
  // holds in both cases until detach.
  virtual void attach(const UserId& user, Ready ready) = 0;
  virtual void detach(const UserId& user) = 0;
  // Somebody attached to the user missed what was published to them: makes sure of it anew. False:
  // it was done a moment ago.
  virtual bool renew(const UserId& user) = 0;
  // ToUser.
  virtual void publish(const UserId& user, BytesView to_user) = 0;
  virtual std::size_t size() const = 0;
};

// One subscription im.u.<uid> for each user with sessions.
class SubjectPerUser final : public UserChannels {
 public:
  using Options = CountedSubjects::Options;
  // All must outlive it; nothing is called after its end.
  SubjectPerUser(bus::Bus& bus, TimerWheel& wheel, const Clock& clock, Options options,
                 Handler handler);

  void attach(const UserId& user, Ready ready) override;
  void detach(const UserId& user) override;
  bool renew(const UserId& user) override;
  void publish(const UserId& user, BytesView to_user) override;
  std::size_t size() const override { return subjects_.size(); }

 private:
  bus::Bus& bus_;
  const Handler handler_;
  CountedSubjects subjects_;
};

}  // namespace martlet::edge
