#include "service/http_server.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <event2/listener.h>
#include <netinet/in.h>
#include <strings.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <list>
#include <optional>
#include <utility>

#include "base/assert.h"
#include "event/timeval.h"
#include "service/limits.h"

namespace martlet::service {
namespace {

constexpr Duration kSweepPeriod = std::chrono::milliseconds(100);

std::vector<std::string_view> split_path(std::string_view path) {
  std::vector<std::string_view> parts;
  while (!path.empty()) {
    path.remove_prefix(1);  // the slash
    const std::size_t slash = std::min(path.find('/'), path.size());
    parts.push_back(path.substr(0, slash));
    path.remove_prefix(slash);
  }
  return parts;
}

// What the stars stand for; nothing if the path is another.
std::optional<std::vector<std::string_view>> match(std::string_view pattern,
                                                   std::string_view path) {
  const auto want = split_path(pattern);
  const auto got = split_path(path);
  if (want.size() != got.size()) return std::nullopt;
  std::vector<std::string_view> stars;
  for (std::size_t i = 0; i < want.size(); ++i) {
    if (want[i] == "*" && !got[i].empty()) {
      stars.push_back(got[i]);
    } else if (want[i] != got[i]) {
      return std::nullopt;
    }
  }
  return stars;
}

std::uint16_t bound_port(evhttp_bound_socket* bound) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  const int fd = evhttp_bound_socket_get_fd(bound);
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&storage), &size) != 0) return 0;
  if (storage.ss_family == AF_INET6) {
    return ntohs(reinterpret_cast<const sockaddr_in6*>(&storage)->sin6_port);
  }
  return ntohs(reinterpret_cast<const sockaddr_in*>(&storage)->sin_port);
}

// Parameters of the query, as a form writes them. One that cannot be read has none.
std::map<std::string, std::string> query_of(const evhttp_uri* uri) {
  std::map<std::string, std::string> query;
  const char* text = evhttp_uri_get_query(uri);
  evkeyvalq pairs;
  if (text == nullptr || evhttp_parse_query_str(text, &pairs) != 0) return query;
  for (const evkeyval* pair = pairs.tqh_first; pair != nullptr; pair = pair->next.tqe_next) {
    query[pair->key] = pair->value;
  }
  evhttp_clear_headers(&pairs);
  return query;
}

// What evhttp has cut off from its connection is left to us; it frees what still belongs to it.
void free_if_cut_off(evhttp_request* request) {
  if (evhttp_request_get_connection(request) == nullptr) evhttp_request_free(request);
}

bufferevent* buffer_of(evhttp_request* request) {
  return evhttp_connection_get_bufferevent(evhttp_request_get_connection(request));
}

}  // namespace

// As with a reply: the request is evhttp's while it has a connection.
struct HttpStream::State {
  evhttp_request* request = nullptr;

  ~State() {
    evhttp_request* const target = std::exchange(request, nullptr);
    if (target == nullptr) return;
    evhttp_connection_set_closecb(evhttp_request_get_connection(target), nullptr, nullptr);
    evhttp_send_reply_end(target);
  }

  void begin(evhttp_request* target, const timeval& idle) {
    request = target;
    evhttp_connection_set_closecb(evhttp_request_get_connection(target), &State::closed, this);
    evkeyvalq* headers = evhttp_request_get_output_headers(target);
    evhttp_add_header(headers, "Content-Type", "text/event-stream");
    evhttp_add_header(headers, "Cache-Control", "no-store");
    // Only we speak from now on: what comes all the same is not read for ever.
    bufferevent_setwatermark(buffer_of(target), EV_READ, 0, kMaxHttpHeaderBytes);
    bufferevent_set_timeouts(buffer_of(target), nullptr, &idle);
    evhttp_send_reply_start(target, 200, nullptr);
  }

  void send(std::string_view text) {
    if (request == nullptr) return;
    bufferevent* const buffer = buffer_of(request);
    if (evbuffer_get_length(bufferevent_get_output(buffer)) > kMaxHttpUnsentBytes) {
      ::shutdown(bufferevent_getfd(buffer), SHUT_RDWR);
      return;
    }
    evbuffer* const piece = evbuffer_new();
    evbuffer_add(piece, text.data(), text.size());
    evhttp_send_reply_chunk(request, piece);
    evbuffer_free(piece);
  }

