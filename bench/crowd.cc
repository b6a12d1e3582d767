#include "bench/crowd.h"

#include <utility>

#include "auth/token.h"

namespace martlet::bench {
namespace {

// Far below what an edge takes of connections that have not authenticated.
constexpr std::size_t kConnectAtOnce = 32;
// Half of an edge's heartbeat, and not all at the same moment.
constexpr Duration kPulse = std::chrono::seconds(15);
constexpr std::size_t kPulseTurns = 100;
constexpr std::uint64_t kTokenLifeS = 3600;

std::string token_of(const UserId& user, const auth::SigningKey& key) {
  const auth::TokenRules rules;
  const std::uint64_t now_s = SystemClock().wall_ms() / 1000;
  SystemRandom random;
  return auth::sign_token({.issuer = rules.issuer,
                           .audience = rules.audience,
                           .user = user,
                           .device = DeviceId::trusted("bench"),
                           .issued_s = now_s,
                           .expires_s = now_s + kTokenLifeS,
                           .id = auth::make_token_id(random)},
                          key);
}

}  // namespace

Crowd::Crowd(Parts parts, std::vector<UserId> users)
    : parts_(std::move(parts)),
      users_(std::move(users)),
      pulse_(parts_.loop, [this] { pulse(); }) {}

void Crowd::connect(OnOnline on_online) {
  all_online_ = std::move(on_online);
  pulse_.start_every(kPulse / kPulseTurns);
  if (users_.empty()) return parts_.loop.post(all_online_);
  for (std::size_t i = 0; i < kConnectAtOnce; ++i) connect_next();
}

void Crowd::connect_next() {
  const std::size_t number = links_.size();
  if (number == users_.size()) return;
  Link::Options options{.number = number,
                        .address = parts_.config.edges[number % parts_.config.edges.size()],
                        .access_token = token_of(users_[number], parts_.key)};
  LinkOwner& owner = *this;
  links_.push_back(std::make_unique<Link>(parts_.loop, std::move(options), owner));
}

void Crowd::on_online(Link&) {
  ++online_;
  if (online_ == users_.size()) return all_online_();
  connect_next();
}

void Crowd::on_frame(Link& link, const wire::Frame& frame) {
  if (parts_.on_frame) parts_.on_frame(link, frame);
}

void Crowd::on_lost(Link& link, const std::string& why) {
  parts_.on_lost(users_[link.number()].str() + ": " + why);
}

void Crowd::disconnect() {
  pulse_.cancel();
  for (const auto& link : links_) link->close();
}

// Who says nothing for the heartbeat's time is closed.
void Crowd::pulse() {
  const Bytes ping = wire::encode(wire::Ping{});
  for (std::size_t i = pulse_turn_; i < links_.size(); i += kPulseTurns) {
    links_[i]->send(wire::Command::Ping, 0, ping);
  }
  pulse_turn_ = (pulse_turn_ + 1) % kPulseTurns;
}

}  // namespace martlet::bench
