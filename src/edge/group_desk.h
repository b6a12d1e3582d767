#pragma once

#include <cstdint>
#include <functional>
#include <memory>
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

// What the desk does to sessions of this edge. None of it ends one, or comes back to the desk,
// before it returns.
class GroupDeskPort {
 public:
  virtual ~GroupDeskPort() = default;
  // To all sessions of the user but the one.
  virtual void deliver(const UserId& user, OutgoingEvent& event, const SessionId& origin) = 0;
  virtual void hint_resync(const UserId& user, const ConversationId& conversation,
                           std::uint32_t within_ms) = 0;
  // The same, and the edge listens to the group for them from now on.
  virtual void hint_added(const UserId& user, const ConversationId& conversation,
                          std::uint32_t within_ms) = 0;
  // From a group's subject.
  virtual void on_to_group(const GroupId& group, BytesView payload) = 0;
};

// The groups of this edge's users: listens to those that have one here and knows who is in them. Of
// whom it does not know it asks persist; they get nothing meanwhile, and a hint to sync when it
// knows. Loop thread.
class GroupDesk {
 public:
  using Ready = std::function<void(const Result<void>&)>;
  struct Options {
    CountedSubjects::Options subjects;
    GroupQuestions::Options questions;
    Duration wait = std::chrono::milliseconds(kGroupsWaitMs);
    std::size_t max_users_per_question = kMaxUsersPerGroupQuestion;
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
  // Live delivery failed a member. False: nothing was done.
  bool renew(const UserId& user, const GroupId& group);
  // The shard's log was cut off: seqs are given anew.
  void doubt(ShardId shard);

  std::size_t size() const { return groups_.size(); }
  std::size_t subscriptions() const { return subjects_.size(); }
  std::uint64_t questions() const { return questions_.asked(); }

 private:
  struct Group {
    std::uint64_t number = 0;  // of this life
    GroupView view;
    bool asking = false;
    bool doubted = false;  // and not all are known again
    std::unique_ptr<TimerWheel::Entry> ask_again;
  };
  // A question about a group, as it was asked.
  struct Asked {
    std::vector<UserId> users;
    Seq newest;
  };
  enum class State { kAsking, kSubscribing, kListening, kFailed };
  struct User {
    std::uint64_t number = 0;
    std::size_t sessions = 0;
    State state = State::kAsking;
    bool behind = false;      // what it was told may be old
    std::uint64_t await = 0;  // the last one
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
  void hint_when_listening(const UserId& user, const GroupId& group, std::uint32_t within_ms);
  void hint(const std::vector<UserId>& users, const GroupId& group, bool all_at_once = false);

  void ask_user(const UserId& user);
  void on_user_answer(const UserId& user, const Result<wire::GroupsAnswer>& answer);
  void await_groups(const UserId& user);
  void on_listening(const UserId& user, const Result<void>& result);
  void fail_user(const UserId& user, const Error& error);
  static void tell(std::vector<Ready> waiting, const Result<void>& result);

  GroupView::Heard fan_out(GroupView& view, const GroupEvent& event);
  void ask_about_missing(const GroupId& group);
  void ask_group(const GroupId& group);
  void on_group_answer(const GroupId& group, const Asked& asked,
                       const Result<wire::GroupsAnswer>& answer);
  bool learn(const GroupId& group, const Asked& asked, const wire::GroupsAnswer& answer);
  void again(TimerWheel::Entry& entry, std::uint32_t in_ms);

  const Parts parts_;
  const Options options_;
  CountedSubjects subjects_;
  GroupQuestions questions_;
  std::unordered_map<GroupId, std::unique_ptr<Group>> groups_;
  std::unordered_map<UserId, User> users_;
  std::uint64_t last_number_ = 0;
  bool is_fanning_out_ = false;
};

}  // namespace martlet::edge
