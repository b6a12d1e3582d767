#include "edge/ask_persist.h"

#include "base/log.h"
#include "wire/rpc.h"

namespace martlet::edge {
namespace {

constexpr std::uint32_t kRetryAfterMs = 1000;

Error unavailable(const Error& error) {
  const bool timeout = error.code == ErrorCode::kTimeout;
  return {timeout ? ErrorCode::kTimeout : ErrorCode::kUnavailable, error.detail, kRetryAfterMs};
}

void pass_on(ClientLink& link, std::uint32_t request_id, wire::Command command,
             const Result<Bytes>& reply) {
  if (!reply) return link.refuse(request_id, unavailable(reply.error()));
  const auto answer = wire::parse_client_answer(*reply);
  if (!answer || answer->command != command) {
    return link.refuse(request_id, {ErrorCode::kInternal, "the answer does not verify"});
  }
  if (answer->error.code != ErrorCode::kNone) return link.refuse(request_id, answer->error);
  const wire::Command answer_command = wire::answer_to(command);
  if (!wire::verify_body(answer_command, answer->body)) {
    MARTLET_LOG(error, "answer_malformed command={}", static_cast<unsigned>(command));
    return link.refuse(request_id, {ErrorCode::kInternal, "the answer does not verify"});
  }
  link.answer(request_id, answer_command, answer->body);
}

}  // namespace

Result<Taken> ask_persist(EdgeContext& edge, const Request& request, const std::string& subject) {
  if (edge.rpcs_under_way >= kMaxRpcsUnderWay) {
    return fail(ErrorCode::kBusy, "too many requests under way", kRetryAfterMs);
  }
  Session& session = request.link.session();
  session.begin(request.id, {request.command, {}, edge.clock.now()});
  ++edge.rpcs_under_way;
  const Duration wait = edge.options.rpc_timeout;
  const Bytes question = wire::encode(
      wire::ClientRequest{request.command, session.user(), session.device(), request.body, wait});
  edge.bus.request(subject, question, wait,
                   [&edge, number = request.link.number(), id = request.id,
                    command = request.command](const Result<Bytes>& reply) {
                     --edge.rpcs_under_way;
                     ClientLink* link = edge.find_link(number);
                     if (link == nullptr || link->has_ended()) return;
                     if (link->finish(id)) pass_on(*link, id, command, reply);
                   });
  return Taken::kYes;
}

}  // namespace martlet::edge
