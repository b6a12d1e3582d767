#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "dispatcher/shard_core.h"
#include "dispatcher/take_over.h"
#include "support/fake_database.h"
#include "support/hop_notes.h"
#include "wire/group_requests.h"
#include "wire/requests.h"

// The surroundings of a shard's cores, played on one thread: a log that keeps what was appended, a
// database behind it, edges that remember what they were told.
namespace martlet::dispatcher::testing {

using test::FakeDatabase;

inline constexpr WallMs kStartMs = 1'700'000'000'000;

// A UUIDv7.
ClientMsgId id_of(std::uint64_t number, WallMs made_ms = kStartMs);
UserId user(std::string_view name);
ConversationId between(std::string_view a, std::string_view b);
ConversationId group(std::string_view name);

// A stream: sequences count from 1; what was purged can't be read any more.
class FakeLog {
 public:
  tl::expected<bus::LogSequence, bus::AppendError> append(bus::LogSequence expected_last,
                                                          BytesView batch);
  bus::LogInfo info() const;
  // Records from `from` on; kConflict if that is before the first.
  Result<std::vector<bus::LogRecord>> read(bus::LogSequence from, std::size_t at_most) const;
  void purge_below(bus::LogSequence first);
  void lose_after(bus::LogSequence last);

  std::vector<wire::Batch> batches() const;  // all that were ever written
  bus::LogSequence last() const { return bus::LogSequence(records_.size()); }

 private:
  std::vector<Bytes> records_;
  bus::LogSequence first_{1};
};

struct Sending {
  std::string from = "alice";
  std::string to = "bob";  // "g:name": a group
  ClientMsgId id;
  std::string content = "hello";
  std::optional<ClientMsgId> follows;
  bool wants_stored = false;
  std::uint32_t request_id = 1;
  std::string edge = "edge1";
  SessionId session{1, 1};
  std::optional<WallMs> first_sent_ms;  // default: now; 0: unknown
  std::optional<WallMs> received_ms;    // default: now
  wire::Traced traced = wire::Traced::kNo;
};

// What somebody wants to do to a group.
struct Changing {
  std::string from = "alice";
  std::string group = "team";
  ClientMsgId id;
  MembersChange change;
  std::uint32_t request_id = 1;
  std::string edge = "edge1";
  SessionId session{1, 1};
  std::optional<WallMs> first_sent_ms;  // default: now; 0: unknown
};
MembersChange created(const std::vector<std::string>& users = {},
                      JoinPolicy join = JoinPolicy::kInvited);
MembersChange act_of(MembersAction action, const std::vector<std::string>& users = {},
                     GroupRole role = GroupRole::kNone);

// One shard of one dispatcher with its log and database. Nothing moves by itself: an append waits
// in `append` until finish_append(), a question in `question` until answer_question().
class Rig {
 public:
  explicit Rig(ShardLimits limits = {});

  // A new owner takes over; what the old one had is gone.
  void take_over(LogPosition published = {});
  // The same, from a shard whose conversations are known: cold ones are answered by the database.
  void send(const Sending& sending);
  void change(const Changing& changing);
  void typing(std::string_view from, std::string_view to);
  void read(std::string_view reader, const ConversationId& conversation, std::uint64_t seq,
            std::uint32_t request_id = 1);
  // The append under way reaches the log, and its answer the core.
  void finish_append();
  void fail_append(bus::AppendFailure failure);
  void answer_question();
  // Appends, questions and answers until nothing is left to do.
  void settle();
  // The database follows the log, up to the position or to its end.
  void follow(LogPosition up_to = LogPosition(UINT64_MAX));
  void store_all();  // the database follows, and tells its watermark
  void pass(Duration time);
  void tick();
  void take();

  // The answers since the last call.
  std::vector<OutgoingAnswer> answers();
  OutgoingAnswer only_answer();
  std::vector<LiveEntry> events();
  std::vector<LiveTyping> typings();

  ShardCore& core() { return *core_; }

  metrics::Registry registry;
  DispatcherMetrics metrics{registry};
  test::HopNotes hops;
  ShardLimits limits;
  FakeLog log;
  FakeDatabase database;
  Moment moment;
  std::uint64_t leases = 0;
  std::optional<AppendRequest> append;
  std::optional<wire::ColdQuestion> question;
  bool is_doubting = false;
  TakenOver* taken() { return &taken_; }

 private:
  void hand_in(wire::ClientFrame frame);

  TakenOver taken_;
  std::unique_ptr<ShardCore> core_;
  std::vector<OutgoingAnswer> answers_;
  std::vector<LiveEntry> events_;
  std::vector<LiveTyping> typings_;
};

// Plays all steps of a take-over until it is done; it must not give up.
TakenOver play_take_over(TakeOverCore& core, FakeLog& log, FakeDatabase& database, ShardId shard,
                         Moment moment);

inline constexpr ShardId kShard{0};
inline constexpr std::uint16_t kOneShard = 1;

}  // namespace martlet::dispatcher::testing
