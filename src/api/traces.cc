#include "api/traces.h"

#include <algorithm>
#include <charconv>
#include <string>
#include <utility>

#include "api/limits.h"
#include "api/trace_page.h"
#include "bus/subjects.h"
#include "wire/limits.h"

namespace martlet::api {
namespace {

using service::HttpReply;
using service::HttpRequest;

// None: not a number above zero.
std::optional<std::uint64_t> number_of(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool is_number = error == std::errc() && end == text.data() + text.size();
  return is_number && value > 0 ? std::optional(value) : std::nullopt;
}

std::optional<ClientMsgId> msg_id_of(std::string_view text) {
  std::string digits;
  for (const char c : text) {
    if (c != '-') digits += c;
  }
  const auto bytes = base::from_hex(digits);
  ClientMsgId id;
  if (!bytes || bytes->size() != id.bytes.size()) return std::nullopt;
  std::copy(bytes->begin(), bytes->end(), id.bytes.begin());
  return id.is_zero() ? std::nullopt : std::optional(id);
}

}  // namespace

Result<wire::TraceQuestion> trace_question(const HttpRequest& request) {
  const std::string_view message = request.parameter("message");
  const std::string_view conversation = request.parameter("conversation");
  const std::string_view seq = request.parameter("seq");
  const std::string_view client = request.parameter("client_msg_id");
  const int ways = int(!message.empty()) + int(!conversation.empty()) + int(!client.empty());
  if (ways != 1 || conversation.empty() != seq.empty()) {
    return fail(ErrorCode::kBadRange,
                "give either message, or conversation and seq, or client_msg_id");
  }
  wire::TraceQuestion question;
  if (!message.empty()) {
    const auto id = number_of(message);
    if (!id || *id > std::uint64_t(INT64_MAX)) {
      return fail(ErrorCode::kBadId, "message: not a message id");
    }
    question.message_id = MessageId(*id);
  } else if (!client.empty()) {
    const auto id = msg_id_of(client);
    if (!id) return fail(ErrorCode::kBadId, "client_msg_id: not 32 hexadecimal digits");
    question.client_msg_id = *id;
  } else {
    auto name = ConversationId::parse(conversation);
    const auto number = number_of(seq);
    if (!name) return fail(ErrorCode::kBadId, "conversation: not one");
    if (!number || *number > wire::kMaxSeq) return fail(ErrorCode::kBadRange, "seq: not one");
    question.conversation = std::move(*name);
    question.seq = Seq(*number);
  }
  return question;
}

void Traces::add_pages(service::HttpServer& http) {
  http.route("/v1/trace",
             parts_.gate.guard(auth::Role::kOperator,
                               [this](const HttpRequest& request, const HttpReply& reply) {
                                 answer(request, reply);
                               }));
}

void Traces::start() {
  hops_ =
      parts_.bus.subscribe(bus::subject::trace(), "", bus::Priority::kDroppable,
                           [this](const bus::Incoming& incoming) { on_hops(incoming.payload); });
}

void Traces::on_hops(BytesView payload) {
  const auto report = wire::parse_hop_report(payload);
  if (!report) return parts_.metrics.bad_report();
  parts_.metrics.hops(report->hops.size());
  ring_.add(*report);
  parts_.metrics.traces(ring_.size());
}

void Traces::answer(const HttpRequest& request, const HttpReply& reply) {
  parts_.metrics.requested(Page::kTrace);
  const auto question = trace_question(request);
  if (!question) return parts_.gate.refuse(question.error(), reply);
  parts_.bus.request(bus::subject::rpc_trace(), wire::encode(*question), kTraceTimeout,
                     [this, question = *question, reply,
                      alive = std::weak_ptr<int>(alive_)](const Result<Bytes>& bytes) {
                       if (!alive.expired()) found(question, bytes, reply);
                     });
}

// Without persist or its database the hops are told all the same.
void Traces::found(const wire::TraceQuestion& question, const Result<Bytes>& bytes,
                   const HttpReply& reply) {
  auto told = bytes ? wire::parse_trace_answer(*bytes)
                    : Result<wire::TraceAnswer>(tl::unexpect, bytes.error());
  wire::TraceAnswer durable;
  if (told) {
    durable = std::move(*told);
  } else {
    durable.error = told.error();
  }
  if (durable.error.code != ErrorCode::kNone) durable.behind = true;
  const std::vector<TracedMessage> messages = join(durable, ring_.find(question), ring_);
  if (messages.empty() && !durable.behind) {
    return parts_.gate.refuse({ErrorCode::kNoSuchMessage, "", 0}, reply);
  }
  reply.json(200, trace_page(durable, messages));
}

}  // namespace martlet::api
