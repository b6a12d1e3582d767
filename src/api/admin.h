#pragma once

#include <functional>
#include <memory>
#include <string>

#include "api/edge_directory.h"
#include "api/gate.h"
#include "bus/bus.h"
#include "event/loop.h"
#include "service/http_server.h"
#include "wire/admin.h"

namespace martlet::api {

// What people do to users and edges, by POST, and GET /v1/audit. Persist carries it out, after it
// has written it down: without persist and its database nothing is done. Loop thread; what it
// refers to outlives it.
class Admin {
 public:
  struct Parts {
    event::Loop& loop;
    bus::Bus& bus;
    const EdgeDirectory& edges;
    Gate& gate;
    ApiMetrics& metrics;
  };
  explicit Admin(const Parts& parts) : parts_(parts) {}

  void add_pages(service::HttpServer& http);

 private:
  void drain(const std::string& who, const service::HttpRequest& request,
             const service::HttpReply& reply);
  void act_on_user(wire::AdminAct act, const std::string& who, const service::HttpRequest& request,
                   const service::HttpReply& reply);
  void ask(const wire::AdminRequest& request, const service::HttpReply& reply);
  // Persist's answer as a page, or why there is none.
  template <class Answer>
  bus::Bus::Reply answer_to(const service::HttpReply& reply, Result<Answer> (*parse)(BytesView),
                            std::string (*page)(const Answer&));
  void audit(const service::HttpRequest& request, const service::HttpReply& reply);

  const Parts parts_;
  std::shared_ptr<int> alive_ = std::make_shared<int>(0);
};

}  // namespace martlet::api
