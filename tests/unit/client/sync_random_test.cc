#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <set>

#include "client/limits.h"
#include "client/store.h"
#include "client/sync_engine.h"
#include "client_test_support.h"

// A server in miniature and a device with a bad link, by seed: events get lost, doubled and
// overtaken, connections break, the device restarts from its store, the log loses its tail. At the
// end the device has everything once and in order.
namespace martlet::client {
namespace {

constexpr std::size_t kPage = 7;

struct Line {
  std::vector<Message> log;  // seq 1 … n
  std::size_t stored = 0;    // how many of them the database has
};

struct Snapshot {
  std::uint32_t generation = 0;
  std::map<ConversationId, std::size_t> stored;
};

class World {
 public:
  explicit World(std::uint64_t seed) : random_(seed), device_random_(seed + 1) {
    for (const char* name : {"u:alice:bob", "u:alice:carol", "u:alice:dave", "u:alice:erin"}) {
      lines_[conversation(name)];
    }
    for (int i = 0; i < 30; ++i) send_message();  // history from before the device
    lines_[conversation("u:alice:frank")];        // a lost tail may leave nothing of it
    restart_device();
  }

  void run(int steps) {
    for (int i = 0; i < steps; ++i) step();
    // Peace: everything that was lost is found by the next tail check.
    peace_ = true;
    if (!connected_) connect();
    for (int i = 0; i < 400; ++i) step();
    engine_->sync_now(now());
    for (int i = 0; i < 400; ++i) step();
  }

  void check() {
    EXPECT_TRUE(engine_->is_settled());
    for (const auto& [id, line] : lines_) {
      const std::vector<std::uint64_t>& shown = shown_[id];
      ASSERT_EQ(shown.size(), line.log.size()) << id.str();
      for (std::size_t i = first_shown_[id]; i < shown.size(); ++i) {
        ASSERT_EQ(shown[i], line.log[i].id.value()) << id.str() << " seq " << i + 1;
      }
    }
  }

 private:
  MonotonicTime now() const { return at_ms(ms_); }
  bool chance(std::uint64_t percent) { return random_.below(100) < percent; }

  void step() {
    ms_ += 1 + static_cast<std::int64_t>(random_.below(60));
    if (!peace_ && chance(40)) send_message();
    if (chance(30)) store_some();
    deliver_events();
    answer_requests();
    if (!peace_) break_something();
    if (connected_) engine_->tick(now());
    carry_out();
  }

  void break_something() {
    if (chance(2) && connected_) disconnect();
    if (chance(20) && !connected_) connect();
    if (chance(1)) restart_device();
    if (random_.below(400) == 0) lose_tail();
  }

  void send_message() {
    auto at = lines_.begin();
    std::advance(at, static_cast<long>(random_.below(lines_.size())));
    Line& line = at->second;
    Message m = message(line.log.size() + 1, generation_, next_id_++, at->first.str());
    line.log.push_back(m);
    if (!connected_) return;
    if (chance(20)) {
      engine_->on_own(std::move(m), now());
      return;
    }
    if (chance(peace_ ? 0 : 10)) return;
    events_.push_back(m);
    if (chance(10)) events_.push_back(m);
  }

  void store_some() {
    for (auto& [id, line] : lines_) {
      if (line.stored < line.log.size() && chance(50)) line.stored += 1;
    }
  }

  void deliver_events() {
    while (!events_.empty() && chance(70)) {
      const std::size_t index = chance(15) ? random_.below(events_.size()) : 0;
      Message m = events_[index];
      events_.erase(events_.begin() + static_cast<long>(index));
      engine_->on_event(std::move(m), now());
    }
  }

  // The barrier: an answer has all that was in the log when the request came.
  void answer_requests() {
    if (sync_asked_ && chance(30)) {
      const SyncEngine::AskSync ask = *std::exchange(sync_asked_, std::nullopt);
      chance(peace_ ? 0 : 10) ? engine_->on_sync_error(true, {}, now()) : answer_sync(ask);
    }
    if (fetch_asked_ && chance(30)) {
      const SyncEngine::AskFetch ask = *std::exchange(fetch_asked_, std::nullopt);
      chance(peace_ ? 0 : 10) ? engine_->on_fetch_error({}, now()) : answer_fetch(ask);
    }
  }

  // A token is the number of a snapshot. One of an older generation does not say what the device
  // knows, so it is told of all conversations.
  void answer_sync(const SyncEngine::AskSync& ask) {
    for (auto& [id, line] : lines_) line.stored = line.log.size();
    const Snapshot none;
    const Snapshot& told = ask.token.empty() ? none : snapshots_.at(std::stoul(ask.token));
    const auto& before = told.generation == generation_ ? told.stored : none.stored;
    SyncAnswer answer;
    Snapshot snapshot;
    snapshot.generation = generation_;
    for (const auto& [id, line] : lines_) {
      snapshot.stored[id] = line.stored;
      const auto old = before.find(id);
      const bool is_known = old != before.end() && old->second == line.stored;
      // The server tells nothing of a conversation without messages.
      if (is_known || line.stored == 0) continue;
      ConversationNews news;
      news.conversation = id;
      news.last_seq = Seq(line.stored);
      news.generation = Generation(generation_);
      if (ask.token.empty()) add_newest(line, news);
      answer.conversations.push_back(std::move(news));
    }
    answer.token = std::to_string(snapshots_.size());
    snapshots_.push_back(std::move(snapshot));
    engine_->on_sync_answer(std::move(answer), now());
  }

