#pragma once

#include <string>

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
    const PersistOptions& options;
  };
  explicit AccountDesk(const Parts& parts) : parts_(parts) {}

  void handle(const ClientCallPtr& call);

 private:
  struct NewTokens {
    std::string refresh_token;
    store::NewToken stored;
  };
  void handle_register(const ClientCallPtr& call);
  void handle_login(const ClientCallPtr& call);
  void handle_refresh(const ClientCallPtr& call);
  void handle_devices(const ClientCallPtr& call);
  void handle_sign_out(const ClientCallPtr& call);
  void handle_auth(const ClientCallPtr& call);
  void kick(const UserId& user, const DeviceId& device);
  void password_found(const ClientCallPtr& call, const std::optional<std::string>& hash);
  void password_checked(const ClientCallPtr& call, bool right);
  void refreshed(const ClientCallPtr& call, const NewTokens& tokens,
                 const store::RefreshResult& result);

  NewTokens make_tokens();
  void answer_tokens(const ClientCallPtr& call, const UserId& user, const DeviceId& device,
                     const NewTokens& tokens);

  const Parts parts_;
};

}  // namespace martlet::persist