  static void closed(evhttp_connection*, void* self) {
    free_if_cut_off(std::exchange(static_cast<State*>(self)->request, nullptr));
  }
};

void HttpStream::send(std::string_view event, std::string_view data) const {
  state_->send("event: " + std::string(event) + "\ndata: " + std::string(data) + "\n\n");
}

void HttpStream::beat() const {
  state_->send(":\n\n");
}

bool HttpStream::is_gone() const {
  return state_->request == nullptr;
}

// The request is evhttp's while it has a connection. When that goes first, closed() ends our part.
struct HttpReply::State {
  HttpServer::Impl* server = nullptr;
  evhttp_request* request = nullptr;
  bool answered = false;

  ~State() { send(500, "text/plain", "no answer\n"); }

  void send(int status, const std::string& type, std::string_view body) {
    if (request == nullptr) return;
    evhttp_request* const target = std::exchange(request, nullptr);
    evhttp_connection_set_closecb(evhttp_request_get_connection(target), nullptr, nullptr);
    evkeyvalq* headers = evhttp_request_get_output_headers(target);
    evhttp_add_header(headers, "Content-Type", type.c_str());
    evhttp_add_header(headers, "Cache-Control", "no-store");
    evbuffer* buffer = evbuffer_new();
    evbuffer_add(buffer, body.data(), body.size());
    evhttp_send_reply(target, status, nullptr, buffer);
    evbuffer_free(buffer);
  }

  static void closed(evhttp_connection*, void* self) {
    free_if_cut_off(std::exchange(static_cast<State*>(self)->request, nullptr));
  }
};

void HttpReply::send(int status, const std::string& type, std::string_view body) const {
  MARTLET_ASSERT(!state_->answered);
  state_->answered = true;
  state_->send(status, type, body);
}

struct HttpServer::Impl {
  struct Route {
    HttpMethod method;
    std::string pattern;
    Handler handler;
  };
  struct Connection {
    bufferevent* buffer;
    MonotonicTime since;
    bool streams = false;
  };

  Impl(event::Loop& the_loop, HttpLimits the_limits)
      : loop(the_loop), limits(the_limits), sweeper(the_loop, [this] { sweep(); }) {
    http = evhttp_new(loop.raw());
    MARTLET_ASSERT(http != nullptr);
    evhttp_set_allowed_methods(http, EVHTTP_REQ_GET | EVHTTP_REQ_POST);
    evhttp_set_max_headers_size(http, static_cast<ev_ssize_t>(limits.max_header_bytes));
    evhttp_set_max_body_size(http, static_cast<ev_ssize_t>(limits.max_body_bytes));
    const timeval idle = event::to_timeval(limits.idle);
    evhttp_set_timeout_tv(http, &idle);
    evhttp_set_bevcb(
        http, [](event_base*, void* self) { return static_cast<Impl*>(self)->new_connection(); },
        this);
    evhttp_set_gencb(
        http,
        [](evhttp_request* request, void* self) { static_cast<Impl*>(self)->handle(request); },
        this);
  }

  ~Impl() {
    evhttp_free(http);
    for (const Connection& connection : connections) bufferevent_decref(connection.buffer);
  }

  // evhttp tells nobody that it closed a connection, so we hold a reference to each buffer: one
  // that evhttp has let go of has lost its callbacks.
  static bool is_gone(const Connection& connection) {
    bufferevent_event_cb on_event = nullptr;
    bufferevent_getcb(connection.buffer, nullptr, nullptr, &on_event, nullptr);
    return on_event == nullptr;
  }

  bufferevent* new_connection() {
    sweep();
    // The socket must go with the buffer, in sweep(). Without this option evhttp closes it while
    // the buffer still watches it, and the next socket with that number is never found readable.
    bufferevent* buffer = bufferevent_socket_new(loop.raw(), -1, BEV_OPT_CLOSE_ON_FREE);
    MARTLET_ASSERT(buffer != nullptr);
    bufferevent_incref(buffer);
    connections.push_back({buffer, loop.now(), false});
    // At the limit the next ones wait in the kernel's queue.
    if (connections.size() >= limits.max_connections) evconnlistener_disable(listener);
    if (!sweeper.is_scheduled()) sweeper.start_every(kSweepPeriod);
    return buffer;
  }

