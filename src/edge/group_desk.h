#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "edge/counted_subjects.h"
#include "edge/group_event.h"
#include "edge/group_questions.h"
#include "edge/group_view.h"
#include "edge/metrics.h"
#include "edge/outgoing.h"
#include "model/conversation.h"
#include "wire/answers.h"

namespace martlet::edge {

// What the desk does to sessions of this edge. It may end some.
class GroupDeskPort {
 public:
  virtual ~GroupDeskPort() = default;
  // To all sessions of the user but the one.
  virtual void deliver(const UserId& user, OutgoingEvent& event, const SessionId& origin) = 0;
  virtual void hint_resync(const UserId& user, const ConversationId& conversation,
                           std::uint32_t within_ms) = 0;
  // From a group's subject.
  virtual void on_to_group(const GroupId& group, BytesView payload) = 0;
};

// The groups of this edge's users: listens to those that have one here, knows who is in them, asks
// persist when it does not, holds what nobody may have until it knows. Loop thread.
class GroupDesk {
 public:
  using Ready = std::function<void(const Result<void>&)>;
  struct Options {
    CountedSubjects::Options subjects;
    GroupQuestions::Options questions;
    Duration hold = std::chrono::milliseconds(kHoldMs);
    Duration wait = std::chrono::milliseconds(kGroupsWaitMs);
    std::size_t max_users_per_question = kMaxUsersPerGroupQuestion;
    std::size_t max_held_events_per_group = kMaxHeldEventsPerGroup;
    std::size_t max_held_bytes_per_group = kMaxHeldBytesPerGroup;
    std::size_t max_held_bytes = kMaxHeldBytes;
    std::uint16_t shards = 16;
  };
  // All must outlive it; nothing is called after its end.
  struct Parts {
    bus::Bus& bus;
    TimerWheel& wheel;
    const Clock& clock;
    EdgeMetrics& metrics;
    GroupDeskPort& port;
  };
  GroupDesk(Parts parts, const Options& options);

  // A session of the user, whose own subject the broker knows, began, or ended. Counted.
  void begin(const UserId& user);
  void end(const UserId& user);
  // Calls back once, maybe at once: when the broker knows the subscriptions to all groups that the
  // user was in, or with a retryable error. The user has a session.
  void when_listening(const UserId& user, Ready ready);
  // True if the user is known not to be in the group.
  bool is_outside(const UserId& user, const GroupId& group) const;

  // From the group's subject; the owner is not stale and the body verifies.
  void hear(const GroupEvent& event);
  // A change of membership from the subject of a user whom it concerns, who has it already.
  void hear_own(const UserId& user, const GroupEvent& event);
  // An answer to the user's SYNC.
  void correct(const UserId& user, const wire::SyncPage& page);
  // Live delivery failed somebody. False: nothing was done.
  bool renew(const GroupId& group);
  // The shard's log was cut off: seqs are given anew.
  void doubt(ShardId shard);

  std::size_t size() const { return groups_.size(); }
  std::size_t subscriptions() const { return subjects_.size(); }
  std::size_t held_events() const { return held_events_; }
  std::size_t held_bytes() const { return held_bytes_; }
  std::uint64_t questions() const { return questions_.asked(); }

 private:
  struct Held {
    GroupEvent event;  // without its body
    Bytes body;
  };
  struct Group {
    std::uint64_t number = 0;  // of this life
    GroupView view;
    std::deque<Held> held;
    std::size_t held_bytes = 0;
    bool asking = false;
    bool lost = false;  // events were dropped since persist answered last
    std::unique_ptr<TimerWheel::Entry> ask_again;
    std::unique_ptr<TimerWheel::Entry> give_up;
  };
  enum class State { kAsking, kSubscribing, kListening, kFailed };
  struct User {
    std::uint64_t number = 0;
    std::size_t sessions = 0;
    State state = State::kAsking;
    bool behind = false;  // what it was told may be old
    std::set<GroupId> groups;
    std::vector<Ready> waiting;
    std::unique_ptr<TimerWheel::Entry> ask_again;
    std::unique_ptr<TimerWheel::Entry> give_up;
  };

  Group* find(const GroupId& group);
  Group& open(const GroupId& group);
  void close(const GroupId& group);
  bool enter(const UserId& user, const GroupId& group);
  void leave(const UserId& user, const GroupId& group);
  void leave_all(const std::vector<UserId>& users, const GroupId& group);
  void hint_when_listening(const UserId& user, const GroupId& group);
  void hint_all(const GroupId& group);

  void ask_user(const UserId& user);
  void on_user_answer(const UserId& user, const Result<wire::GroupsAnswer>& answer);
  void await_groups(const UserId& user);
  void on_listening(const UserId& user, const Result<void>& result);
  void fail_user(const UserId& user, const Error& error);
  static void tell(std::vector<Ready> waiting, const Result<void>& result);

  bool pass(const GroupEvent& event);
  std::optional<GroupView::Heard> judge(Group& group, const GroupEvent& event);
  void hold(const GroupEvent& event);
  void push(Group& group, Held held);
  bool release(const GroupId& group);
  void drop_held(const GroupId& group);
  void forget_held(Group& group);
  std::vector<UserId> to_ask_about(const Group& group) const;
  void ask_group(const GroupId& group);
  void on_group_answer(const GroupId& group, const std::vector<UserId>& asked,
                       const Result<wire::GroupsAnswer>& answer);
  void learn(const GroupId& group, const std::vector<UserId>& asked,
             const wire::GroupsAnswer& answer);
  void again(TimerWheel::Entry& entry, std::uint32_t in_ms);

  const Parts parts_;
  const Options options_;
  CountedSubjects subjects_;
  GroupQuestions questions_;
  std::unordered_map<GroupId, std::unique_ptr<Group>> groups_;
  std::unordered_map<UserId, User> users_;
  std::uint64_t last_number_ = 0;
  std::size_t held_events_ = 0;
  std::size_t held_bytes_ = 0;
};

}  // namespace martlet::edge
