#pragma once

#include <cstddef>
#include <list>
#include <memory>
#include <string>
#include <unordered_map>

#include "dispatcher/group_head.h"
#include "model/conversation.h"
#include "model/ids.h"

namespace martlet::dispatcher {

// What a shard must remember of a conversation to number its next message.
struct Head {
  Seq last_seq;
  LogPosition last_position;         // of its last entry in the log; 0: only the database told us
  std::size_t open = 0;              // entries that are queued or being appended
  bool is_asked = false;             // the database is: its answer may be older than what is here
  std::unique_ptr<GroupHead> group;  // groups only

  // False: the database must be asked before anything is judged.
  bool is_usable() const { return group == nullptr || group->is_known(); }
};

// The heads of a shard's conversations, the least recently used ones forgotten over a limit. A head
// is only forgotten when the database has all entries of its conversation (last_position <=
// watermark), nothing of it is open and the database is not being asked about it, so the database
// can always tell it again. Heads that may not be forgotten exceed the limit; the size of the log bounds them. Groups count by their
// members, too.
//
// Loop thread. Pointers are valid until the next add() or forget_surplus().
class Heads {
 public:
  explicit Heads(std::size_t limit) : limit_(limit) {}
  Heads(const Heads&) = delete;
  Heads& operator=(const Heads&) = delete;
  Heads(Heads&&) = default;
  Heads& operator=(Heads&&) = default;

  // Null: not remembered. Counts as a use.
  Head* find(const ConversationId& conversation);
  // Inserts if it is missing; the caller then calls forget_surplus() when it has set the head.
  Head& add(const ConversationId& conversation);
  // The members of its group changed.
  void weigh(const ConversationId& conversation);
  // It is not remembered any more; nothing of it is open or in the log alone.
  void forget(const ConversationId& conversation);
  // Forgets over the limit what may be forgotten.
  void forget_surplus(LogPosition watermark);

  std::size_t size() const { return by_name_.size(); }
  std::size_t weight() const { return weight_; }

 private:
  using Order = std::list<const std::string*>;  // most recently used first
  struct Node {
    Head head;
    Order::iterator place;
    std::size_t weight = 1;
  };
  using Map = std::unordered_map<std::string, Node>;

  void erase(Map::iterator found);

  std::size_t limit_;
  std::size_t weight_ = 0;
  Map by_name_;
  Order order_;
};

}  // namespace martlet::dispatcher
