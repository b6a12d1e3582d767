#include "support/swarm/registration.h"

#include <algorithm>
#include <utility>

#include "wire/requests.h"

namespace martlet::swarm {

Registration::Registration(event::Loop& loop, net::Address server, UserId user,
                           std::string password, Done done)
    : loop_(loop),
      server_(std::move(server)),
      user_(std::move(user)),
      password_(std::move(password)),
      done_(std::move(done)),
      retry_(loop, [this] { connect(); }) {
  connect();
}

Registration::~Registration() {
  if (link_) link_->close();
}

void Registration::connect() {
  link_.reset(new client::Link(loop_, server_, *this));
}

void Registration::again(std::uint32_t least_ms) {
  if (link_) loop_.defer_delete(std::move(link_));
  retry_.start_once(std::chrono::milliseconds(std::max(least_ms, 200U)));
}

void Registration::on_link_up() {
  wire::Register body;
  body.user = user_;
  body.password = password_;
  link_->request(wire::Command::Register, wire::encode(body),
                 [this](const client::Answer& answer) { on_answer(answer); });
}

void Registration::on_link_down(const std::string&) {
  again(0);
}

void Registration::on_answer(const client::Answer& answer) {
  if (answer.kind == client::Answer::Kind::kLost) return;
  const bool refused = answer.kind == client::Answer::Kind::kRefused;
  link_->close();
  if (refused && answer.refusal.retryable) return again(answer.refusal.error.retry_after_ms);
  const bool bad = refused && answer.refusal.error.code != ErrorCode::kUserTaken;
  done_(bad ? user_.str() + ": " + std::string(error_name(answer.refusal.error.code)) : "");
}

}  // namespace martlet::swarm
