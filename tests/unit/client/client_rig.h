#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <optional>
#include <string>

#include "client/client.h"
#include "client_test_support.h"
#include "fake_server.h"
#include "support/run_loop.h"

namespace martlet::client {

// alice's phone at a server. Events: a ClientListener that counts what was `synced`.
template <class Events>
class ClientRig : public testing::Test {
 protected:
  ClientRig() { make_client("password"); }

  void make_client(const std::string& password) { make_client(Proof{password}); }
  void make_client(Proof proof) {
    ClientOptions options;
    options.addresses = AddressList({server_.address()});
    options.user = user("alice");
    options.device = DeviceId::trusted("phone");
    options.proof = std::move(proof);
    client_.emplace(loop_, random_, store_, options, events_);
  }
  void run_until(const std::function<bool()>& condition) {
    ASSERT_TRUE(test::run_until(loop_, condition, std::chrono::seconds(20)));
  }
  void go_online() {
    client_->start();
    run_until([&] { return events_.synced > 0; });
  }

  event::Loop loop_;
  SeededRandom random_{5};
  MemoryStore store_;
  FakeServer server_{loop_};
  Events events_;
  std::optional<Client> client_;
};

}  // namespace martlet::client
