#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <map>

#include "client/send_queue.h"
#include "client_test_support.h"

// A sequencer in miniature that loses frames and answers, refuses now and then, and gets frames of
// dead connections late. At the end each message is in its conversation once, in the order in which
// it was given to the queue.
namespace martlet::client {
namespace {

struct Log {
  std::vector<ClientMsgId> order;
  std::map<ClientMsgId, std::uint64_t> seqs;
};

class World {
 public:
  explicit World(std::uint64_t seed) : random_(seed), queue_random_(seed + 1) {}

  void run(int steps) {
    for (int i = 0; i < steps; ++i) step();
    peace_ = true;
    for (int i = 0; i < 3'000 && !queue_.empty(); ++i) step();
  }

  void check() {
    EXPECT_TRUE(queue_.empty());
    for (const auto& [id, wanted] : given_) {
      ASSERT_EQ(logs_[id].order, wanted) << id.str();
    }
    for (const auto& [id, count] : outcomes_) ASSERT_EQ(count, 1) << to_string(id);
    EXPECT_EQ(outcomes_.size(), next_ - 1);
  }

 private:
  MonotonicTime now() const { return at_ms(ms_); }
  bool chance(std::uint64_t percent) { return random_.below(100) < percent; }

  void step() {
    ms_ += 1 + static_cast<std::int64_t>(random_.below(100));
    if (!peace_ && chance(60)) give();
    if (!connected_ && chance(30)) {
      connected_ = true;
      queue_.on_connected(8, now());
    }
    serve_frames();
    serve_answers();
    if (!peace_ && connected_ && chance(2)) disconnect();
    queue_.tick(now());
    carry_out();
  }

  void give() {
    const std::string peer = "p" + std::to_string(random_.below(3));
    OutgoingMessage m;
    m.to = user(peer);
    m.conversation = ConversationId::between(user("alice"), m.to);
    m.id = msg_id(next_++);
    m.want = chance(20) ? Strength::kStored : Strength::kLogged;
    given_[m.conversation].push_back(m.id);
    ASSERT_TRUE(queue_.add(std::move(m), now()));
  }

  void disconnect() {
    connected_ = false;
    answers_.clear();
    queue_.on_disconnected();
  }

  // Frames keep their order, but one may be lost; those of a dead connection still arrive.
  void serve_frames() {
    while (!frames_.empty() && chance(70)) {
      const SendQueue::Send frame = frames_.front();
      frames_.pop_front();
      if (!peace_ && chance(5)) {
        // The edge repeats what is not answered.
        frames_.push_back(frame);
        continue;
      }
      serve(frame);
    }
  }

  void serve(const SendQueue::Send& frame) {
    Log& log = logs_[frame.message.conversation];
    const auto known = log.seqs.find(frame.message.id);
    if (known == log.seqs.end()) {
      if (!peace_ && chance(5)) return refuse(frame, ErrorCode::kBusy);
      if (frame.follows && !log.seqs.contains(*frame.follows)) {
        return refuse(frame, ErrorCode::kOutOfOrder);
      }
      log.order.push_back(frame.message.id);
      log.seqs[frame.message.id] = log.order.size();
    }
    Acknowledged ack;
    ack.id = frame.message.id;
    ack.conversation = frame.message.conversation;
    ack.seq = Seq(log.seqs[frame.message.id]);
    ack.level = peace_ || chance(30) ? Strength::kStored : Strength::kLogged;
    if (chance(peace_ ? 0 : 5)) return;
    answers_.push_back([this, ack] { queue_.on_ack(ack, now()); });
  }

  void refuse(const SendQueue::Send& frame, ErrorCode code) {
    answers_.push_back([this, id = frame.message.id, code] {
      queue_.on_refused(id, Error{code, "", 50}, true, now());
    });
  }

  void serve_answers() {
    while (!answers_.empty() && chance(70)) {
      const auto answer = answers_.front();
      answers_.pop_front();
      if (connected_) answer();
    }
  }

  void carry_out() {
    for (SendQueue::Action& action : queue_.take_actions()) {
      if (const auto* send = std::get_if<SendQueue::Send>(&action)) frames_.push_back(*send);
      if (const auto* acked = std::get_if<SendQueue::Acked>(&action)) ++outcomes_[acked->ack.id];
      if (std::holds_alternative<SendQueue::Reconnect>(action)) disconnect();
    }
  }

  SeededRandom random_;
  SeededRandom queue_random_;
  SendQueue queue_{queue_random_};
  bool connected_ = false;
  bool peace_ = false;
  std::int64_t ms_ = 0;
  std::uint64_t next_ = 1;
  std::deque<SendQueue::Send> frames_;
  std::deque<std::function<void()>> answers_;
  std::map<ConversationId, Log> logs_;
  std::map<ConversationId, std::vector<ClientMsgId>> given_;
  std::map<ClientMsgId, int> outcomes_;
};

class SendRandom : public testing::TestWithParam<std::uint64_t> {};

TEST_P(SendRandom, EachMessageIsAcceptedOnceInTheOrderGiven) {
  SCOPED_TRACE("seed " + std::to_string(GetParam()));
  World world(GetParam());
  world.run(1'000);
  world.check();
}

INSTANTIATE_TEST_SUITE_P(Seeds, SendRandom, testing::Range<std::uint64_t>(1, 41));

}  // namespace
}  // namespace martlet::client
