#include "client/sync_engine.h"

#include <algorithm>
#include <utility>

#include "base/planted.h"
#include "client/limits.h"
#include "wire/limits.h"

namespace martlet::client {

SyncEngine::SyncEngine(Random& random, Bytes token, std::map<ConversationId, Cursor> cursors)
    : random_(random),
      token_(std::move(token)),
      knows_all_(!token_.empty()),
      sync_backoff_(kSyncRetryMin, kSyncRetryMax),
      fetch_backoff_(kSyncRetryMin, kSyncRetryMax) {
  for (auto& [id, cursor] : cursors) {
    const bool doubt = !cursor.recent.empty() && cursor.recent.rbegin()->first > cursor.shown;
    if (doubt) in_doubt_[id] = false;
    const Track& track = tracks_.emplace(id, Track(std::move(cursor))).first->second;
    if (track.is_lacking()) note_gap(id, MonotonicTime{});
  }
}

void SyncEngine::on_connected(Duration tail_check, MonotonicTime now) {
  connected_ = true;
  synced_here_ = false;
  sync_again_at_ = MonotonicTime::max();
  tail_check_ = tail_check;
  connected_at_ = now;
  sync_at_ = now;
  sync_backoff_.reset();
  fetch_backoff_.reset();
  tick(now);
}

void SyncEngine::on_disconnected() {
  connected_ = false;
  sync_out_ = false;
  fetch_out_ = false;
}

void SyncEngine::on_resync(Duration within, MonotonicTime now) {
  const auto span = static_cast<std::uint64_t>(std::max<std::int64_t>(within.count(), 0));
  sync_no_later_than(now + Duration(static_cast<std::int64_t>(random_.below(span + 1))));
}

void SyncEngine::sync_now(MonotonicTime now) {
  sync_no_later_than(now);
  tick(now);
}

// The answer that is under way may be older than what asks for one now.
void SyncEngine::sync_no_later_than(MonotonicTime at) {
  MonotonicTime& due = sync_out_ ? sync_again_at_ : sync_at_;
  due = std::min(due, at);
}

// ---- events -------------------------------------------------------------------------------

void SyncEngine::take(Message message, Origin origin, MonotonicTime now) {
  auto found = tracks_.find(message.conversation);
  if (found == tracks_.end()) {
    if (!knows_all_) {
      wait_for_sync(std::move(message), origin);
      return;
    }
    // All conversations that the token knows are here: this one began after it, or, a group, has
    // the user since. Where that is only SYNC tells.
    if (message.conversation.is_group() && message.seq > Seq(1)) {
      if (!sync_out_) sync_no_later_than(now + kGapWait);
      wait_for_sync(std::move(message), origin);
      return;
    }
    found = tracks_.emplace(message.conversation, Track()).first;
  }
  Track& track = found->second;
  check_generation(found->first, track, message.generation, now);
  if (message.generation.value() < track.cursor().generation) {
    ++counters_.old_generation;
    return;
  }
  add(track, std::move(message), origin);
  advance(found->first, track);
  if (is_planted(Planted::kSkipGap)) {
    for (const SeqRange& gap : track.lacking(1)) track.withhold(gap);
    advance(found->first, track);
  }
  if (track.is_lacking()) {
    if (!gaps_.contains(found->first)) ++counters_.gaps;
    note_gap(found->first, now + kGapWait);
  }
  if (unsynced_ > kMaxUnsyncedMessages && !sync_out_) sync_no_later_than(now);
  tick(now);
}

void SyncEngine::wait_for_sync(Message message, Origin origin) {
  if (waiting_.size() >= kMaxWaitingEvents) {
    ++counters_.discarded;
    return;
  }
  ++counters_.waited;
  waiting_.emplace_back(std::move(message), origin);
}

// A group that a complete SYNC does not tell, although it was asked for after the event came, is
// none of this user's; behind: the database may not have it yet.
void SyncEngine::release_waiting(bool behind, MonotonicTime now) {
  const MonotonicTime paced = sync_at_;
  std::size_t answered = behind ? 0 : std::exchange(waiting_when_asked_, 0);
  std::vector<std::pair<Message, Origin>> waiting;
  waiting.swap(waiting_);
  for (auto& [message, origin] : waiting) {
    const bool was_answered = answered > 0 && answered-- > 0;
    const bool is_told = !message.conversation.is_group() || tracks_.contains(message.conversation);
    if (knows_all_ && was_answered && !is_told) {
      ++counters_.discarded;
      continue;
    }
    take(std::move(message), origin, now);
  }
  if (behind) sync_at_ = std::max(sync_at_, paced);
}

void SyncEngine::check_generation(const ConversationId& id, Track& track, Generation generation,
                                  MonotonicTime now) {
  if (is_planted(Planted::kIgnoreGeneration)) return;
  const std::size_t before = track.ahead_count();
  if (!track.raise_generation(generation)) return;
  ahead_ = ahead_ + track.ahead_count() - before;
  save(id, track);
  if (track.cursor().recent.empty()) return;
  in_doubt_[id] = false;
  sync_no_later_than(now);
}

void SyncEngine::add(Track& track, Message message, Origin origin) {
  const std::uint64_t seq = message.seq.value();
  const bool is_next = seq == track.cursor().shown + 1;
  if (ahead_ >= kMaxAheadMessages && !is_next && origin != Origin::kFetched) {
    track.expect(message.seq);
    ++counters_.discarded;
    return;
  }
  if (track.add(std::move(message), origin)) {
    ++ahead_;
  } else {
    ++counters_.duplicates;
  }
}

void SyncEngine::advance(const ConversationId& id, Track& track) {
  const std::size_t before = track.ahead_count();
  bool moved_silently = false;
  for (Track::Step& step : track.advance()) {
    switch (step.kind) {
      case Track::Step::Kind::kShow:
        if (step.origin == Origin::kFetched) ++counters_.fetched;
        if (step.origin != Origin::kFetched) ++unsynced_;
        if (step.origin == Origin::kLive) ++counters_.live;
        actions_.emplace_back(Show{std::move(step.message), step.origin});
        break;
      case Track::Step::Kind::kSkip:
        moved_silently = true;
        break;
      case Track::Step::Kind::kDrop:
        actions_.emplace_back(Dropped{id, Seq(step.drop_from)});
        moved_silently = true;
        break;
    }
  }
  ahead_ = ahead_ + track.ahead_count() - before;
  if (moved_silently) save(id, track);
  if (!track.is_lacking()) gaps_.erase(id);
  settle(id, track);
}

void SyncEngine::settle(const ConversationId& id, Track& track) {
  const auto doubt = in_doubt_.find(id);
  if (doubt == in_doubt_.end() || !doubt->second || track.is_lacking()) return;
  in_doubt_.erase(doubt);
  if (const std::optional<Track::Step> step = track.settle()) {
    actions_.emplace_back(Dropped{id, Seq(step->drop_from)});
    save(id, track);
  }
}

void SyncEngine::note_unconfirmed() {
  unconfirmed_.clear();
  for (const auto& [id, track] : tracks_) {
    const auto& recent = track.cursor().recent;
    if (!recent.empty()) unconfirmed_[id] = recent.begin()->first;
  }
}

// A SYNC that is not behind tells of all that was in the log when it was asked for. What it does
// not tell is asked for once more, since a replica may say that its log ends where it ended before.
void SyncEngine::drop_vanished(MonotonicTime now) {
  std::map<ConversationId, MonotonicTime> untold;
  for (const auto& [id, seq] : unconfirmed_) {
    Track& track = tracks_.at(id);
    const auto& recent = track.cursor().recent;
    if (in_doubt_.contains(id) || recent.empty() || recent.begin()->first > seq) continue;
    const auto before = untold_.find(id);
    const MonotonicTime since = before == untold_.end() ? now : before->second;
    if (now < since + kVanishedAfter) {
      untold[id] = since;
      sync_no_later_than(since + kVanishedAfter);
      continue;
    }
    ahead_ -= track.ahead_count();
    actions_.emplace_back(Dropped{id, Seq(track.take_back().drop_from)});
    ahead_ += track.ahead_count();
    gaps_.erase(id);
    save(id, track);
  }
  untold_ = std::move(untold);
}

void SyncEngine::note_gap(const ConversationId& id, MonotonicTime fetch_at) {
  const auto [gap, is_new] = gaps_.try_emplace(id, Gap{fetch_at, {}});
  if (!is_new) gap->second.fetch_at = std::min(gap->second.fetch_at, fetch_at);
}

void SyncEngine::save(const ConversationId& id, const Track& track) {
  actions_.emplace_back(SaveCursor{id, track.cursor()});
}

// ---- SYNC ---------------------------------------------------------------------------------

void SyncEngine::ask_sync(Bytes page) {
  sync_out_ = true;
  ++counters_.sync_pages;
  if (page.empty()) {
    ++counters_.syncs;
    waiting_when_asked_ = waiting_.size();
    note_unconfirmed();
  }
  actions_.emplace_back(AskSync{token_, std::move(page)});
}

void SyncEngine::on_sync_answer(SyncAnswer answer, MonotonicTime now) {
  if (!sync_out_) return;
  sync_out_ = false;
  for (ConversationNews& news : answer.conversations) learn(std::move(news), now);
  if (!answer.next_page.empty()) {
    ask_sync(std::move(answer.next_page));
    return;
  }
  complete_sync(std::move(answer), now);
  tick(now);
}

// A new device starts with the newest messages; a device that had a token has missed all of a
// conversation that it does not know, of a group from when the user came.
Track& SyncEngine::track_of(const ConversationNews& news) {
  const auto [at, is_new] = tracks_.try_emplace(news.conversation);
  if (!is_new) return at->second;
  std::uint64_t skip = news.start_seq.value() > 0 ? news.start_seq.value() - 1 : 0;
  if (!knows_all_) {
    const std::uint64_t last = news.last_seq.value();
    const std::uint64_t newest = news.newest.empty()
                                     ? last - std::min<std::uint64_t>(last, kFirstSyncMessages)
                                     : std::min(last, news.newest.front().seq.value() - 1);
    skip = std::max(skip, newest);
  }
  if (skip > 0) at->second.start_after(skip);
  return at->second;
}

void SyncEngine::learn(ConversationNews news, MonotonicTime now) {
  Track& track = track_of(news);
  const ConversationId& id = news.conversation;
  check_generation(id, track, news.generation, now);
  const std::uint64_t known = track.cursor().target;
  for (Message& message : news.newest) {
    if (message.conversation != id || message.seq.value() <= track.cursor().shown) continue;
    add(track, std::move(message), Origin::kFetched);
  }
  news.newest.clear();
  track.told(news.last_seq.value());
  if (news.former) track.end_at(news.last_seq.value());
  advance(id, track);
  save(id, track);
  if (track.is_lacking()) {
    note_gap(id, synced_here_ ? now + kGapWait : now);
    if (synced_here_ && track.cursor().target > known) {
      gaps_[id].suspect = SeqRange{known + 1, track.cursor().target};
    }
  }
  actions_.emplace_back(News{std::move(news)});
}

void SyncEngine::complete_sync(SyncAnswer answer, MonotonicTime now) {
  ++completed_syncs_;
  sync_backoff_.reset();
  if (!answer.token.empty()) {
    token_ = std::move(answer.token);
    knows_all_ = true;
    actions_.emplace_back(SaveToken{token_});
  }
  unsynced_ = 0;
  const bool is_first = !synced_here_;
  const MonotonicTime asked_meanwhile = std::exchange(sync_again_at_, MonotonicTime::max());
  synced_here_ = true;
  if (answer.behind) {
    sync_at_ =
        now + std::max(kSyncRetryMin, Duration(std::chrono::milliseconds(answer.again_in_ms)));
  } else {
    // Devices do not ask all at once, and none later than promised: what is found lacking is also
    // waited for, and fetched.
    sync_at_ = now + random_.jitter(tail_check_ * 85 / 100, 0.1);
    if (is_first) sync_at_ = std::min(sync_at_, std::max(now, connected_at_ + kSecondSyncAfter));
    sync_at_ = std::min(sync_at_, asked_meanwhile);
    if (is_planted(Planted::kLoseOneEvent) && !is_first) sync_at_ = MonotonicTime::max();
    std::vector<ConversationId> doubted;
    for (auto& [id, is_synced] : in_doubt_) {
      is_synced = true;
      doubted.push_back(id);
    }
    for (const ConversationId& id : doubted) settle(id, tracks_.at(id));
    drop_vanished(now);
  }
  actions_.emplace_back(Synced{answer.behind});
  release_waiting(answer.behind, now);
}

void SyncEngine::on_sync_error(bool retryable, Duration retry_after, MonotonicTime now) {
  if (!sync_out_) return;
  sync_out_ = false;
  if (!retryable && !token_.empty()) {
    token_.clear();
    knows_all_ = false;
  }
  sync_at_ = now + std::max(retry_after, sync_backoff_.next(random_));
  sync_again_at_ = MonotonicTime::max();
}

// ---- FETCH --------------------------------------------------------------------------------

bool SyncEngine::has_due_gap(MonotonicTime now) const {
  return std::any_of(gaps_.begin(), gaps_.end(),
                     [now](const auto& gap) { return gap.second.fetch_at <= now; });
}

void SyncEngine::ask_fetch(MonotonicTime now) {
  AskFetch fetch;
  std::size_t bytes = 0;
  asked_.clear();
  for (auto& [id, gap] : gaps_) {
    if (gap.fetch_at > now) continue;
    if (fetch_one_by_one_ && !asked_.empty()) break;
    const std::size_t each = id.str().size() + kRangeOverheadBytes;
    if (bytes + each > kMaxFetchBodyBytes || fetch.ranges.size() >= kMaxRangesPerFetch) break;
    const std::size_t room =
        std::min((kMaxFetchBodyBytes - bytes) / each, kMaxRangesPerFetch - fetch.ranges.size());
    const Track& track = tracks_.at(id);
    if (gap.suspect.from > 0) {
      fetch.live_missed += track.count_lacking(gap.suspect);
      gap.suspect = {};
    }
    for (SeqRange range : track.lacking(room)) {
      range.to = std::min(range.to, range.from + wire::kMaxRangeSeqs - 1);
      fetch.ranges.push_back({id, range});
      bytes += each;
    }
    asked_.push_back(id);
  }
  if (fetch.ranges.empty()) return;
  fetch_out_ = true;
  ++counters_.fetches;
  counters_.live_missed += fetch.live_missed;
  actions_.emplace_back(std::move(fetch));
}

// True if the page brought anything that was lacking.
bool SyncEngine::take_page(FetchAnswer& answer, MonotonicTime now) {
  std::map<ConversationId, Track*> touched;
  const std::uint64_t duplicates = counters_.duplicates;
  for (Message& message : answer.messages) {
    const auto at = tracks_.find(message.conversation);
    if (at == tracks_.end()) continue;
    check_generation(at->first, at->second, message.generation, now);
    touched[at->first] = &at->second;
    add(at->second, std::move(message), Origin::kFetched);
  }
  for (const ConversationRange& range : answer.withheld) {
    const auto at = tracks_.find(range.conversation);
    if (at == tracks_.end()) continue;
    touched[at->first] = &at->second;
    at->second.withhold(range.seqs);
  }
  for (auto& [id, track] : touched) advance(id, *track);
  const std::uint64_t useless = counters_.duplicates - duplicates;
  return answer.messages.size() > useless || !answer.withheld.empty();
}

void SyncEngine::on_fetch_answer(FetchAnswer answer, MonotonicTime now) {
  if (!fetch_out_) return;
  fetch_out_ = false;
  std::map<ConversationId, bool> served;
  for (const Message& message : answer.messages) served[message.conversation] = true;
  for (const ConversationRange& range : answer.withheld) served[range.conversation] = true;
  for (const ConversationRange& range : answer.remaining) served[range.conversation] = true;
  const bool progress = take_page(answer, now);
  if (progress) fetch_backoff_.reset();
  const Duration wait = progress ? kSyncRetryMin : fetch_backoff_.next(random_);
  for (const ConversationId& id : asked_) {
    const auto gap = gaps_.find(id);
    if (gap == gaps_.end()) continue;
    gap->second.fetch_at = progress && served.contains(id) ? now : now + wait;
  }
  tick(now);
}

void SyncEngine::on_fetch_error(Duration retry_after, MonotonicTime now) {
  if (!fetch_out_) return;
  fetch_out_ = false;
  const MonotonicTime again = now + std::max(retry_after, fetch_backoff_.next(random_));
  for (const ConversationId& id : asked_) {
    const auto gap = gaps_.find(id);
    if (gap != gaps_.end()) gap->second.fetch_at = again;
  }
}

void SyncEngine::on_fetch_of_others(MonotonicTime now) {
  if (!fetch_out_) return;
  fetch_out_ = false;
  fetch_one_by_one_ = asked_.size() > 1;
  if (!fetch_one_by_one_) {
    Track& track = tracks_.at(asked_.front());
    ahead_ -= track.ahead_count();
    track.give_up_lacking();
    gaps_.erase(asked_.front());
    save(asked_.front(), track);
  }
  tick(now);
}

// ---- time ---------------------------------------------------------------------------------

void SyncEngine::tick(MonotonicTime now) {
  if (!connected_) return;
  if (!sync_out_ && sync_at_ <= now) ask_sync({});
  if (synced_here_ && !fetch_out_ && has_due_gap(now)) ask_fetch(now);
}

std::optional<MonotonicTime> SyncEngine::next_deadline() const {
  if (!connected_) return std::nullopt;
  std::optional<MonotonicTime> next;
  if (!sync_out_) next = sync_at_;
  if (!synced_here_ || fetch_out_) return next;
  for (const auto& [id, gap] : gaps_) {
    if (!next || gap.fetch_at < *next) next = gap.fetch_at;
  }
  return next;
}

std::vector<SyncEngine::Action> SyncEngine::take_actions() {
  return std::exchange(actions_, {});
}

bool SyncEngine::is_settled() const {
  return connected_ && synced_here_ && !sync_out_ && !fetch_out_ && gaps_.empty() &&
         waiting_.empty();
}

const Cursor* SyncEngine::find_cursor(const ConversationId& conversation) const {
  const auto at = tracks_.find(conversation);
  return at == tracks_.end() ? nullptr : &at->second.cursor();
}

}  // namespace martlet::client
