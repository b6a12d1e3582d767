#pragma once

#include <memory>

#include "api/admin.h"
#include "api/desired_edges.h"
#include "api/edge_directory.h"
#include "api/edge_listeners.h"
#include "api/gate.h"
#include "api/metrics.h"
#include "api/options.h"
#include "api/router.h"
#include "api/service_directory.h"
#include "api/traces.h"
#include "base/random.h"
#include "bus/bus.h"
#include "registry/sessions.h"
#include "service/application.h"
#include "wire/rpc.h"

namespace martlet::api {

// The api service: keeps the live edges from their heartbeats, answers GET /v1/edges (as a stream
// of changes as well), /v1/route, /v1/scale, /v1/status and /v1/users/<uid>/sessions on the
// shell's HTTP endpoint, lets people administer (admin.h), and tells edges where their sessions
// should be. All pages but /v1/route need a token. Loop thread.
class ApiApplication final : public service::Application {
 public:
  ApiApplication(service::Context& context, std::unique_ptr<bus::Bus> bus,
                 std::unique_ptr<registry::Sessions> sessions, auth::ApiTokens tokens,
                 const ApiOptions& options);

  void start(Started on_started) override;
  Result<void> ready() const override;
  void stop_phase_one(Done on_done) override;
  void stop_phase_two(Done on_done) override;

 private:
  void add_pages(service::HttpServer& http);
  void listen_anew();
  void on_beat(BytesView payload);
  void on_status(const bus::Incoming& message);
  void on_moves(const bus::Incoming& question);
  std::vector<wire::Move> plan_moves(const wire::MovesQuestion& question) const;
  void every_second();
  void answer_edges(const service::HttpRequest& request, const service::HttpReply& reply);
  void answer_route(const service::HttpRequest& request, const service::HttpReply& reply);
  void answer_status(const service::HttpReply& reply);
  void answer_scale(const service::HttpReply& reply);
  void answer_sessions(std::string_view name, const service::HttpReply& reply);

  event::Loop& loop_;
  ApiOptions options_;
  ApiMetrics metrics_;
  SystemRandom random_;
  Gate gate_;
  Strategy strategy_;
  EdgeDirectory edges_;
  ServiceDirectory services_;
  Router router_{random_};
  DesiredEdges desired_;
  EdgeListeners listeners_;
  MonotonicTime next_stream_beat_{};
  std::unique_ptr<bus::Bus> bus_;
  std::unique_ptr<registry::Sessions> sessions_;
  Admin admin_;
  Traces traces_;
  std::unique_ptr<bus::Subscription> beats_;
  std::unique_ptr<bus::Subscription> statuses_;
  std::unique_ptr<bus::Subscription> moves_;  // none: not everybody can have been heard yet
  event::Timer first_look_;
  event::Timer second_;
};

}  // namespace martlet::api
