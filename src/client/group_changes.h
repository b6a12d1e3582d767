#pragma once

#include <deque>
#include <optional>
#include <set>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "client/backoff.h"
#include "client/types.h"

namespace martlet::client {

// Changes of groups on their way out, until the server has answered them. A pure core.
//
// Each keeps its client_msg_id over all repeats: upon a retryable refusal, and with every new
// connection. Those of one group go one after the other, in the order of the application.
class GroupChanges {
 public:
  struct Ask {
    OutgoingChange change;
    std::optional<Duration> age;  // none: unknown, it is from before a restart
  };
  // In the log.
  struct Done {
    OutgoingChange change;
    Acknowledged ack;
  };
  // Finally: it did not happen and never will.
  struct Refused {
    OutgoingChange change;
    Error error;
  };
  using Action = std::variant<Ask, Done, Refused>;

  explicit GroupChanges(Random& random) : random_(random) {}

  // kBusy: too many wait already. kConflict: the id is in the list.
  Result<void> add(OutgoingChange change, MonotonicTime now);
  // From the store, before the first connection, in the original order.
  void restore(const std::deque<OutgoingChange>& changes);

  void on_connected(MonotonicTime now);
  void on_disconnected();
  void on_ack(const Acknowledged& ack, MonotonicTime now);
  void on_refused(const ClientMsgId& id, const Error& error, bool retryable, MonotonicTime now);

  void tick(MonotonicTime now) { pump(now); }
  std::optional<MonotonicTime> next_deadline() const;
  std::vector<Action> take_actions();

  bool empty() const { return entries_.empty(); }

 private:
  struct Entry {
    OutgoingChange change;
    Backoff backoff;
    bool from_store = false;  // nobody knows when it was first sent
    bool is_out = false;
    MonotonicTime due{};
    std::optional<MonotonicTime> first_sent;
  };
  using Entries = std::deque<Entry>;

  Entries::iterator find(const ClientMsgId& id);
  void append(OutgoingChange change, bool from_store, MonotonicTime due);
  void pump(MonotonicTime now);
  void ask(Entry& entry, MonotonicTime now);
  // Calls with the oldest of each group.
  template <class List, class Visit>
  static void visit_heads(List& entries, const Visit& visit);

  Random& random_;
  Entries entries_;  // in the order of the application
  bool connected_ = false;
  std::vector<Action> actions_;
};

}  // namespace martlet::client
