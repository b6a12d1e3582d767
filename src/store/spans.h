#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "lib/pg/connection.h"
#include "model/ids.h"

namespace martlet::store {

// Which seqs of a conversation a user may see: those of all their stays. Pure.
class Spans {
 public:
  // A part of the conversation, both ends included.
  struct Piece {
    std::uint64_t from;
    std::uint64_t to;
    bool is_visible;
    friend bool operator==(const Piece&, const Piece&) = default;
  };
  static Spans all();

  // In the order of `from`. to 0: the user is a member.
  void add(std::uint64_t from, std::uint64_t to);

  // Never a member.
  bool empty() const { return spans_.empty(); }
  bool is_member() const { return is_member_; }
  // The last seq that a former member may see.
  std::uint64_t end() const;
  // What from … to is made of, in order.
  std::vector<Piece> cut(std::uint64_t from, std::uint64_t to) const;

 private:
  std::vector<Piece> spans_;  // apart from each other
  bool is_member_ = false;
};

// By row of the conversation; groups that the user never was in are left out.
using SpansOfGroups = std::map<std::int64_t, Spans>;
SpansOfGroups load_spans(pg::Transaction& tx, const UserId& user,
                         const std::vector<std::int64_t>& groups);

}  // namespace martlet::store
