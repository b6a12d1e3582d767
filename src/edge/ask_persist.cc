#include "edge/ask_persist.h"

#include <utility>

#include "base/log.h"
#include "bus/subjects.h"
#include "wire/rpc.h"

namespace martlet::edge {
namespace {

constexpr std::uint32_t kRetryAfterMs = 1000;

// A request that the link began and that counts as under way.
struct Asking {
  std::uint64_t link;
  std::uint32_t id;
  wire::Command command;
  OnRefused on_refused;
};

Error unavailable(const Error& error) {
  const bool timeout = error.code == ErrorCode::kTimeout;
  return {timeout ? ErrorCode::kTimeout : ErrorCode::kUnavailable, error.detail, kRetryAfterMs};
}

// The page says of some groups whether the user is in them.
void after_sync_page(EdgeContext& edge, ClientLink& link, BytesView body) {
  const auto page = wire::parse_sync_page(body);
  if (!page) return;
  if (page->next_page.empty()) link.synced();
  edge.groups.correct(link.session().user(), *page);
}

void pass_on(EdgeContext& edge, ClientLink& link, const Asking& asking,
             const Result<Bytes>& reply) {
  if (!reply) return link.refuse(asking.id, unavailable(reply.error()));
  const auto answer = wire::parse_client_answer(*reply);
  if (!answer || answer->command != asking.command) {
    return link.refuse(asking.id, {ErrorCode::kInternal, "the answer does not verify"});
  }
  if (answer->error.code != ErrorCode::kNone) {
    if (asking.on_refused) asking.on_refused(answer->error);
    return link.refuse(asking.id, answer->error);
  }
  const wire::Command answer_command = wire::answer_to(asking.command);
  if (!wire::verify_body(answer_command, answer->body)) {
    MARTLET_LOG(error, "answer_malformed command={}", static_cast<unsigned>(asking.command));
    return link.refuse(asking.id, {ErrorCode::kInternal, "the answer does not verify"});
  }
  link.answer(asking.id, answer_command, answer->body);
  // After it, so that a hint to sync is not taken for an old one.
  if (asking.command == wire::Command::Sync) after_sync_page(edge, link, answer->body);
}

Result<Asking> begin(EdgeContext& edge, const Request& request) {
  if (edge.rpcs_under_way >= kMaxRpcsUnderWay) {
    return fail(ErrorCode::kBusy, "too many requests under way", kRetryAfterMs);
  }
  request.link.session().begin(request.id, {request.command, {}, edge.clock.now()});
  ++edge.rpcs_under_way;
  return Asking{request.link.number(), request.id, request.command, {}};
}

// The link that still waits, not any more from now on.
ClientLink* end(EdgeContext& edge, const Asking& asking) {
  --edge.rpcs_under_way;
  ClientLink* link = edge.find_link(asking.link);
  if (link == nullptr || link->has_ended() || !link->finish(asking.id)) return nullptr;
  return link;
}

void ask(EdgeContext& edge, const Asking& asking, const Session& session,
         const std::string& subject, BytesView body) {
  const Duration wait = edge.options.rpc_timeout;
  const Bytes question = wire::encode(
      wire::ClientRequest{asking.command, session.user(), session.device(), body, wait});
  edge.bus.request(subject, question, wait, [&edge, asking](const Result<Bytes>& reply) {
    if (ClientLink* link = end(edge, asking)) pass_on(edge, *link, asking, reply);
  });
}

}  // namespace

Result<Taken> ask_persist(EdgeContext& edge, const Request& request, const std::string& subject,
                          OnRefused on_refused) {
  auto asking = begin(edge, request);
  if (!asking) return tl::unexpected(asking.error());
  asking->on_refused = std::move(on_refused);
  ask(edge, *asking, request.link.session(), subject, request.body);
  return Taken::kYes;
}

Result<Taken> ask_persist_when_listening(EdgeContext& edge, const Request& request,
                                         const std::string& subject) {
  const auto asking = begin(edge, request);
  if (!asking) return tl::unexpected(asking.error());
  edge.groups.when_listening(
      request.link.session().user(),
      [&edge, asking = *asking, subject, body = Bytes(request.body)](const Result<void>& ready) {
        if (!ready) {
          if (ClientLink* link = end(edge, asking)) link->refuse(asking.id, ready.error());
          return;
        }
        ClientLink* link = edge.find_link(asking.link);
        if (link == nullptr || link->has_ended()) {
          end(edge, asking);
          return;
        }
        ask(edge, asking, link->session(), subject, body);
      });
  return Taken::kYes;
}

void check_device(EdgeContext& edge, const UserId& user, const DeviceId& device,
                  std::function<void(bool is_revoked)> then) {
  if (edge.device_checks_under_way >= kMaxRpcsUnderWay) return then(false);
  ++edge.device_checks_under_way;
  const Duration wait = std::chrono::milliseconds(kDeviceCheckMs);
  const wire::ClientRequest question{wire::Command::Auth, user, device, {}, wait};
  edge.bus.request(bus::subject::rpc_account(), wire::encode(question), wait,
                   [&edge, then = std::move(then)](const Result<Bytes>& reply) {
                     --edge.device_checks_under_way;
                     if (!reply) return then(false);
                     const auto answer = wire::parse_client_answer(*reply);
                     then(answer && answer->error.code == ErrorCode::kTokenRevoked);
                   });
}

}  // namespace martlet::edge
