#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
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
  // What comes later.
  void add(const Spans& later);

  // Never a member.
  bool empty() const { return spans_.empty(); }
  bool is_member() const { return is_member_; }
  // The first seq that may be seen; not for empty ones.
  std::uint64_t begin() const { return spans_.front().from; }
  // The last seq that a former member may see.
  std::uint64_t end() const;
  // What from … to is made of, in order; the first max_pieces of it.
  std::vector<Piece> cut(std::uint64_t from, std::uint64_t to,
                         std::size_t max_pieces = std::numeric_limits<std::size_t>::max()) const;

 private:
  std::vector<Piece> spans_;  // apart from each other
  bool is_member_ = false;
};

// A part of a group.
struct Window {
  std::int64_t group = 0;
  std::uint64_t from = 1;
  std::uint64_t to = 0;
};

// Stays that touch each of the windows: the first max_stays of it, or the last ones.
struct StaysQuestion {
  UserId user;
  std::vector<Window> windows;
  std::size_t max_stays = 0;
  bool from_the_end = false;
};
// By window, in the order of the stays.
std::vector<Spans> load_spans(pg::Transaction& tx, const StaysQuestion& question);

}  // namespace martlet::store
