#include "api/application.h"

#include <utility>

#include "api/limits.h"
#include "api/moves.h"
#include "api/pages.h"
#include "bus/subjects.h"
#include "wire/envelopes.h"
#include "wire/limits.h"

namespace martlet::api {
namespace {

using std::chrono::seconds;

Strategy configured(const ApiOptions& options) {
  return strategy_named(options.strategy).value_or(Strategy::kLeastActive);
}

}  // namespace

ApiApplication::ApiApplication(service::Context& context, std::unique_ptr<bus::Bus> bus,
                               std::unique_ptr<registry::Sessions> sessions, auth::ApiTokens tokens,
                               const ApiOptions& options)
    : loop_(context.loop),
      options_(options),
      metrics_(context.registry),
      gate_(std::move(tokens), metrics_),
      strategy_(configured(options)),
      desired_(options.scale),
      bus_(std::move(bus)),
      sessions_(std::move(sessions)),
      admin_({context.loop, *bus_, edges_, gate_, metrics_}),
      traces_({*bus_, gate_, metrics_}),
      first_look_(context.loop,
                  [this] {
                    moves_ = bus_->subscribe(
                        bus::subject::rpc_moves(), bus::subject::api_queue(),
                        bus::Priority::kAnswers,
                        [this](const bus::Incoming& question) { on_moves(question); });
                  }),
      second_(context.loop, [this] { every_second(); }) {
  add_pages(context.http);
  admin_.add_pages(context.http);
  traces_.add_pages(context.http);
}

// Clients ask for a route before they are anybody; the rest is for people and other servers.
void ApiApplication::add_pages(service::HttpServer& http) {
  using service::HttpReply;
  using service::HttpRequest;
  const auto view = [&](const char* path, service::HttpServer::Handler handler) {
    http.route(path, gate_.guard(auth::Role::kViewer, std::move(handler)));
  };
  http.route("/v1/route", [this](const HttpRequest& request, const HttpReply& reply) {
    answer_route(request, reply);
  });
  view("/v1/edges", [this](const HttpRequest& request, const HttpReply& reply) {
    answer_edges(request, reply);
  });
  view("/v1/scale", [this](const HttpRequest&, const HttpReply& reply) { answer_scale(reply); });
  view("/v1/status", [this](const HttpRequest&, const HttpReply& reply) { answer_status(reply); });
  view("/v1/users/*/sessions", [this](const HttpRequest& request, const HttpReply& reply) {
    answer_sessions(request.stars.at(0), reply);
  });
}

void ApiApplication::start(Started on_started) {
  beats_ = bus_->subscribe(bus::subject::all_edge_beats(), "", bus::Priority::kDroppable,
                           [this](const bus::Incoming& incoming) { on_beat(incoming.payload); });
  traces_.start();
  statuses_ = bus_->subscribe(bus::subject::all_statuses(), "", bus::Priority::kDroppable,
                              [this](const bus::Incoming& incoming) { on_status(incoming); });
  bus_->on_state([this](bus::BusState state) {
    if (state == bus::BusState::kReconnected) listen_anew();
  });
  second_.start_every(seconds(1));
  bus_->after_subscriptions(seconds(10),
                            [this, on_started = std::move(on_started)](const Result<void>& result) {
                              if (result) listen_anew();
                              on_started(result);
                            });
}

// Until everybody can have been heard, another api answers what edges ask.
void ApiApplication::listen_anew() {
  moves_.reset();
  first_look_.start_once(options_.first_look);
}

Result<void> ApiApplication::ready() const {
  if (!bus_->is_connected()) return fail(ErrorCode::kUnavailable, "not connected to the broker");
  if (!moves_) return fail(ErrorCode::kUnavailable, "listens who the edges are");
  return {};
}

// ---- what edges tell and ask --------------------------------------------------------------------

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
            beat->draining,
            beat->weight,
            beat->cpu_permille,
            beat->loop_lag_us,
            beat->output_bytes_per_s};
  }
  if (!beat || !edges_.heard(std::move(info), loop_.now())) return metrics_.bad_beat();
  metrics_.beat();
  metrics_.live_edges(edges_.size());
  if (listeners_.size() > 0) listeners_.look(edges_.live(loop_.now()));
}

// The broker lets each kind of service speak on its own subject only.
void ApiApplication::on_status(const bus::Incoming& message) {
  const auto status = wire::parse_service_status(message.payload);
  const bool is_known = status && message.subject == bus::subject::status(status->kind) &&
                        services_.heard(*status, message.payload, {loop_.now(), loop_.wall_ms()});
  is_known ? metrics_.status() : metrics_.bad_status();
}

