// Very many sessions on one timer wheel, as the edge drives it, under a fake clock. Work is
// counted, not timed.

#include <gtest/gtest.h>

#include <deque>
#include <vector>

#include "base/random.h"
#include "edge/limits.h"
#include "edge/session.h"
#include "edge/timer_wheel.h"

namespace martlet::edge {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr MonotonicTime kStart{seconds(1000)};
constexpr MonotonicTime kNever{std::chrono::hours(1000)};
constexpr Duration kHeartbeat = seconds(30);
// The few that fall silent while the others keep talking, each with a frame in this time.
constexpr int kSilent = 1000;
constexpr int kTalkSteps = 100;
constexpr int kTestSteps = 450;

// A session with its timer: what ClientLink does with the two.
struct Client {
  Client(const SessionLimits& limits, TimerWheel& wheel, std::size_t& expired)
      : session(limits, kStart), timer([this, &wheel, &expired] {
          if (!session.overdue(now)) return void(wheel.schedule(timer, session.deadline()));
          expired_at = now;
          ++expired;
        }) {
    session.authenticating(UserId::trusted("user"), DeviceId::trusted("phone"));
    session.authenticated({1, 2}, kNever, kStart);
    wheel.schedule(timer, session.deadline());
  }
  bool has_expired() const { return expired_at != MonotonicTime(); }

  static MonotonicTime now;
  Session session;
  TimerWheel::Entry timer;
  MonotonicTime last_frame = kStart;
  MonotonicTime expired_at;
};

MonotonicTime Client::now;

class Crowd {
 public:
  explicit Crowd(int size) {
    Client::now = kStart;
    for (int i = 0; i < size; ++i) clients_.emplace_back(limits_, wheel_, expired_);
  }

  // A turn of the edge's timer. Returns how many entries the wheel looked at.
  std::size_t step() {
    Client::now = kStart + ++steps_ * kTick;
    const std::size_t before = expired_;
    const std::size_t looked_at = wheel_.advance(Client::now);
    EXPECT_EQ(looked_at, expired_ - before) << "a tick looks only at what expires";
    return looked_at;
  }

  // At some moment between this step and the next.
  void frame(Client& client) {
    client.last_frame = Client::now + Duration(random_.below(kTick.count()));
    client.session.heard(wire::Codec::kFlatBuffers, client.last_frame);
    wheel_.schedule(client.timer, client.session.deadline());
    ++frames_;
  }

  // Everybody but the first kSilent has a frame in kTalkSteps steps.
  void talk() {
    for (std::size_t i = kSilent + steps_ % kTalkSteps; i < clients_.size(); i += kTalkSteps) {
      frame(clients_[i]);
    }
  }

  void expect_all_expired_in_time() const {
    std::size_t wrong = 0;
    for (const Client& client : clients_) {
      const Duration silence = client.expired_at - client.last_frame;
      if (silence < kHeartbeat || silence > kHeartbeat + seconds(1)) ++wrong;
    }
    EXPECT_EQ(wrong, 0u) << "sessions expired too early, too late or never";
  }

  std::deque<Client>& clients() { return clients_; }
  std::size_t expired() const { return expired_; }
  std::size_t frames() const { return frames_; }

 private:
  SessionLimits limits_{.heartbeat = kHeartbeat};
  TimerWheel wheel_{kStart, kWheelTick, kWheelSlots};
  SeededRandom random_{7};
  std::size_t expired_ = 0;
  std::size_t frames_ = 0;
  std::size_t steps_ = 0;
  std::deque<Client> clients_;
};

// A thousand fall silent one after the other, the others talk: what the wheel looks at in each
// step. Then the others fall silent too.
std::vector<std::size_t> work_of(int sessions) {
  Crowd crowd(sessions);
  std::vector<std::size_t> work;
  for (int step = 0; step < kTestSteps; ++step) {
    work.push_back(crowd.step());
    crowd.talk();
    const int silent = 10 * step;
    for (int i = silent; i < std::min(silent + 10, kSilent); ++i) crowd.frame(crowd.clients()[i]);
  }
  EXPECT_EQ(crowd.expired(), std::size_t(kSilent));
  EXPECT_GT(crowd.frames(), std::size_t(sessions) * 4);
  while (crowd.expired() < crowd.clients().size() && Client::now < kStart + seconds(100)) {
    crowd.step();
  }
  EXPECT_EQ(crowd.expired(), crowd.clients().size());
  crowd.expect_all_expired_in_time();
  return work;
}

TEST(SessionExpiry, SessionsEndBetween30And31SecondsAfterTheirLastFrameHoweverManyThereAre) {
  const std::vector<std::size_t> few = work_of(100'000);
  const std::vector<std::size_t> many = work_of(1'000'000);
  EXPECT_EQ(few, many) << "the work of a tick depends on how many sessions are alive";
}

}  // namespace
}  // namespace martlet::edge
