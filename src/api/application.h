#pragma once

#include <memory>

#include "api/edge_directory.h"
#include "api/metrics.h"
#include "bus/bus.h"
#include "registry/sessions.h"
#include "service/application.h"

namespace martlet::api {

// The api service: keeps the live edges from their heartbeats, answers GET /v1/edges and
// GET /v1/users/<uid>/sessions on the shell's HTTP endpoint. Loop thread.
class ApiApplication final : public service::Application {
 public:
  ApiApplication(service::Context& context, std::unique_ptr<bus::Bus> bus,
                 std::unique_ptr<registry::Sessions> sessions);

  void start(Started on_started) override;
  Result<void> ready() const override;
  void stop_phase_one(Done on_done) override;
  void stop_phase_two(Done on_done) override;

 private:
  void on_beat(BytesView payload);
  void expire();
  void answer_edges(const service::HttpReply& reply);
  void answer_sessions(std::string_view name, const service::HttpReply& reply);
  void refuse(const Error& error, const service::HttpReply& reply);

  event::Loop& loop_;
  ApiMetrics metrics_;
  EdgeDirectory edges_;
  std::unique_ptr<bus::Bus> bus_;
  std::unique_ptr<registry::Sessions> sessions_;
  std::unique_ptr<bus::Subscription> beats_;
  event::Timer expiry_;
};

}  // namespace martlet::api
