#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "api/metrics.h"
#include "auth/api_tokens.h"
#include "service/http_server.h"

namespace martlet::api {

// Whom the api lets in: pages that need a role are there for bearers of a token that has it. Loop
// thread.
class Gate {
 public:
  using Handler = service::HttpServer::Handler;
  // who: the bearer.
  using Act = std::function<void(const std::string& who, const service::HttpRequest&,
                                 const service::HttpReply&)>;

  Gate(auth::ApiTokens tokens, ApiMetrics& metrics)
      : tokens_(std::move(tokens)), metrics_(metrics) {}

  // The handler behind a look at the bearer's role; the gate outlives it.
  Handler guard(auth::Role role, Handler handler);
  Handler guard_act(auth::Role role, Act act);
  // Reads the tokens again if their file changed. Called every second.
  void look();

  // Tells a client why not.
  void refuse(const Error& error, const service::HttpReply& reply);

 private:
  auth::ApiTokens tokens_;
  ApiMetrics& metrics_;
  std::string problem_;  // told already
};

}  // namespace martlet::api
