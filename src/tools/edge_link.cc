#include "tools/edge_link.h"

#include <utility>

namespace martlet::tools {

EdgeLink::~EdgeLink() {
  if (link_) link_->close();
}

void EdgeLink::run(double timeout_s) {
  event::Timer deadline(loop_, [this] {
    trouble_ = "no answer in time";
    loop_.stop();
  });
  deadline.start_once(std::chrono::milliseconds(static_cast<long>(timeout_s * 1e3)));
  loop_.run();
}

Result<void> EdgeLink::connect(const ToolOptions& options) {
  timeout_s_ = options.timeout_s;
  Result<client::AddressList> servers = servers_of(options);
  if (!servers) return tl::unexpected(servers.error());
  auto tls = tls_of(options);
  if (!tls) return tl::unexpected(tls.error());
  tls_ = std::move(*tls);
  for (std::size_t i = 0; i < servers->size() && !is_up_; ++i) {
    link_ = std::make_unique<client::Link>(loop_, servers->current(),
                                           static_cast<client::Link::Owner&>(*this), tls_.get());
    run(timeout_s_);
    servers->rotate();
  }
  if (!is_up_) return fail(ErrorCode::kUnavailable, trouble_);
  return {};
}

void EdgeLink::on_link_up() {
  is_up_ = true;
  loop_.stop();
}

void EdgeLink::on_link_error(const wire::Refusal& refusal) {
  trouble_ = std::string(error_name(refusal.error.code));
}

void EdgeLink::on_link_down(const std::string& why) {
  is_up_ = false;
  trouble_ = why;
  loop_.stop();
}

Result<Bytes> EdgeLink::ask(wire::Command command, BytesView body) {
  Result<Bytes> result = fail(ErrorCode::kTimeout);
  bool answered = false;
  link_->request(command, body, [&](const client::Answer& answer) {
    answered = answer.kind != client::Answer::Kind::kLost;
    if (answer.kind == client::Answer::Kind::kBody) result = Bytes(answer.body);
    if (answer.kind == client::Answer::Kind::kRefused) {
      result = tl::unexpected(answer.refusal.error);
    }
    loop_.stop();
  });
  run(timeout_s_);
  // The callback holds this call's variables.
  if (!answered) link_->close();
  if (!answered) return fail(ErrorCode::kUnavailable, trouble_);
  return result;
}

}  // namespace martlet::tools
