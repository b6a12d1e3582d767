#pragma once

#include <cstdint>
#include <deque>
#include <list>
#include <map>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "client/backoff.h"
#include "client/limits.h"
#include "client/types.h"

namespace martlet::client {

// Messages on their way out, until the server has them. A pure core: what the application sends
// and what the server answers go in, SENDs and outcomes come out.
//
// Rules. Each message keeps its client_msg_id over all repeats. Within a conversation the order is
// the application's: a message names the unacknowledged one before it (`follows`), several are out
// at a time, and a retryable refusal stops the conversation until all of its messages that are out
// are answered; then it starts again from the oldest. A new connection repeats all that is open.
// A message that wants `stored` stays after its acknowledgement and is repeated now and then until
// the database has it.
class SendQueue {
 public:
  struct Send {
    OutgoingMessage message;
    std::optional<Duration> age;  // none: unknown, it is from before a restart
    std::optional<ClientMsgId> follows;
  };
  // In the log. message: as it was sent.
  struct Acked {
    Acknowledged ack;
    OutgoingMessage message;
  };
  struct Stored {
    ClientMsgId id;
    ConversationId conversation;
    Seq seq;
  };
  // Finally: it is not in the log and never will be.
  struct Refused {
    OutgoingMessage message;
    Error error;
  };
  // Needs no place in the store any more.
  struct Forget {
    ClientMsgId id;
  };
  // An answer is overdue: the connection is of no use.
  struct Reconnect {};
  using Action = std::variant<Send, Acked, Stored, Refused, Forget, Reconnect>;

  struct Counters {
    std::uint64_t sends = 0;
    std::uint64_t repeats = 0;
    std::uint64_t acked = 0;
    std::uint64_t refused = 0;
    std::uint64_t retryable = 0;
    std::uint64_t overdue = 0;
  };

  explicit SendQueue(Random& random) : random_(random) {}

  // kBusy: too many wait already. kConflict: the id is in the queue.
  Result<void> add(OutgoingMessage message, MonotonicTime now);
  // From the store, before the first connection, in the original order.
  void restore(const std::deque<OutgoingMessage>& messages);

  // window: how many SENDs may be out at a time.
  void on_connected(std::uint32_t window, MonotonicTime now);
  void on_disconnected();
  void on_ack(const Acknowledged& ack, MonotonicTime now);
  void on_stored(const ClientMsgId& id, Seq seq, MonotonicTime now);
  void on_refused(const ClientMsgId& id, const Error& error, bool retryable, MonotonicTime now);

  void tick(MonotonicTime now);
  std::optional<MonotonicTime> next_deadline() const;
  std::vector<Action> take_actions();

  // Not acknowledged yet.
  std::size_t unacknowledged() const { return entries_.size(); }
  // Acknowledged, but not known to be stored though that was wanted.
  std::size_t unstored() const { return confirms_.size(); }
  bool empty() const { return entries_.empty() && confirms_.empty(); }
  std::size_t out() const { return out_.size(); }
  const Counters& counters() const { return counters_; }

 private:
  struct Lane;
  struct Entry {
    OutgoingMessage message;
    std::uint64_t order = 0;
    bool is_out = false;
    bool was_sent = false;
    bool from_store = false;  // nobody knows when it was first sent
    std::optional<MonotonicTime> first_sent;
    Lane* lane = nullptr;
  };
  using Entries = std::list<Entry>;
  // The unacknowledged messages of one conversation, oldest first. All before next_to_send are out,
  // or were and are to be repeated once the lane starts again.
  struct Lane {
    Lane() : next_to_send(entries.end()), backoff(kSendRetryMin, kSendRetryMax) {}
    Lane(const Lane&) = delete;
    Lane& operator=(const Lane&) = delete;
    Entries entries;
    Entries::iterator next_to_send;
    std::size_t out = 0;
    bool stopped = false;
    std::optional<MonotonicTime> resume_at;  // stopped, and all that were out are answered
    Duration retry_after{};
    Backoff backoff;
  };
  // Acknowledged, and waiting for the database.
  struct Confirm {
    explicit Confirm(Entry acknowledged)
        : entry(std::move(acknowledged)), backoff(kStoredRepeatMin, kStoredRepeatMax) {}
    Entry entry;
    MonotonicTime repeat_at{};
    Backoff backoff;
  };

  void append(OutgoingMessage message, bool from_store);
  void offer(Lane& lane);
  void withdraw(Lane& lane);
  void pump(MonotonicTime now);
  void send_next(Lane& lane, MonotonicTime now);
  void repeat_confirms(MonotonicTime now);
  std::size_t room_for_confirms() const;
  void emit_send(Entry& entry, std::optional<ClientMsgId> follows, MonotonicTime now);
  Entry remove(Entries::iterator entry, MonotonicTime now);
  void stop(Lane& lane, Duration retry_after);
  void when_all_answered(Lane& lane, MonotonicTime now);
  void restart(Lane& lane);
  void on_confirm_answer(const Acknowledged& ack, MonotonicTime now);

  Random& random_;
  std::uint64_t next_order_ = 1;
  bool connected_ = false;
  std::uint32_t window_ = 0;
  std::map<ConversationId, Lane> lanes_;
  std::unordered_map<ClientMsgId, Entries::iterator> entries_;
  std::map<ClientMsgId, Confirm> confirms_;
  std::map<std::uint64_t, Lane*> ready_;  // lanes that may send, by the order of their next message
  std::set<Lane*> stopped_;
  std::unordered_map<ClientMsgId, MonotonicTime> out_;  // since when
  bool reconnect_asked_ = false;
  std::vector<Action> actions_;
  Counters counters_;
};

}  // namespace martlet::client
