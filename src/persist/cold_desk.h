#pragma once

#include <deque>
#include <string>

#include "bus/bus.h"
#include "event/loop.h"
#include "persist/metrics.h"
#include "persist/watermarks.h"
#include "store/store.h"

namespace martlet::persist {

// Questions of dispatchers about conversations and messages that they do not remember. Those that
// came while a query was under way are answered by the next one together. A question waits until
// the database has what it names, or is answered by BUSY. Loop thread.
class ColdDesk {
 public:
  struct Parts {
    event::Loop& loop;
    bus::Bus& bus;
    store::MessageStore& store;
    const Watermarks& watermarks;
    PersistMetrics& metrics;
  };
  explicit ColdDesk(const Parts& parts) : parts_(parts) {}
  ~ColdDesk() { *self_ = nullptr; }
  ColdDesk(const ColdDesk&) = delete;
  ColdDesk& operator=(const ColdDesk&) = delete;

  void handle(const bus::Incoming& message);
  void tick(MonotonicTime now);

  std::size_t open() const { return waiting_.size() + under_way_; }

 private:
  struct Waiting {
    wire::ColdQuestion question;
    std::string reply;
    MonotonicTime since;
    MonotonicTime until;
    MonotonicTime ask_at;  // even if we have not heard of the watermark
  };
  bool is_ready(const Waiting& waiting, MonotonicTime now) const;
  void ask(MonotonicTime now);
  void answered(std::deque<Waiting> asked, Result<store::ColdAnswers> answers);
  void refuse(const std::string& reply, const Error& error);
  void tell(const Waiting& waiting, const wire::ColdAnswer& answer);

  const Parts parts_;
  std::deque<Waiting> waiting_;
  std::size_t under_way_ = 0;  // questions
  std::size_t queries_ = 0;
  std::shared_ptr<ColdDesk*> self_ = std::make_shared<ColdDesk*>(this);
};

}  // namespace martlet::persist
