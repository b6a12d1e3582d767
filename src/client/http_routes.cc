#include "client/http_routes.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "client/limits.h"

namespace martlet::client {

HttpRoutes::HttpRoutes(event::Loop& loop, std::string api_url, std::string strategy)
    : loop_(loop), api_url_(std::move(api_url)), strategy_(std::move(strategy)) {}

void HttpRoutes::find(const UserId& user, std::function<void(std::optional<net::Address>)> found) {
  std::string path = "/v1/route?user=" + user.str();
  if (!strategy_.empty()) path += "&strategy=" + strategy_;
  question_ = std::make_unique<net::HttpCall>(
      loop_, api_url_, net::HttpQuestion{std::move(path)}, kRouteTimeout,
      [found = std::move(found)](const Result<net::HttpAnswer>& answer) {
        found(answer ? parse_route(*answer) : std::nullopt);
      });
}

std::optional<net::Address> parse_route(const net::HttpAnswer& answer) {
  if (answer.status != 200) return std::nullopt;
  const auto json = nlohmann::json::parse(answer.body, nullptr, false);
  if (!json.is_object()) return std::nullopt;
  const auto address = json.find("address");
  if (address == json.end() || !address->is_string()) return std::nullopt;
  return net::parse_address(address->get<std::string>());
}

}  // namespace martlet::client
