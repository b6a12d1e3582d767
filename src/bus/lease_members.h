#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"

namespace martlet::bus {

// Who is alive, judged by the others' heartbeats. Time counts only while our own renewals succeed
// one after the other: a process that slept, or that the broker does not hear, learns nothing about
// the others meanwhile. Pure; part of LeaseCore.
class LeaseMembers {
 public:
  explicit LeaseMembers(std::string self) : self_(std::move(self)) {}

  // Our own renewal, sent then, was acknowledged.
  void on_renewed(MonotonicTime sent);
  // A beat of somebody was heard or read; empty value: the member has gone.
  void on_beat(const std::string& member, BytesView value);
  // Its key was read and there is none.
  void on_no_beat(const std::string& member);
  // Named in a record; starts the observation.
  void on_named(const std::string& member);

  // Ourselves are always alive. Somebody unknown is alive until observed long enough.
  bool is_alive(const std::string& member) const;
  // Sorted, with ourselves. Only members that were heard.
  std::vector<std::string> living() const;
  // Stood still long enough; their key must be read before they count as dead (we may have missed
  // what they sent): on_beat with the same value again, or on_no_beat, makes it so.
  std::vector<std::string> take_suspects();
  void on_read_failed(const std::string& member);

 private:
  struct Member {
    Bytes value;
    bool heard = false;
    bool changed = true;     // since the last renewal: its standstill starts at the next one
    bool suspected = false;  // its key is being read
    bool dead = false;
    Duration still_since{};  // on observed_
  };

  const std::string self_;
  std::map<std::string, Member> members_;
  std::optional<MonotonicTime> last_renewal_;
  Duration observed_{};
};

}  // namespace martlet::bus
