#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/address.h"
#include "event/loop.h"

namespace martlet::service {

struct HttpLimits {
  std::size_t max_connections = 64;  // more wait in the kernel's queue
  std::size_t max_header_bytes = 8 * 1024;
  std::size_t max_body_bytes = 4 * 1024;
  Duration idle = std::chrono::seconds(15);           // without a byte
  Duration connection_age = std::chrono::minutes(2);  // whatever it does
};

enum class HttpMethod { kGet, kPost };

struct HttpRequest {
  std::string_view path;
  std::vector<std::string_view> stars;  // what the stars of the route's pattern stand for
  std::map<std::string, std::string> query;
  bool wants_events = false;     // Accept: text/event-stream
  std::string_view bearer = {};  // of Authorization: Bearer …; empty: there is none

  // Empty if it is not there.
  std::string_view parameter(const std::string& name) const {
    const auto found = query.find(name);
    return found == query.end() ? std::string_view() : found->second;
  }
};

// An answer that goes on: server-sent events. Closed when the last copy of it goes.
class HttpStream {
 public:
  // event: its name; data: one line.
  void send(std::string_view event, std::string_view data) const;
  // A comment, so that whoever listens knows that nothing is lost.
  void beat() const;
  // The client has gone, or takes nothing: kMaxHttpUnsentBytes wait for it.
  bool is_gone() const;

 private:
  friend class HttpReply;
  struct State;
  explicit HttpStream(std::shared_ptr<State> state) : state_(std::move(state)) {}
  std::shared_ptr<State> state_;
};

// The answer to one request, now or later. Answering twice asserts; letting go of all copies
// without an answer sends 500; an answer to a connection that is gone is dropped.
class HttpReply {
 public:
  void text(int status, std::string_view body) const { send(status, "text/plain", body); }
  void json(int status, std::string_view body) const { send(status, "application/json", body); }
  void send(int status, const std::string& type, std::string_view body) const;
  // Answers with a stream, which the limit on a connection's age does not end.
  HttpStream stream() const;

 private:
  friend class HttpServer;
  struct State;
  explicit HttpReply(std::shared_ptr<State> state) : state_(std::move(state)) {}
  std::shared_ptr<State> state_;
};

// A small HTTP server for health, metrics and the api: GET, and POST without a body that matters;
// everything bounded (libevent's evhttp). Loop thread.
class HttpServer {
 public:
  using Handler = std::function<void(const HttpRequest&, HttpReply)>;

  explicit HttpServer(event::Loop& loop, HttpLimits limits = {});
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // "/v1/users/*/sessions": a star is one part of the path. Patterns are compared in the order in
  // which they were added. A path that is there by another method answers 405.
  void route(std::string pattern, Handler handler, HttpMethod method = HttpMethod::kGet);

  // Once. The address as bound, with the port that the system chose.
  Result<config::Address> listen(const config::Address& address);

  std::size_t connections() const;

 private:
  friend class HttpReply;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace martlet::service
