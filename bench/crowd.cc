#include "bench/crowd.h"

#include <utility>

#include "auth/token.h"

namespace martlet::bench {
namespace {

// Half of an edge's heartbeat, and not all at the same moment.
constexpr Duration kPulse = std::chrono::seconds(15);
constexpr std::size_t kPulseTurns = 100;
constexpr std::uint64_t kTokenLifeS = 3600;
constexpr std::size_t kAddresses = 16;
constexpr std::size_t kFirstAddress = 2;

net::SocketAddress source(std::size_t number) {
  const std::size_t last_byte = kFirstAddress + number % kAddresses;
  return net::resolve({"127.0.0." + std::to_string(last_byte), 0}).value();
}

std::string token_of(const UserId& user, const auth::SigningKey& key) {
  const auth::TokenRules rules;
  const std::uint64_t now_s = SystemClock().wall_ms() / 1000;
  SystemRandom random;
  return auth::sign_token({.issuer = rules.issuer,
                           .audience = rules.audience,
                           .user = user,
                           .device = kDevice,
                           .issued_s = now_s,
                           .expires_s = now_s + kTokenLifeS,
                           .id = auth::make_token_id(random)},
                          key);
}

}  // namespace

Crowd::Crowd(Parts parts, std::vector<UserId> users)
    : parts_(std::move(parts)), users_(std::move(users)), pulse_(parts_.loop, [this] { pulse(); }) {
  if (!parts_.password.empty()) return;
  for (const UserId& user : users_) tokens_.push_back(token_of(user, parts_.key));
}

void Crowd::connect(OnOnline on_online) {
  all_online_ = std::move(on_online);
  pulse_.start_every(kPulse / kPulseTurns);
  if (users_.empty()) return parts_.loop.post(all_online_);
  for (std::size_t i = 0; i < parts_.at_once; ++i) connect_next();
}

void Crowd::connect_next() {
  const std::size_t number = links_.size();
  if (number == users_.size()) return;
  const std::vector<net::Address>& edges = parts_.config.edges;
  // Each edge sees all the addresses.
  Link::Options options{.number = number,
                        .address = edges[number % edges.size()],
                        .from = source(number / edges.size()),
                        .access_token = tokens_.empty() ? std::string() : tokens_[number],
                        .user = users_[number],
                        .password = parts_.password,
                        .sync = !parts_.config.people.groups.empty(),
                        .tls = parts_.tls};
  LinkOwner& owner = *this;
  links_.push_back(std::make_unique<Link>(parts_.loop, std::move(options), owner));
}

void Crowd::on_online(Link& link) {
  ++online_;
  parts_.on_link_online(link);
  if (online_ == users_.size()) return all_online_();
  connect_next();
}

void Crowd::on_frame(Link& link, const wire::Frame& frame) {
  if (parts_.on_frame) parts_.on_frame(link, frame);
}

void Crowd::on_lost(Link& link, const std::string& why) {
  parts_.on_lost(users_[link.number()].str() + ": " + why);
}

std::size_t Crowd::refusals() const {
  std::size_t sum = 0;
  for (const auto& link : links_) sum += link->refusals();
  return sum;
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
