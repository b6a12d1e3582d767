#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "base/result.h"
#include "wire/bodies.h"
#include "wire/commands.h"
#include "wire/frame.h"

namespace martlet::bench {

// What one device reads when its user comes online: SYNC from where it was, page by page, then
// FETCH of what that told, one request at a time. Keeps the sync token and how far each
// conversation was read, so that it may begin again later. Pure.
class Reader {
 public:
  struct Request {
    wire::Command command = wire::Command::Sync;
    Bytes body;
    Duration wait{};  // before it is sent
  };
  using OnMessage = std::function<void(const wire::Message& message)>;

  explicit Reader(OnMessage on_message) : on_message_(std::move(on_message)) {}

  Request begin();
  // Of the request that is out. None: everything is here.
  Result<std::optional<Request>> answered(const wire::Frame& frame);

 private:
  Result<std::optional<Request>> take_page(const wire::SyncPage& page);
  Result<std::optional<Request>> take_page(const wire::FetchPage& page);
  void learn(const wire::ConversationState& state);
  Request ask_sync(BytesView page, Duration wait);
  std::optional<Request> ask_fetch();

  OnMessage on_message_;
  Request out_;
  Bytes token_;
  std::map<ConversationId, Seq> read_;  // by conversation, up to where
  std::vector<wire::Range> lacking_;
};

}  // namespace martlet::bench