  void add_newest(const Line& line, ConversationNews& news) {
    const std::size_t count = std::min(line.stored, kFirstSyncMessages);
    for (std::size_t i = line.stored - count; i < line.stored; ++i) {
      news.newest.push_back(line.log[i]);
    }
    if (!shown_.contains(news.conversation)) first_shown_[news.conversation] = line.stored - count;
    shown_[news.conversation].resize(
        std::max(shown_[news.conversation].size(), first_shown_[news.conversation]));
  }

  void answer_fetch(const SyncEngine::AskFetch& ask) {
    for (auto& [id, line] : lines_) line.stored = line.log.size();
    FetchAnswer answer;
    for (const ConversationRange& range : ask.ranges) {
      const Line& line = lines_.at(range.conversation);
      for (std::uint64_t seq = range.seqs.from; seq <= range.seqs.to; ++seq) {
        if (seq > line.stored) break;
        if (answer.messages.size() == kPage) {
          answer.remaining.push_back({range.conversation, {seq, range.seqs.to}});
          break;
        }
        answer.messages.push_back(line.log[seq - 1]);
      }
    }
    engine_->on_fetch_answer(std::move(answer), now());
  }

  void connect() {
    connected_ = true;
    engine_->on_connected(std::chrono::seconds(30), now());
  }

  void disconnect() {
    connected_ = false;
    events_.clear();
    sync_asked_.reset();
    fetch_asked_.reset();
    engine_->on_disconnected();
  }

  void restart_device() {
    if (engine_ && connected_) {
      disconnect();
      carry_out();
    }
    engine_.emplace(device_random_, store_.state().sync_token, store_.state().cursors);
    connect();
  }

  void lose_tail() {
    ++generation_;
    for (auto& [id, line] : lines_) line.log.resize(line.stored);
  }

  void carry_out() {
    for (SyncEngine::Action& action : engine_->take_actions()) {
      if (auto* show = std::get_if<SyncEngine::Show>(&action)) {
        on_show(show->message);
      } else if (auto* dropped = std::get_if<SyncEngine::Dropped>(&action)) {
        ASSERT_LE(dropped->from.value(), shown_[dropped->conversation].size());
        shown_[dropped->conversation].resize(dropped->from.value() - 1);
      } else if (auto* save = std::get_if<SyncEngine::SaveCursor>(&action)) {
        store_.set_cursor(save->conversation, save->cursor);
      } else if (auto* token = std::get_if<SyncEngine::SaveToken>(&action)) {
        store_.set_sync_token(token->token);
      } else if (auto* sync = std::get_if<SyncEngine::AskSync>(&action)) {
        sync_asked_ = *sync;
      } else if (auto* fetch = std::get_if<SyncEngine::AskFetch>(&action)) {
        fetch_asked_ = *fetch;
      }
    }
  }

  void on_show(const Message& m) {
    std::vector<std::uint64_t>& shown = shown_[m.conversation];
    ASSERT_EQ(m.seq.value(), shown.size() + 1) << "out of order: " << m.conversation.str();
    ASSERT_TRUE(ever_shown_.insert(m.id.value()).second) << "twice: " << m.id.value();
    shown.push_back(m.id.value());
    store_.set_shown(m.conversation, m.seq, m.id);
  }

  SeededRandom random_;
  SeededRandom device_random_;
  std::map<ConversationId, Line> lines_;
  std::uint32_t generation_ = 1;
  std::uint64_t next_id_ = 1;
  std::vector<Snapshot> snapshots_;

  std::optional<SyncEngine> engine_;
  MemoryStore store_;
  bool connected_ = false;
  bool peace_ = false;
  std::int64_t ms_ = 0;
  std::deque<Message> events_;
  std::optional<SyncEngine::AskSync> sync_asked_;
  std::optional<SyncEngine::AskFetch> fetch_asked_;

  std::map<ConversationId, std::vector<std::uint64_t>> shown_;  // message ids by seq
  std::map<ConversationId, std::size_t> first_shown_;
  std::set<std::uint64_t> ever_shown_;
};

class SyncRandom : public testing::TestWithParam<std::uint64_t> {};

TEST_P(SyncRandom, EverythingIsShownOnceInOrderAndComplete) {
  SCOPED_TRACE("seed " + std::to_string(GetParam()));
  World world(GetParam());
  world.run(2'000);
  world.check();
}

INSTANTIATE_TEST_SUITE_P(Seeds, SyncRandom, testing::Range<std::uint64_t>(1, 41));

}  // namespace
}  // namespace martlet::client
