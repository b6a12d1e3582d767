#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/clock.h"
#include "dispatcher/types.h"
#include "wire/rpc.h"

namespace martlet::dispatcher {

// What a frame must learn from the database before it can be judged.
struct Needs {
  bool head = false;    // of its conversation
  bool lookup = false;  // whether it was accepted before
  bool users = false;   // whether those whom it brings into its group may come
};

// Frames that wait for the database: cold conversations, possible duplicates, users who are to come
// into a group. They keep the order of their arrival in a conversation while its head is missing,
// and the order of each sender always. Bounded in frames, bytes, frames a user and time; asks in
// batches, one question at a time. Loop thread, no I/O.
class Parking {
 public:
  explicit Parking(std::size_t max_frames) : max_frames_(max_frames) {}

  // True if the sender has frames here in that conversation: a next one waits behind them.
  bool holds(const ConversationId& conversation, const UserId& sender) const;

  enum class Parked { kYes, kRepeat, kFull };
  // kRepeat: the same request is here already.
  Parked park(SendFrame frame, Needs needs, MonotonicTime until);

  // What is to be asked next; none while a question is under way.
  std::optional<wire::ColdQuestion> next_question(ShardId shard, Generation generation,
                                                  LogPosition min_watermark);
  bool is_asking() const { return asked_.has_value(); }
  const wire::ColdQuestion& asked() const { return *asked_; }
  // The question failed: its items are asked again.
  void question_failed();
  // Nothing of the question is wanting any more; frames learn of their users here, the rest is the
  // caller's. The conversations whose frames the answer concerns.
  std::vector<ConversationId> question_answered(std::span<const wire::UserStatus> users);

  // The head is not remembered any more: it is asked again.
  void want_head(const ConversationId& conversation);
  // Frames that may be judged now that the head is known, in order.
  std::vector<SendFrame> take_ready(const ConversationId& conversation);
  // All frames of a conversation.
  std::vector<SendFrame> take_all(const ConversationId& conversation);
  // Frames that waited too long, and those of the same sender behind them.
  std::vector<SendFrame> take_expired(MonotonicTime now);

  std::size_t frames() const { return frames_; }
  std::size_t bytes() const { return bytes_; }

 private:
  enum class Lookup { kNone, kWanted, kAsked, kDone };
  struct Waiting {
    SendFrame frame;
    MonotonicTime until;
    Lookup lookup = Lookup::kNone;
    Lookup users = Lookup::kNone;
  };
  struct Room {
    ConversationId conversation;
    std::deque<Waiting> frames;
    Lookup head = Lookup::kNone;
    bool is_listed = false;  // in to_ask_
  };

  bool has_room_for(const SendFrame& frame) const;
  static bool is_ready(const Waiting& waiting);
  void list(Room& room);
  // False: the question is full.
  bool collect(Room& room, wire::ColdQuestion& question);
  using Users = std::unordered_set<UserId>;
  // `asked`: of the room, in this question.
  static bool collect_users(Waiting& waiting, Users& asked, wire::ColdQuestion& question);
  using Statuses = std::unordered_map<UserId, wire::UserStatus>;
  static void tell_users(Room& room, const Statuses& told);
  void left(const SendFrame& frame);
  void close_if_empty(const std::string& name);

  std::size_t max_frames_;
  std::unordered_map<std::string, Room> rooms_;
  std::unordered_map<UserId, std::size_t> by_user_;
  std::deque<std::string> to_ask_;
  std::optional<wire::ColdQuestion> asked_;
  std::vector<ConversationId> asked_about_;
  std::size_t frames_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace martlet::dispatcher
