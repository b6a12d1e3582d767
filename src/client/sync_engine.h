#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "client/backoff.h"
#include "client/track.h"
#include "client/types.h"

namespace martlet::client {

// What a device missed, found and fetched: the gap rule and the tail check. A pure core: events
// and answers in, actions out; the shell carries the actions out in their order, then asks again
// when next_deadline() has come. Each message of a conversation is shown once, in the order of seq.
//
// Rules. A message that is the next one is shown at once; an older one is dropped; one above a gap
// waits 300 ms for the rest, then FETCH. A device that never completed a SYNC lets all events wait,
// and one that did those of a group that it does not know: where it begins there is told by SYNC.
// SYNC runs after login, 2 s later, every tail-check interval, and when the edge hints it; it is
// the only thing that starts a conversation's history, and the repair of whatever live lost.
class SyncEngine {
 public:
  struct Show {
    Message message;
    Origin origin;
  };
  // Messages shown with seq >= from were lost by the server; other messages take their numbers.
  struct Dropped {
    ConversationId conversation;
    Seq from;
  };
  struct SaveCursor {
    ConversationId conversation;
    Cursor cursor;
  };
  struct SaveToken {
    Bytes token;
  };
  struct AskSync {
    Bytes token;
    Bytes page;
  };
  struct AskFetch {
    std::vector<ConversationRange> ranges;
    std::uint64_t live_missed = 0;  // of these messages, live should have brought so many
  };
  struct News {
    ConversationNews news;
  };
  // A SYNC is complete; behind: as far as the database goes.
  struct Synced {
    bool behind = false;
  };
  using Action =
      std::variant<Show, Dropped, SaveCursor, SaveToken, AskSync, AskFetch, News, Synced>;

  struct Counters {
    std::uint64_t syncs = 0;
    std::uint64_t sync_pages = 0;
    std::uint64_t fetches = 0;
    std::uint64_t live = 0;         // events shown
    std::uint64_t fetched = 0;      // messages shown that came by FETCH or a first SYNC
    std::uint64_t duplicates = 0;   // events and fetched messages that were here already
    std::uint64_t gaps = 0;         // events that came above a gap
    std::uint64_t live_missed = 0;  // found by SYNC though live should have brought them
    std::uint64_t waited = 0;       // events that waited for a SYNC
    std::uint64_t discarded = 0;    // events that could not wait; fetched later
    std::uint64_t old_generation = 0;
  };

  // random must outlive the engine. token: empty for a new device.
  SyncEngine(Random& random, Bytes token, std::map<ConversationId, Cursor> cursors);

  void on_connected(Duration tail_check, MonotonicTime now);
  void on_disconnected();

  // A MESSAGE event, or a message of this device that was acknowledged (the session that sends
  // gets no event).
  void on_event(Message message, MonotonicTime now) {
    take(std::move(message), Origin::kLive, now);
  }
  void on_own(Message message, MonotonicTime now) { take(std::move(message), Origin::kOwn, now); }
  // The edge asks for a SYNC at a random moment within the time.
  void on_resync(Duration within, MonotonicTime now);
  void on_sync_answer(SyncAnswer answer, MonotonicTime now);
  // retryable: ask again later. Otherwise the server does not know our token: start anew.
  void on_sync_error(bool retryable, Duration retry_after, MonotonicTime now);
  void on_fetch_answer(FetchAnswer answer, MonotonicTime now);
  void on_fetch_error(Duration retry_after, MonotonicTime now);
  // One of the conversations asked for is not this user's, and none was answered: they are asked
  // for one by one, until it is found and given up.
  void on_fetch_of_others(MonotonicTime now);

  // A SYNC as soon as possible (the user asks, or what a caller waits for).
  void sync_now(MonotonicTime now);

  // Starts what has become due.
  void tick(MonotonicTime now);
  std::optional<MonotonicTime> next_deadline() const;
  std::vector<Action> take_actions();

  // Nothing is lacking, no request is out, and a SYNC was complete on this connection.
  bool is_settled() const;
  // How often a SYNC was complete since this engine began.
  std::uint64_t completed_syncs() const { return completed_syncs_; }
  const Counters& counters() const { return counters_; }
  const Cursor* find_cursor(const ConversationId& conversation) const;

 private:
  struct Gap {
    MonotonicTime fetch_at;
    SeqRange suspect;  // told by SYNC although live should have brought it; from 0: none
  };

  void take(Message message, Origin origin, MonotonicTime now);
  void wait_for_sync(Message message, Origin origin);
  void release_waiting(bool behind, MonotonicTime now);
  void check_generation(const ConversationId& id, Track& track, Generation generation,
                        MonotonicTime now);
  void add(Track& track, Message message, Origin origin);
  void advance(const ConversationId& id, Track& track);
  void note_gap(const ConversationId& id, MonotonicTime fetch_at);
  void learn(ConversationNews news, MonotonicTime now);
  Track& track_of(const ConversationNews& news);
  void complete_sync(SyncAnswer answer, MonotonicTime now);
  void settle(const ConversationId& id, Track& track);
  void note_unconfirmed();
  void drop_vanished(MonotonicTime now);
  void ask_sync(Bytes page);
  void ask_fetch(MonotonicTime now);
  bool take_page(FetchAnswer& answer, MonotonicTime now);
  bool has_due_gap(MonotonicTime now) const;
  void save(const ConversationId& id, const Track& track);
  void sync_no_later_than(MonotonicTime at);

  Random& random_;
  Bytes token_;
  std::map<ConversationId, Track> tracks_;
  std::map<ConversationId, Gap> gaps_;  // of the tracks that lack something
  // Tracks whose generation rose; true once a SYNC was complete since.
  std::map<ConversationId, bool> in_doubt_;
  // What had been shown when the SYNC that is out began, and none had told yet: the lowest seq. A
  // conversation of which a lost tail left nothing is told by no SYNC, and has no generation.
  std::map<ConversationId, std::uint64_t> unconfirmed_;
  std::map<ConversationId, MonotonicTime> untold_;  // those that a SYNC did not tell, since when
  std::vector<std::pair<Message, Origin>> waiting_;
  std::size_t waiting_when_asked_ = 0;  // of them, when the SYNC that is out began

  bool knows_all_ = false;  // a SYNC was complete once: no conversation is unknown but new ones
  bool connected_ = false;
  bool synced_here_ = false;  // a SYNC was complete on this connection
  bool sync_out_ = false;
  bool fetch_out_ = false;
  std::uint64_t completed_syncs_ = 0;
  Duration tail_check_{};
  MonotonicTime sync_at_{};
  MonotonicTime sync_again_at_ = MonotonicTime::max();  // asked for while a SYNC was out
  MonotonicTime connected_at_{};
  std::vector<ConversationId> asked_;  // of the FETCH that is out
  bool fetch_one_by_one_ = false;
  std::size_t unsynced_ = 0;  // shown live since the last complete SYNC
  std::size_t ahead_ = 0;
  Backoff sync_backoff_;
  Backoff fetch_backoff_;

  std::vector<Action> actions_;
  Counters counters_;
};

}  // namespace martlet::client
