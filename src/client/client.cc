#include "client/client.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "client/limits.h"

namespace martlet::client {
namespace {

constexpr Duration kGoodbyeWait = std::chrono::seconds(1);
constexpr Duration kRenewRetry = std::chrono::seconds(5);
constexpr std::uint32_t kMaxWindow = 256;

// The store as it is when it belongs to this device.
const StoreState& prepared(Store& store, const ClientOptions& options) {
  const Credentials& known = store.state().credentials;
  if (known.user != options.user || known.device != options.device) {
    store.set_credentials(Credentials{options.user, options.device, {}, {}, 0});
  }
  return store.state();
}

}  // namespace

Client::Client(event::Loop& loop, Random& random, Store& store, ClientOptions options,
               ClientListener& listener)
    : loop_(loop),
      random_(random),
      store_(store),
      options_(std::move(options)),
      listener_(listener),
      own_clock_(loop),
      sync_(random, prepared(store, options_).sync_token, store.state().cursors),
      queue_(random),
      changes_(random),
      connect_timer_(loop, [this] { connect(); }),
      core_timer_(loop,
                  [this] {
                    sync_.tick(loop_.now());
                    queue_.tick(loop_.now());
                    changes_.tick(loop_.now());
                    pump();
                  }),
      renew_timer_(loop, [this] { renew(); }),
      move_timer_(loop,
                  [this] {
                    moving_ = true;
                    reconnect();
                  }),
      stop_timer_(loop,
                  [this] {
                    finish(Error{ErrorCode::kNone, {}});
                  }),
      read_timer_(loop, [this] { send_reads(); }) {
  queue_.restore(store.state().sends);
  changes_.restore(store.state().changes);
}

Client::~Client() {
  if (link_) link_->close();
}

void Client::set_state(State state, const std::string& why) {
  if (state_ == state && why.empty()) return;
  state_ = state;
  listener_.on_state(state, why);
}

// ---- life ---------------------------------------------------------------------------------

void Client::start() {
  final_kick_.reset();
  set_state(State::kConnecting, {});
  connect();
}

void Client::stop() {
  if (state_ == State::kOff || state_ == State::kStopping) return;
  const bool was_online = state_ == State::kOnline;
  set_state(State::kStopping, "stopped");
  connect_timer_.cancel();
  if (!was_online) {
    stop_timer_.start_once(Duration(0));
    return;
  }
  stop_timer_.start_once(kGoodbyeWait);
  link_->request(wire::Command::Goodbye, wire::encode(wire::Goodbye{}), [this](const Answer&) {
    if (state_ == State::kStopping) stop_timer_.start_once(Duration(0));
  });
}

void Client::finish(const Error& error) {
  for (event::Timer* timer :
       {&connect_timer_, &core_timer_, &renew_timer_, &move_timer_, &stop_timer_, &read_timer_}) {
    timer->cancel();
  }
  ++searches_;
  drop_link();
  set_state(State::kOff, error.detail);
  std::deque<Waiting> waiting;
  waiting.swap(waiting_);
  for (Waiting& one : waiting) one.on_reply(tl::unexpected(error));
  listener_.on_end(error);
}

// Where a server sent us, nobody needs to say again; and after an edge that was named and did not
// take us it is the list's turn, since the same one may be named for long.
void Client::connect() {
  const bool knows_where = std::exchange(is_sent_, false) || std::exchange(use_list_, false);
  if (!options_.find_edge || knows_where) return open_link();
  options_.find_edge(options_.user,
                     [this, search = ++searches_,
                      alive = std::weak_ptr<int>(alive_)](std::optional<net::Address> found) {
                       if (alive.expired() || search != searches_ || state_ != State::kConnecting)
                         return;
                       is_found_ = found.has_value();
                       if (found) options_.addresses.prefer(std::move(*found));
                       open_link();
                     });
}

// This attempt has failed, or the connection is lost.
void Client::try_next_address() {
  options_.addresses.rotate();
  use_list_ = std::exchange(is_found_, false);
}

void Client::open_link() {
  link_ = std::make_unique<Link>(loop_, options_.addresses.current(),
                                 static_cast<Link::Owner&>(*this), options_.tls);
}

void Client::reconnect() {
  if (link_) link_->fail(moving_ ? "the edge asks to move" : "reconnecting");
}

// Whoever is inside the link or the sign-in now finds them alive until the turn ends.
void Client::drop_link() {
  if (sign_in_ && sign_in_->is_auth_open()) {
    given_up_auths_.push_back(loop_.now());
    if (given_up_auths_.size() > kMaxGivenUpAuths) given_up_auths_.pop_front();
  }
  sync_.on_disconnected();
  queue_.on_disconnected();
  changes_.on_disconnected();
  reads_out_.clear();
  renew_timer_.cancel();
  move_timer_.cancel();
  read_timer_.cancel();
  if (link_) {
    link_->close();
    loop_.defer_delete(std::move(link_));
  }
  if (sign_in_) loop_.defer_delete(std::move(sign_in_));
}

// least: told by the server; up to twice that, so that all whom it told don't come back together.
void Client::wait_and_connect(Duration least) {
  set_state(State::kConnecting, {});
  const Duration told = least + random_.jitter(least / 2, 1.0);
  connect_timer_.start_once(std::max(told, pace_.next(random_, loop_.now())));
}

void Client::on_link_down(const std::string& why) {
  drop_link();
  if (state_ == State::kStopping) return finish(Error{ErrorCode::kNone, {}});
  if (final_kick_) {
    const std::string reason = proto::EnumNameKickReason(*final_kick_);
    return finish(Error{ErrorCode::kForbidden, "the server ended this session: " + reason});
  }
  set_state(State::kConnecting, why);
  if (std::exchange(moving_, false)) {
    connect_timer_.start_once(Duration(0));
    return;
  }
  try_next_address();
  wait_and_connect(std::exchange(told_to_wait_, {}));
}

// ---- signing in ---------------------------------------------------------------------------

void Client::on_link_up() {
  set_state(State::kSigningIn, {});
  sign_in_ = std::make_unique<SignIn>(
      loop_, *link_, store_, options_.proof,
      [this](SignIn::Result result, const Error& error, const wire::AuthOk& auth_ok) {
        on_signed_in(result, error, auth_ok);
      });
  sign_in_->start();
}

void Client::on_signed_in(SignIn::Result result, const Error& error, const wire::AuthOk& auth_ok) {
  if (state_ != State::kSigningIn) return;
  switch (result) {
    case SignIn::Result::kDone:
      go_online(auth_ok);
      break;
    case SignIn::Result::kRetry:
      drop_link();
      try_next_address();
      set_state(State::kConnecting, error.detail);
      wait_and_connect(std::chrono::milliseconds(error.retry_after_ms));
      break;
    case SignIn::Result::kRefused:
      finish(error);
      break;
  }
}

void Client::go_online(const wire::AuthOk& auth_ok) {
  const MonotonicTime now = loop_.now();
  clock_.told(auth_ok.time_ms);
  pace_.signed_in(now);
  is_found_ = false;
  ++logins_;
  link_->set_heartbeat(std::chrono::milliseconds(auth_ok.heartbeat_ms));
  schedule_renewal(auth_ok.expires_in_s);
  const std::uint32_t offered =
      auth_ok.max_unanswered > 0 ? auth_ok.max_unanswered : kDefaultWindow;
  const std::uint32_t window = offered > 2 * kReservedRequests ? offered - kReservedRequests : 1;
  const auto tail_check = std::chrono::milliseconds(std::max(auth_ok.tail_check_ms, 1'000U));
  set_state(State::kOnline, std::string(auth_ok.edge));
  if (state_ != State::kOnline) return;
  if (options_.receives) sync_.on_connected(tail_check, now);
  queue_.on_connected(std::min(window, kMaxWindow), now);
  changes_.on_connected(now);
  std::deque<Waiting> waiting;
  waiting.swap(waiting_);
  for (Waiting& one : waiting) ask_now(std::move(one));
  send_reads();
  pump();
}

void Client::schedule_renewal(std::uint32_t expires_in_s) {
  const Duration life = std::chrono::seconds(expires_in_s);
  renew_timer_.start_once(
      std::max<Duration>(random_.jitter(life * 8 / 10, 0.1), std::chrono::milliseconds(500)));
}

void Client::renew() {
  if (state_ != State::kOnline) return;
  if (sign_in_) loop_.defer_delete(std::move(sign_in_));
  sign_in_ = std::make_unique<SignIn>(
      loop_, *link_, store_, options_.proof,
      [this](SignIn::Result result, const Error& error, const wire::AuthOk& auth_ok) {
        on_renewed(result, error, auth_ok);
      });
  sign_in_->renew();
}

// A session whose token runs out is ended by the edge, and the next sign-in will say why.
void Client::on_renewed(SignIn::Result result, const Error& error, const wire::AuthOk& auth_ok) {
  if (result == SignIn::Result::kDone) {
    clock_.told(auth_ok.time_ms);
    return schedule_renewal(auth_ok.expires_in_s);
  }
  MARTLET_LOG(debug, "token_not_renewed code={}", error_name(error.code));
  renew_timer_.start_once(kRenewRetry);
}

// ---- events of the connection -------------------------------------------------------------

void Client::on_link_error(const wire::Refusal& refusal) {
  MARTLET_LOG(debug, "error_event code={}", error_name(refusal.error.code));
  // An edge that has no room for us says so before it closes.
  if (refusal.retryable) told_to_wait_ = std::chrono::milliseconds(refusal.error.retry_after_ms);
  if (refusal.error.code != ErrorCode::kTokenExpired) return;
  Credentials known = store_.state().credentials;
  known.access_expires_ms = 0;
  store_.set_credentials(std::move(known));
}

// What takes our place may be what a slow edge made of an AUTH that we gave up: once for each of
// these we come back and take it again (docs/adr/0043-sessions-of-a-device.md).
void Client::on_kicked(const wire::KickedEvent& event) {
  wire::KickedEvent told = event;
  if (event.reason == wire::KickReason::Replaced) {
    const MonotonicTime least = loop_.now() - kGivenUpAuthTime;
    std::erase_if(given_up_auths_, [least](MonotonicTime at) { return at < least; });
    if (!given_up_auths_.empty()) {
      given_up_auths_.pop_front();
      told.may_reconnect = true;
    }
  }
  if (!told.may_reconnect) final_kick_ = told.reason;
  listener_.on_kicked(told);
}

void Client::on_reconnect_event(const wire::ReconnectEvent& event) {
  if (!event.to.empty()) {
    std::optional<net::Address> to = net::parse_address(event.to);
    is_sent_ = to.has_value();
    if (to) options_.addresses.prefer(std::move(*to));
  }
  const std::uint64_t within = random_.below(std::uint64_t{event.within_ms} + 1);
  move_timer_.start_once(std::chrono::milliseconds(within));
}

}  // namespace martlet::client
