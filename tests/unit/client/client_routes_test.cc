#include <utility>

#include "client_fixture.h"

namespace martlet::client {
namespace {

// Who says which edge to use.
class ClientRouteTest : public ClientTest {
 protected:
  // The list has an edge that nobody serves, if nothing else is said.
  void make_routed_client(std::vector<net::Address> list = {net::Address{"127.0.0.1", 1}}) {
    ClientOptions options;
    options.addresses = AddressList(std::move(list));
    options.user = user("alice");
    options.device = DeviceId::trusted("phone");
    options.proof.password = "password";
    options.find_edge = [this](const UserId& who, ClientOptions::Found found) {
      EXPECT_EQ(who, user("alice"));
      ++asked_;
      if (answers_) return found(answer_);
      waiting_ = std::move(found);
    };
    client_.emplace(loop_, random_, store_, options, events_);
  }

  void move_to(const std::string& to) {
    server_.send_event(user("alice"), wire::Command::ReconnectEvent,
                       wire::encode(wire::ReconnectEvent{to, 0}));
  }

  int asked_ = 0;
  bool answers_ = true;
  std::optional<net::Address> answer_ = server_.address();
  ClientOptions::Found waiting_;
};

TEST_F(ClientRouteTest, ConnectsWhereItIsTold) {
  make_routed_client();
  go_online();
  EXPECT_EQ(asked_, 1);
}

TEST_F(ClientRouteTest, AsksAgainForTheNextConnection) {
  make_routed_client();
  go_online();
  server_.cut_all();
  run_until([&] { return client_->logins() == 2; });
  EXPECT_EQ(asked_, 2);
}

TEST_F(ClientRouteTest, AnEdgeThatIsNamedAndDoesNotAnswerLeavesTheListItsTurn) {
  answer_ = net::Address{"127.0.0.1", 1};
  make_routed_client({server_.address()});
  go_online();
  EXPECT_EQ(asked_, 1);
  server_.cut_all();
  run_until([&] { return client_->logins() == 2; });
  EXPECT_EQ(asked_, 2) << "a new search after a connection that was good";
}

TEST_F(ClientRouteTest, FallsBackToItsList) {
  answer_.reset();
  make_routed_client();
  client_->start();
  run_until([&] { return asked_ >= 2; });
  EXPECT_EQ(client_->logins(), 0U) << "nobody serves the one of the list";
  answer_ = server_.address();
  run_until([&] { return client_->logins() == 1; });
}

TEST_F(ClientRouteTest, GoesWhereTheEdgeSendsItWithoutAsking) {
  make_routed_client();
  go_online();
  move_to(server_.address().str());
  run_until([&] { return client_->logins() == 2; });
  EXPECT_EQ(asked_, 1);
  move_to("");
  run_until([&] { return client_->logins() == 3; });
  EXPECT_EQ(asked_, 2) << "nobody told it where to";
}

TEST_F(ClientRouteTest, AnAnswerAfterItsEndDoesNothing) {
  answers_ = false;
  make_routed_client();
  client_->start();
  run_until([&] { return waiting_ != nullptr; });
  client_->stop();
  run_until([&] { return events_.end.has_value(); });
  waiting_(answer_);
  client_.reset();
  waiting_(answer_);
  EXPECT_EQ(server_.requests[wire::Command::Login], 0);
}

}  // namespace
}  // namespace martlet::client
