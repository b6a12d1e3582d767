#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "client/client.h"
#include "event/loop.h"
#include "net/http_call.h"

namespace martlet::client {

// Asks an api which edge to connect to (GET /v1/route). Loop thread; the loop must outlive it.
// strategy empty: the api's own.
class HttpRoutes {
 public:
  HttpRoutes(event::Loop& loop, std::string api_url, std::string strategy = {});

  // For ClientOptions::find_edge. The answer comes within kRouteTimeout; a question that is asked
  // again gives up the one before.
  void find(const UserId& user, std::function<void(std::optional<net::Address>)> found);

 private:
  event::Loop& loop_;
  std::string api_url_;
  std::string strategy_;
  std::unique_ptr<net::HttpCall> question_;
};

// What a route says; none: it is no route, or one without an address.
std::optional<net::Address> parse_route(const net::HttpAnswer& answer);

}  // namespace martlet::client
