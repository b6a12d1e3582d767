#include "persist/client_call.h"

#include "base/assert.h"
#include "base/log.h"
#include "persist/limits.h"

namespace martlet::persist {

std::shared_ptr<ClientCall> ClientCall::parse(const Parts& parts, const bus::Incoming& message) {
  std::shared_ptr<ClientCall> call(
      new ClientCall(parts, std::string(message.reply), Bytes(message.payload)));
  const auto request = wire::parse_client_request(call->payload_);
  if (!request || message.reply.empty()) {
    parts.metrics.malformed();
    call->answered_ = true;
    return nullptr;
  }
  call->request_ = *request;
  parts.metrics.requested(request->command);
  return call;
}

ClientCall::ClientCall(const Parts& parts, std::string reply, Bytes payload)
    : parts_(parts),
      reply_(std::move(reply)),
      payload_(std::move(payload)),
      started_(parts.loop.now()) {
  ++parts_.open.count;
}

ClientCall::~ClientCall() {
  --parts_.open.count;
}

void ClientCall::answer(BytesView body) {
  wire::ClientAnswer answer;
  answer.command = request_.command;
  answer.body = body;
  send(answer);
}

void ClientCall::refuse(const Error& error) {
  parts_.metrics.refused(request_.command, error.code);
  wire::ClientAnswer answer;
  answer.command = request_.command;
  answer.error = error;
  if (is_retryable(error.code) && error.retry_after_ms == 0)
    answer.error.retry_after_ms = kBusyRetryMs;
  send(answer);
}

void ClientCall::send(const wire::ClientAnswer& answer) {
  MARTLET_ASSERT(!answered_);
  answered_ = true;
  const Bytes bytes = wire::encode(answer);
  MARTLET_ASSERT(bytes.size() <= kMaxAnswerBytes + kMaxEnvelopeBytes);
  parts_.bus.reply(reply_, bytes);
  parts_.metrics.answer_took(request_.command, parts_.loop.now() - started_);
}

}  // namespace martlet::persist
