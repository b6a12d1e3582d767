#pragma once

#include <memory>
#include <string>

#include "bus/bus.h"
#include "event/loop.h"
#include "persist/metrics.h"
#include "wire/rpc.h"

namespace martlet::persist {

// Requests without an answer yet: a stop waits for them.
struct OpenRequests {
  std::size_t count = 0;
};

// One client's request on its way through persist. Answered exactly once; let go without an answer
// (the store was destroyed), the edge's deadline answers. Loop thread; what it refers to outlives
// it.
class ClientCall {
 public:
  struct Parts {
    event::Loop& loop;
    bus::Bus& bus;
    PersistMetrics& metrics;
    OpenRequests& open;
  };
  // Null if the message is none; it is counted then. Copies what it needs of the message.
  static std::shared_ptr<ClientCall> parse(const Parts& parts, const bus::Incoming& message);
  ~ClientCall();
  ClientCall(const ClientCall&) = delete;
  ClientCall& operator=(const ClientCall&) = delete;

  wire::Command command() const { return request_.command; }
  const UserId& user() const { return request_.user; }
  const DeviceId& device() const { return request_.device; }
  BytesView body() const { return request_.body; }
  // Then the edge has given up, and nobody waits for the answer.
  MonotonicTime wanted_until() const { return started_ + request_.wait; }

  void answer(BytesView body);
  void refuse(const Error& error);

 private:
  ClientCall(const Parts& parts, std::string reply, Bytes payload);
  void send(const wire::ClientAnswer& answer);

  const Parts parts_;
  const std::string reply_;
  const Bytes payload_;  // request_ points into it
  wire::ClientRequest request_;
  const MonotonicTime started_;
  bool answered_ = false;
};

using ClientCallPtr = std::shared_ptr<ClientCall>;

}  // namespace martlet::persist