  void sweep() {
    const MonotonicTime now = loop.now();
    for (auto it = connections.begin(); it != connections.end();) {
      if (is_gone(*it)) {
        bufferevent_decref(it->buffer);
        it = connections.erase(it);
        continue;
      }
      if (!it->streams && now - it->since > limits.connection_age) {
        ::shutdown(bufferevent_getfd(it->buffer), SHUT_RDWR);
      }
      ++it;
    }
    if (connections.size() < limits.max_connections) evconnlistener_enable(listener);
    if (connections.empty()) sweeper.cancel();
  }

  void handle(evhttp_request* request) {
    const auto state = std::make_shared<HttpReply::State>();
    state->server = this;
    state->request = request;
    evhttp_connection_set_closecb(evhttp_request_get_connection(request), &HttpReply::State::closed,
                                  state.get());
    const HttpReply reply(state);
    const evhttp_uri* uri = evhttp_request_get_evhttp_uri(request);
    const char* path = uri != nullptr ? evhttp_uri_get_path(uri) : nullptr;
    if (path == nullptr || path[0] != '/') return reply.text(400, "bad path\n");
    const bool is_post = evhttp_request_get_command(request) == EVHTTP_REQ_POST;
    const HttpMethod method = is_post ? HttpMethod::kPost : HttpMethod::kGet;
    bool is_there = false;
    for (const Route& route : routes) {
      const auto stars = match(route.pattern, path);
      is_there = is_there || stars;
      if (!stars || route.method != method) continue;
      return route.handler({path, *stars, query_of(uri), wants_events(request), bearer_of(request)},
                           reply);
    }
    is_there ? reply.text(405, "not by this method\n") : reply.text(404, "no such page\n");
  }

  static std::string_view bearer_of(evhttp_request* request) {
    constexpr std::string_view kScheme = "Bearer ";
    const char* value =
        evhttp_find_header(evhttp_request_get_input_headers(request), "Authorization");
    const std::string_view text = value == nullptr ? std::string_view() : value;
    const bool is_bearer =
        text.size() > kScheme.size() && ::strncasecmp(value, kScheme.data(), kScheme.size()) == 0;
    return is_bearer ? text.substr(kScheme.size()) : std::string_view();
  }

  static bool wants_events(evhttp_request* request) {
    const char* accept = evhttp_find_header(evhttp_request_get_input_headers(request), "Accept");
    return accept != nullptr && std::strstr(accept, "text/event-stream") != nullptr;
  }

  void keep_open(const bufferevent* buffer) {
    for (Connection& connection : connections) {
      if (connection.buffer == buffer) connection.streams = true;
    }
  }

  event::Loop& loop;
  HttpLimits limits;
  event::Timer sweeper;
  evhttp* http = nullptr;
  evconnlistener* listener = nullptr;
  std::vector<Route> routes;
  std::list<Connection> connections;
};

HttpStream HttpReply::stream() const {
  MARTLET_ASSERT(!state_->answered);
  state_->answered = true;
  HttpStream stream(std::make_shared<HttpStream::State>());
  evhttp_request* const request = std::exchange(state_->request, nullptr);
  if (request == nullptr) return stream;
  state_->server->keep_open(buffer_of(request));
  stream.state_->begin(request, event::to_timeval(state_->server->limits.idle));
  return stream;
}

HttpServer::HttpServer(event::Loop& loop, HttpLimits limits)
    : impl_(std::make_unique<Impl>(loop, limits)) {}

HttpServer::~HttpServer() = default;

void HttpServer::route(std::string pattern, Handler handler, HttpMethod method) {
  impl_->routes.push_back({method, std::move(pattern), std::move(handler)});
}

Result<config::Address> HttpServer::listen(const config::Address& address) {
  MARTLET_ASSERT(impl_->listener == nullptr);
  errno = 0;
  evhttp_bound_socket* bound =
      evhttp_bind_socket_with_handle(impl_->http, address.host.c_str(), address.port);
  if (bound == nullptr) {
    const std::string why = errno != 0 ? std::strerror(errno) : "no such host";
    return fail(ErrorCode::kUnavailable,
                "can't listen on " + config::to_string(address) + ": " + why);
  }
  impl_->listener = evhttp_bound_socket_get_listener(bound);
  return config::Address{address.host, bound_port(bound)};
}

std::size_t HttpServer::connections() const {
  return impl_->connections.size();
}

}  // namespace martlet::service
