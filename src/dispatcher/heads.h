#pragma once

#include <cstddef>
#include <list>
#include <string>
#include <unordered_map>

#include "model/conversation.h"
#include "model/ids.h"

namespace martlet::dispatcher {

// What a shard must remember of a conversation to number its next message.
struct Head {
  Seq last_seq;
  LogPosition last_position;  // of its last entry in the log; 0: only the database told us
  std::size_t open = 0;       // entries that are queued or being appended
};

// The heads of a shard's conversations, the least recently used ones forgotten over a limit. A head
// is only forgotten when the database has all entries of its conversation (last_position <=
// watermark) and nothing of it is open, so the database can always tell it again. Heads that may
// not be forgotten exceed the limit; the size of the log bounds them.
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
  // Forgets over the limit what may be forgotten.
  void forget_surplus(LogPosition watermark);

  std::size_t size() const { return by_name_.size(); }

 private:
  using Order = std::list<const std::string*>;  // most recently used first
  struct Node {
    Head head;
    Order::iterator place;
  };
  std::size_t limit_;
  std::unordered_map<std::string, Node> by_name_;
  Order order_;
};

}  // namespace martlet::dispatcher
