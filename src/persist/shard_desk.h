#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "bus/bus.h"
#include "persist/log_check.h"
#include "persist/watermarks.h"

namespace martlet::persist {

// Tells a dispatcher that takes a shard over where the shard stands, after making sure that base
// and generation fit the log. Loop thread.
class ShardDesk {
 public:
  struct Parts {
    event::Loop& loop;
    bus::Bus& bus;
    bus::Log& log;
    store::MessageStore& store;
    Watermarks& watermarks;
    PersistMetrics& metrics;
    std::function<void(ShardId)> announce;  // a watermark, to everybody
  };
  explicit ShardDesk(const Parts& parts) : parts_(parts) {}

  void handle(const bus::Incoming& message);
  std::size_t open() const { return checks_.size(); }

 private:
  void checked(std::uint64_t number, ShardId shard, const std::string& reply,
               const Result<Inspection>& result);
  void refuse(const std::string& reply, ShardId shard, const Error& error);

  const Parts parts_;
  std::uint64_t last_number_ = 0;
  std::map<std::uint64_t, std::unique_ptr<LogCheck>> checks_;
};

}  // namespace martlet::persist
