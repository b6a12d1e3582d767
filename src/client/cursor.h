#pragma once

#include <cstdint>
#include <map>

#include "model/ids.h"

namespace martlet::client {

// How far one device is in one conversation: what survives a restart of the client.
//
//   1 ......... shown ......... target      what lies between the two is lacking
//   1 ... durable                           the server's database has these for certain
//
// A log that lost its tail (a higher generation) may give the seqs above `durable` to other
// messages. `recent` says which messages were shown there, so that they are not shown again when
// they did survive, and taken back when they did not.
struct Cursor {
  std::uint64_t shown = 0;    // every seq up to here was shown, withheld or skipped
  std::uint64_t target = 0;   // the highest seq known to exist; never below shown
  std::uint64_t durable = 0;  // the highest seq told by SYNC or FETCH
  std::uint32_t generation = 0;
  std::map<std::uint64_t, std::uint64_t> recent;  // seq to message_id, above durable

  // The message is the next one and is shown now.
  void show(std::uint64_t seq, std::uint64_t message_id);
  // The database has everything up to there.
  void confirm(std::uint64_t seq);

  friend bool operator==(const Cursor&, const Cursor&) = default;
};

}  // namespace martlet::client
