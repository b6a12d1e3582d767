#include <gtest/gtest.h>

#include <map>
#include <set>

#include "base/random.h"
#include "rig.h"
#include "wire/content.h"

namespace martlet::dispatcher::testing {
namespace {

using Kind = wire::AnswerKind;
using namespace std::chrono_literals;

struct Message {
  ClientMsgId id;
  std::string content;
  WallMs first_sent_ms = 0;
  bool is_acked = false;
  Seq seq;
  MessageId message_id;
};

// One sender's messages to one peer, in the order in which it sends them.
struct Lane {
  std::string from;
  std::string to;
  std::vector<Message> messages;
};

// A shard under everything that can go wrong, by seed: frames and answers get lost, appends land
// without an answer or late, owners die at any moment, the database lags and fails, the log is
// purged, clients repeat for ever. Checks what is promised of the log and of the answers.
class Model {
 public:
  explicit Model(std::uint64_t seed) : random_(seed), rig_({.heads = 6, .log_bytes = 60'000}) {
    const std::vector<std::string> names = {"alice", "bob", "carol", "dave"};
    for (const std::string& from : names) {
      for (const std::string& to : names) lanes_.push_back({from, to, {}});
    }
  }

  void run(int steps) {
    for (int i = 0; i < steps && !::testing::Test::HasFailure(); ++i) {
      step();
      hear();
    }
    recover();
    check_log();
    check_answers();
    check_live();
  }

 private:
  void step() {
    switch (random_.below(16)) {
      case 0:
      case 1:
      case 2:
        return send_new();
      case 3:
      case 4:
        return repeat(any_lane());
      case 5:
        return repeat_old();
      case 6:
        return contradict();
      case 7:
      case 8:
      case 9:
        if (rig_.append) finish_append();
        return;
      case 10:
      case 11:
        if (rig_.question) rig_.answer_question();
        return;
      case 12:
        if (random_.below(8) == 0) crash();
        return;
      case 13:
        return store();
      case 14:
        if (random_.below(20) == 0) rig_.database.is_up = !rig_.database.is_up;
        return;
      default:
        return pass();
    }
  }

  bool one_in(std::uint64_t n) { return random_.below(n) == 0; }
  Lane& any_lane() { return lanes_[random_.below(lanes_.size())]; }

  void transmit(Lane& lane, std::size_t index, std::string content = "") {
    if (one_in(10)) return;
    const Message& message = lane.messages[index];
    Sending sending;
    sending.from = lane.from;
    sending.to = lane.to;
    sending.id = message.id;
    sending.content = content.empty() ? message.content : content;
    if (index > 0 && !lane.messages[index - 1].is_acked) {
      sending.follows = lane.messages[index - 1].id;
    }
    sending.request_id = ++request_id_;
    sending.edge = one_in(2) ? "edge1" : "edge2";
    sending.session = {1 + random_.below(3), 1};
    // Sometimes unknown, sometimes by a clock that stood still.
    sending.first_sent_ms = one_in(10) ? 0 : message.first_sent_ms;
    if (one_in(10)) sending.first_sent_ms = rig_.moment.wall_ms;
    sending.wants_stored = one_in(5);
    requests_[request_id_] = {&lane, index, content.empty()};
    rig_.send(sending);
    if (one_in(10)) rig_.send(sending);  // the edge repeats
  }

  void send_new() {
    Lane& lane = any_lane();
    std::size_t open = 0;
    for (const Message& message : lane.messages) open += !message.is_acked;
    if (open >= 5) return;
    const ClientMsgId id = id_of(++message_count_, rig_.moment.wall_ms);
    lane.messages.push_back(
        {id, "content " + std::to_string(message_count_), rig_.moment.wall_ms, false, {}, {}});
    transmit(lane, lane.messages.size() - 1);
  }

  void repeat(Lane& lane) {
    for (std::size_t i = 0; i < lane.messages.size(); ++i) {
      if (!lane.messages[i].is_acked) transmit(lane, i);
    }
  }

  void repeat_old() {
    Lane& lane = any_lane();
    if (!lane.messages.empty()) transmit(lane, random_.below(lane.messages.size()));
  }

  void contradict() {
    Lane& lane = any_lane();
    if (lane.messages.empty()) return;
    const std::size_t index = random_.below(lane.messages.size());
    if (lane.messages[index].is_acked) transmit(lane, index, "something else");
  }

  void finish_append() {
    if (!one_in(20)) return rig_.finish_append();
    // No answer: the batch landed, or will try to, or never comes.
    const AppendRequest lost = *rig_.append;
    if (one_in(3)) rig_.log.append(lost.expected_last, lost.batch);
    zombies_.push_back(lost);
    rig_.fail_append(bus::AppendFailure::kUnknown);
    ASSERT_TRUE(rig_.is_doubting);
    take_over();
  }

  void crash() {
    if (rig_.append) zombies_.push_back(*rig_.append);
    take_over();
  }

  void wake_zombies() {
    for (const AppendRequest& late : zombies_) {
      if (one_in(2)) rig_.log.append(late.expected_last, late.batch);
    }
  }

  void take_over() {
    wake_zombies();
    if (!rig_.database.is_up) rig_.database.is_up = true;
    const LogPosition end(rig_.log.last().value());
    rig_.take_over(LogPosition(random_.below(shown_up_to_ + 1)));
    for (const LiveEntry& live : rig_.taken()->live) show(live);
    shown_up_to_ = std::max(shown_up_to_, end.value());
    for (const ConversationId& missed : rig_.taken()->missed) missed_.insert(missed.str());
    const std::uint64_t before = rig_.log.last().value();
    wake_zombies();
    EXPECT_EQ(rig_.log.last().value(), before) << "a dead owner wrote behind the fence";
    zombies_.clear();
  }

  void store() {
    if (!rig_.database.is_up) return;
    const std::uint64_t from = rig_.database.watermark.value();
    const std::uint64_t lag = rig_.log.last().value() - from;
    rig_.follow(LogPosition(from + random_.below(lag + 1)));
    if (one_in(3)) return;
    rig_.core().watermark(rig_.database.told(kShard));
    rig_.take();
    if (one_in(2)) purge();
  }

  // As persist does it: what is stored and older than 30 s.
  void purge() {
    const auto batches = rig_.log.batches();
    std::uint64_t keep = rig_.log.info().first.value();
    while (keep < rig_.database.watermark.value() &&
           batches[keep - 1].entries[0].time_ms + 30'000 < rig_.moment.wall_ms) {
      ++keep;
    }
    rig_.log.purge_below(bus::LogSequence(keep));
    rig_.core().info_asked();
    std::uint64_t bytes = 0;
    for (std::uint64_t i = keep; i <= batches.size(); ++i) {
      bytes += wire::encode(batches[i - 1]).size() + kRecordOverheadBytes;
    }
    rig_.core().info(bytes);
  }

  void pass() {
    rig_.moment.renewal_age = one_in(10) ? 2000ms : 100ms;
    const Duration times[] = {1ms, 10ms, 300ms, 3s};
    rig_.pass(one_in(30) ? Duration(31s) : times[random_.below(4)]);
  }

  void show(const LiveEntry& live) {
    if (live.entry.kind == wire::EntryKind::kMessage) shown_.insert(live.entry.message_id);
  }

  // Everything that the core said since.
  void hear() {
    for (const LiveEntry& event : rig_.events()) {
      show(event);
      shown_up_to_ = std::max(shown_up_to_, event.position.value());
    }
    for (const OutgoingAnswer& answer : rig_.answers()) hear(answer.answer);
  }

  void hear(const wire::Answer& answer) {
    if (one_in(10)) return;
    const auto asked = requests_.find(answer.request_id);
    ASSERT_NE(asked, requests_.end());
    Message& message = asked->second.lane->messages[asked->second.index];
    ASSERT_EQ(answer.client_msg_id, message.id);
    if (answer.kind == Kind::kRefused) {
      const bool is_final = !is_retryable(answer.error);
      ASSERT_EQ(is_final, answer.error == ErrorCode::kConflict) << error_name(answer.error);
      ASSERT_FALSE(is_final && asked->second.is_true) << "a true copy is no conflict";
      return;
    }
    ASSERT_TRUE(asked->second.is_true) << "another content was accepted";
    if (answer.kind == Kind::kStored || answer.level == wire::AckLevel::Stored) {
      stored_.insert(answer.message_id);
    }
    if (message.is_acked) {
      ASSERT_EQ(answer.seq, message.seq) << "two answers to one message differ";
      ASSERT_EQ(answer.message_id, message.message_id);
    }
    message.is_acked = true;
    message.seq = answer.seq;
    message.message_id = answer.message_id;
  }

  // A calm end: everything that clients still want gets in.
  void recover() {
    rig_.database.is_up = true;
    rig_.moment.renewal_age = 100ms;
    for (int round = 0; round < 300; ++round) {
      bool is_open = false;
      for (Lane& lane : lanes_) {
        for (const Message& message : lane.messages) is_open = is_open || !message.is_acked;
        repeat(lane);
        rig_.settle();
        hear();
      }
      if (!is_open) break;
      rig_.store_all();
      purge();
      rig_.pass(5s);
      hear();
    }
    rig_.store_all();
    hear();
  }

  void check_log() {
    std::map<std::string, Seq> last;
    std::set<ClientMsgId> seen;
    MessageId last_id;
    Epoch last_epoch;
    std::map<ClientMsgId, Seq> by_id;
    for (const wire::Batch& batch : rig_.log.batches()) {
      EXPECT_GE(batch.epoch, last_epoch);
      last_epoch = batch.epoch;
      for (const wire::Entry& entry : batch.entries) {
        if (entry.kind != wire::EntryKind::kMessage) continue;
        Seq& before = last[entry.conversation.str()];
        EXPECT_EQ(entry.seq, before.next()) << "a gap in " << entry.conversation.str();
        before = entry.seq;
        EXPECT_TRUE(seen.insert(entry.client_msg_id).second) << "a message is there twice";
        EXPECT_GT(entry.message_id, last_id);
        last_id = entry.message_id;
        by_id[entry.client_msg_id] = entry.seq;
        logged_[entry.message_id] = entry;
      }
    }
    for (const Lane& lane : lanes_) {
      Seq before;
      for (const Message& message : lane.messages) {
        const Seq seq = by_id[message.id];
        EXPECT_GT(seq, before) << "the sender's order is broken";
        before = seq;
      }
    }
  }

  void check_answers() {
    for (const Lane& lane : lanes_) {
      for (const Message& message : lane.messages) {
        EXPECT_TRUE(message.is_acked) << "a message never got in";
        const auto entry = logged_.find(message.message_id);
        ASSERT_NE(entry, logged_.end()) << "acknowledged, but not in the log";
        EXPECT_EQ(entry->second.seq, message.seq);
        EXPECT_EQ(entry->second.content, wire::encode_text(message.content));
      }
    }
    for (const MessageId id : stored_) EXPECT_TRUE(logged_.contains(id));
  }

  void check_live() {
    for (const auto& [id, entry] : logged_) {
      EXPECT_TRUE(shown_.contains(id) || missed_.contains(entry.conversation.str()))
          << "nobody was shown a message";
    }
  }

  struct Asked {
    Lane* lane;
    std::size_t index;
    bool is_true;  // with the message's own content
  };

  SeededRandom random_;
  Rig rig_;
  std::vector<Lane> lanes_;
  std::map<std::uint32_t, Asked> requests_;
  std::vector<AppendRequest> zombies_;
  std::set<MessageId> shown_;
  std::set<MessageId> stored_;
  std::set<std::string> missed_;
  std::map<MessageId, wire::Entry> logged_;
  std::uint64_t shown_up_to_ = 0;
  std::uint64_t message_count_ = 0;
  std::uint32_t request_id_ = 0;
};

class ShardModel : public ::testing::TestWithParam<std::uint64_t> {};

TEST_P(ShardModel, KeepsItsPromises) {
  SCOPED_TRACE("seed " + std::to_string(GetParam()));
  Model model(GetParam());
  model.run(4'000);
}

INSTANTIATE_TEST_SUITE_P(Seeds, ShardModel, ::testing::Range<std::uint64_t>(1, 41));

}  // namespace
}  // namespace martlet::dispatcher::testing
