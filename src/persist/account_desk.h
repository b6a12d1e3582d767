#pragma once

#include <string>

#include "auth/identity.h"
#include "auth/keys.h"
#include "base/random.h"
#include "persist/client_call.h"
#include "persist/hash_pool.h"
#include "persist/options.h"
#include "store/store.h"
#include "wire/requests.h"

namespace martlet::persist {

// REGISTER, LOGIN and REFRESH: checks passwords and refresh tokens, signs access tokens. DEVICES
// and SIGN_OUT: the devices that are signed in. Loop thread; the hashes are made on the pool's
// threads.
class AccountDesk {
 public:
  struct Parts {
    event::Loop& loop;
    bus::Bus& bus;
    store::MessageStore& store;
    HashPool& hashes;
    PersistMetrics& metrics;
    Random& random;
    const auth::SigningKey& key;
    auth::IdentityProvider& identity;
    const PersistOptions& options;
  };
  explicit AccountDesk(const Parts& parts) : parts_(parts) {}

  void handle(const ClientCallPtr& call);
  // Every second: the identity provider's may have changed.
  void look_at_keys();

 private:
  struct NewTokens {
    std::string refresh_token;
    store::NewToken stored;
  };
  void handle_register(const ClientCallPtr& call);
  void handle_login(const ClientCallPtr& call);
  void handle_outside_login(const ClientCallPtr& call, const wire::Login& login);
  void handle_refresh(const ClientCallPtr& call);
  void handle_devices(const ClientCallPtr& call);
  void handle_sign_out(const ClientCallPtr& call);
  void handle_auth(const ClientCallPtr& call);
  void kick(const UserId& user, const DeviceId& device);
  void password_found(const ClientCallPtr& call, const std::optional<std::string>& hash);
  void password_checked(const ClientCallPtr& call, bool right);
  void refreshed(const ClientCallPtr& call, const NewTokens& tokens,
                 const store::RefreshResult& result);

  void start_login(const ClientCallPtr& call, const NewTokens& tokens, Duration access_life);
  NewTokens make_tokens();
  struct Holder {
    UserId user;
    DeviceId device;
  };
  void answer_tokens(const ClientCallPtr& call, const Holder& holder, const NewTokens& tokens,
                     Duration access_life);

  const Parts parts_;
  std::string problem_;  // of the identity provider's files, said once
};

}  // namespace martlet::persist
