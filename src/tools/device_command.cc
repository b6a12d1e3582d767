#include "tools/device_command.h"

#include <csignal>
#include <cstdio>
#include <utility>

namespace martlet::tools {

DeviceCommand::DeviceCommand(const ToolOptions& options)
    : options_(options), output_(options.json), deadline_(loop_, [this] { on_deadline(); }) {}

DeviceCommand::~DeviceCommand() = default;

Result<void> DeviceCommand::open() {
  Result<client::AddressList> servers = servers_of(options_);
  if (!servers) return tl::unexpected(servers.error());
  auto tls = tls_of(options_);
  if (!tls) return tl::unexpected(tls.error());
  tls_ = std::move(*tls);
  auto store = client::FileStore::open(options_.home);
  if (!store) return tl::unexpected(store.error());
  store_ = std::move(*store);
  const client::Credentials& known = store_->state().credentials;
  if (known.empty()) return fail(ErrorCode::kNotAuthenticated, "log in first: martlet login");
  user_ = known.user;
  device_ = known.device;
  client::ClientOptions options;
  options.addresses = std::move(*servers);
  options.user = user_;
  options.device = device_;
  options.receives = receives();
  options.tls = tls_.get();
  if (!options_.route.empty()) {
    if (options_.api.empty()) return fail(ErrorCode::kBadBody, "--route needs --api");
    routes_.emplace(loop_, options_.api, options_.route == "default" ? "" : options_.route);
    options.find_edge = [this](const UserId& user, client::ClientOptions::Found found) {
      routes_->find(user, std::move(found));
    };
  }
  client_ = std::make_unique<client::Client>(loop_, random_, *store_, options, *this);
  return {};
}

Exit DeviceCommand::run() {
  if (const Result<void> opened = open(); !opened) {
    complain(opened.error());
    const bool is_local = store_ == nullptr && exit_of(opened.error()) != Exit::kUnreachable;
    return is_local || opened.error().code == ErrorCode::kBusy ? Exit::kLocal
                                                               : exit_of(opened.error());
  }
  if (const Result<void> good = prepare(); !good) return fail_with(good.error());
  const event::SignalWatch interrupt(loop_, SIGINT, [this] { interrupt_now(); });
  const event::SignalWatch terminate(loop_, SIGTERM, [this] { interrupt_now(); });
  if (has_deadline()) {
    deadline_.start_once(timeout_of(options_));
  }
  client_->start();
  loop_.run();
  client_.reset();
  if (const std::string problem = store_->problem(); !problem.empty()) {
    complain(Error{ErrorCode::kInternal, problem});
    return Exit::kLocal;
  }
  return exit_.value_or(Exit::kOk);
}

void DeviceCommand::on_deadline() {
  const std::string why = last_trouble_.empty() ? "" : ": " + last_trouble_;
  const client::StoreState& kept = store_->state();
  const bool is_kept = !kept.sends.empty() || !kept.changes.empty();
  const std::string what = is_kept
                               ? "no answer within the time of --timeout; it stays in the home, "
                                 "and the next command goes on asking"
                               : "not done within the time of --timeout";
  give_up(Error{ErrorCode::kTimeout, what + why});
}

void DeviceCommand::on_state(client::State state, const std::string& why) {
  if (state == client::State::kOnline) return on_online(why);
  if (state != client::State::kConnecting || why.empty()) return;
  last_trouble_ = why;
  if (options_.verbose) std::fprintf(stderr, "martlet: connecting: %s\n", why.c_str());
}

void DeviceCommand::on_end(const Error& error) {
  if (!exit_) {
    complain(error);
    exit_ = exit_of(error);
  }
  loop_.stop();
}

void DeviceCommand::done(Exit exit) {
  if (exit_) return;
  exit_ = exit;
  if (client_->state() == client::State::kOff) {
    loop_.stop();
  } else {
    client_->stop();
  }
}

// The second signal does not wait for a goodbye.
void DeviceCommand::interrupt_now() {
  exit_ ? loop_.stop() : done(Exit::kOk);
}

void DeviceCommand::give_up(const Error& error) {
  if (exit_) return;
  complain(error);
  done(exit_of(error));
}

}  // namespace martlet::tools
