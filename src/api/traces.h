#pragma once

#include <memory>

#include "api/gate.h"
#include "api/trace_ring.h"
#include "bus/bus.h"
#include "service/http_server.h"

namespace martlet::api {

// GET /v1/trace: where is my message? Listens to what processes tell of messages that are followed,
// and asks persist what is durable. Loop thread; what it refers to outlives it.
class Traces {
 public:
  struct Parts {
    bus::Bus& bus;
    Gate& gate;
    ApiMetrics& metrics;
  };
  explicit Traces(const Parts& parts) : parts_(parts) {}

  void add_pages(service::HttpServer& http);
  void start();
  void stop() { hops_.reset(); }

 private:
  void on_hops(BytesView payload);
  void answer(const service::HttpRequest& request, const service::HttpReply& reply);
  void found(const wire::TraceQuestion& question, const Result<Bytes>& bytes,
             const service::HttpReply& reply);

  const Parts parts_;
  TraceRing ring_;
  std::unique_ptr<bus::Subscription> hops_;
  std::shared_ptr<int> alive_ = std::make_shared<int>(0);
};

// message=ID, conversation=NAME&seq=N, or client_msg_id=HEX. kBadId, kBadRange.
Result<wire::TraceQuestion> trace_question(const service::HttpRequest& request);

}  // namespace martlet::api
