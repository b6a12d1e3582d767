#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "client/cursor.h"
#include "client/types.h"

namespace martlet::client {

// One conversation as a device receives it: puts messages in order, knows what is lacking.
// Pure; owned by the SyncEngine. Numbers come from the server and are not trusted to be small: they
// are cut to wire::kMaxSeq, and nothing here is proportional to the width of a range.
class Track {
 public:
  // One step of the conversation towards the application.
  struct Step {
    enum class Kind : std::uint8_t {
      kShow,  // show the message
      kSkip,  // the cursor moved without a message: withheld, or shown before
      kDrop   // messages shown with seq >= drop_from do not exist any more
    };
    Kind kind = Kind::kSkip;
    Origin origin = Origin::kLive;
    std::uint64_t drop_from = 0;
    Message message;
  };

  Track() = default;
  explicit Track(Cursor cursor);

  const Cursor& cursor() const { return cursor_; }

  // A new conversation of a device starts here: nothing up to `seq` is wanted.
  void start_after(std::uint64_t seq);
  // True if the generation is higher than what was known: what is above the database is in doubt.
  bool raise_generation(Generation generation);
  // Keeps the message until its turn. False if it is here already or was shown.
  bool add(Message message, Origin origin);
  void withhold(SeqRange seqs);
  // A message of this seq exists, though it is not kept.
  void expect(Seq seq);
  // SYNC: the database has everything up to `last`.
  void told(std::uint64_t last);
  // The user is no longer a member since then: nothing after it is to be waited for.
  void end_at(std::uint64_t last);
  // What is lacking can't be had; it is waited for again when it is told or comes anew.
  void give_up_lacking();
  // All that is now in order, in order.
  std::vector<Step> advance();
  // After a SYNC that was complete: what was in doubt and did not come back is gone.
  std::optional<Step> settle();
  // What was shown above the database is gone. There is such.
  Step take_back();

  bool is_lacking() const { return cursor_.shown < cursor_.target; }
  // What is not here between shown and target, lowest first, at most `most` ranges.
  std::vector<SeqRange> lacking(std::size_t most) const;
  // How many seqs of the range are lacking.
  std::uint64_t count_lacking(SeqRange seqs) const;
  std::size_t ahead_count() const { return ahead_.size(); }

 private:
  struct Ahead {
    Message message;
    Origin origin;
  };
  void forget_unconfirmed();
  Step drop_from(std::uint64_t seq);
  bool step_to_message(std::vector<Step>& steps);
  bool step_over_withheld(std::vector<Step>& steps);
  template <class Visit>
  void visit_lacking(const Visit& visit) const;

  Cursor cursor_;
  std::map<std::uint64_t, Ahead> ahead_;             // by seq, above shown
  std::map<std::uint64_t, std::uint64_t> withheld_;  // from to to, disjoint, above shown
  bool in_doubt_ = false;                            // cursor_.recent reaches above shown
};

}  // namespace martlet::client
