#include "api/application.h"

#include <utility>

#include "api/limits.h"
#include "api/pages.h"
#include "base/log.h"
#include "bus/subjects.h"
#include "wire/envelopes.h"

namespace martlet::api {
namespace {

using std::chrono::seconds;

int http_status(ErrorCode code) {
  if (code == ErrorCode::kBadId) return 400;
  return code == ErrorCode::kTimeout ? 504 : 503;
}

}  // namespace

ApiApplication::ApiApplication(service::Context& context, std::unique_ptr<bus::Bus> bus,
                               std::unique_ptr<registry::Sessions> sessions)
    : loop_(context.loop),
      metrics_(context.registry),
      bus_(std::move(bus)),
      sessions_(std::move(sessions)),
      expiry_(context.loop, [this] { expire(); }) {
  context.http.route("/v1/edges", [this](const service::HttpRequest&,
                                         const service::HttpReply& reply) { answer_edges(reply); });
  context.http.route("/v1/users/*/sessions",
                     [this](const service::HttpRequest& request, const service::HttpReply& reply) {
                       answer_sessions(request.stars.at(0), reply);
                     });
}

void ApiApplication::start(Started on_started) {
  beats_ = bus_->subscribe(bus::subject::all_edge_beats(), "", bus::Priority::kDroppable,
                           [this](const bus::Incoming& incoming) { on_beat(incoming.payload); });
  expiry_.start_every(seconds(1));
  bus_->after_subscriptions(seconds(10), std::move(on_started));
}

Result<void> ApiApplication::ready() const {
  if (!bus_->is_connected()) return fail(ErrorCode::kUnavailable, "not connected to the broker");
  return {};
}

void ApiApplication::on_beat(BytesView payload) {
  const auto beat = wire::parse_edge_beat(payload);
  EdgeInfo info;
  if (beat) {
    info = {beat->edge,
            std::string(beat->name),
            std::string(beat->address),
            std::string(beat->http),
            beat->started_ms,
            beat->connections,
            beat->sessions,
            beat->draining};
  }
  if (!beat || !edges_.heard(std::move(info), loop_.now())) return metrics_.bad_beat();
  metrics_.beat();
  metrics_.live_edges(edges_.size());
}

void ApiApplication::expire() {
  edges_.expire(loop_.now());
  metrics_.live_edges(edges_.size());
}

void ApiApplication::answer_edges(const service::HttpReply& reply) {
  metrics_.requested(Page::kEdges);
  reply.json(200, edges_page(edges_.live(loop_.now())));
}

void ApiApplication::answer_sessions(std::string_view name, const service::HttpReply& reply) {
  metrics_.requested(Page::kSessions);
  const auto user = UserId::parse(name);
  if (!user) return refuse({ErrorCode::kBadId, "", 0}, reply);
  sessions_->read(*user, [this, user = *user, reply](const auto& sessions) {
    if (!sessions) return refuse(sessions.error(), reply);
    reply.json(200, sessions_page(user, *sessions));
  });
}

void ApiApplication::refuse(const Error& error, const service::HttpReply& reply) {
  metrics_.refused(error.code);
  reply.json(http_status(error.code), error_page(error));
}

// HTTP goes on until the end: /readyz tells that we stop.
void ApiApplication::stop_phase_one(Done on_done) {
  beats_.reset();
  expiry_.cancel();
  on_done();
}

void ApiApplication::stop_phase_two(Done on_done) {
  on_done();
}

}  // namespace martlet::api