void ApiApplication::on_moves(const bus::Incoming& question) {
  const auto asked = wire::parse_moves_question(question.payload);
  if (!asked || question.reply.empty()) return metrics_.bad_question();
  wire::MovesAnswer answer{plan_moves(*asked)};
  if (answer.moves.size() > wire::kMaxMoves) answer.moves.resize(wire::kMaxMoves);
  for (const wire::Move& move : answer.moves) metrics_.moved(asked->draining, move.sessions);
  bus_->reply(question.reply, wire::encode(answer));
}

std::vector<wire::Move> ApiApplication::plan_moves(const wire::MovesQuestion& question) const {
  if (!ready()) return {};
  std::vector<Candidate> candidates = edges_.candidates(loop_.now());
  if (question.draining) {
    std::erase_if(candidates,
                  [&](const Candidate& one) { return one.edge->edge == question.edge; });
    return plan_drain(question.sessions, candidates);
  }
  // While an edge drains, its sessions are about to come: who is level with them is not yet known.
  // The candidates are those that live and do not drain.
  if (candidates.size() < edges_.live(loop_.now()).size()) return {};
  return plan_rebalance(question.edge, question.sessions, candidates);
}

void ApiApplication::every_second() {
  gate_.look();
  const MonotonicTime now = loop_.now();
  edges_.expire(now);
  services_.expire(now);
  metrics_.live_edges(edges_.size());
  const std::vector<EdgeInfo> live = edges_.live(now);
  listeners_.look(live);
  if (now >= next_stream_beat_) {
    next_stream_beat_ = now + kStreamBeat;
    listeners_.beat();
  }
  metrics_.listeners(listeners_.size());
  if (!ready()) return;
  std::vector<EdgeInfo> staying;
  for (const EdgeInfo& edge : live) {
    if (!edge.draining) staying.push_back(edge);
  }
  desired_.look(staying, now);
  metrics_.desired_edges(desired_.desired());
}

// ---- pages --------------------------------------------------------------------------------------

void ApiApplication::answer_edges(const service::HttpRequest& request,
                                  const service::HttpReply& reply) {
  metrics_.requested(Page::kEdges);
  const std::vector<EdgeInfo> live = edges_.live(loop_.now());
  if (!request.wants_events) return reply.json(200, edges_page(live));
  if (!listeners_.has_room()) {
    return gate_.refuse({ErrorCode::kBusy, "too many listen to the edges already", 0}, reply);
  }
  listeners_.add(reply.stream(), live);
}

void ApiApplication::answer_route(const service::HttpRequest& request,
                                  const service::HttpReply& reply) {
  metrics_.requested(Page::kRoute);
  const auto user = UserId::parse(request.parameter("user"));
  if (!user) return gate_.refuse({ErrorCode::kBadId, "user: needed, as an id", 0}, reply);
  const std::string_view named = request.parameter("strategy");
  const auto strategy = named.empty() ? strategy_ : strategy_named(named);
  if (!strategy)
    return gate_.refuse({ErrorCode::kBadRange, "strategy: there is no such one", 0}, reply);
  if (const auto known = ready(); !known) return gate_.refuse(known.error(), reply);
  const std::vector<Candidate> candidates = edges_.candidates(loop_.now());
  const Candidate* chosen = router_.choose(*strategy, *user, candidates);
  if (chosen == nullptr) {
    return gate_.refuse({ErrorCode::kUnavailable, "no edge takes clients now", 0}, reply);
  }
  edges_.sent_to(chosen->edge->edge);
  metrics_.routed(*strategy);
  reply.json(200, route_page(*chosen->edge, *strategy));
}

// Also when the broker is away: what was heard last, and how long ago.
void ApiApplication::answer_status(const service::HttpReply& reply) {
  metrics_.requested(Page::kStatus);
  services_.expire(loop_.now());
  const Result<void> well = ready();
  reply.json(200, status_page(services_.all(loop_.now()), loop_.wall_ms(),
                              well ? "" : well.error().detail));
}

void ApiApplication::answer_scale(const service::HttpReply& reply) {
  metrics_.requested(Page::kScale);
  reply.json(200, scale_page(desired_, edges_.candidates(loop_.now()).size()));
}

void ApiApplication::answer_sessions(std::string_view name, const service::HttpReply& reply) {
  metrics_.requested(Page::kSessions);
  const auto user = UserId::parse(name);
  if (!user) return gate_.refuse({ErrorCode::kBadId, "", 0}, reply);
  sessions_->read(*user, [this, user = *user, reply](const auto& sessions) {
    if (!sessions) return gate_.refuse(sessions.error(), reply);
    reply.json(200, sessions_page(user, *sessions));
  });
}

// HTTP goes on until the end: /readyz tells that we stop.
void ApiApplication::stop_phase_one(Done on_done) {
  beats_.reset();
  traces_.stop();
  statuses_.reset();
  bus_->on_state(nullptr);
  first_look_.cancel();
  moves_.reset();
  second_.cancel();
  listeners_.close();
  on_done();
}

void ApiApplication::stop_phase_two(Done on_done) {
  on_done();
}

}  // namespace martlet::api
