#include "net/http_call.h"

#include <event2/buffer.h>
#include <event2/http.h>

#include <optional>
#include <utility>

#include "net/resolver.h"

namespace martlet::net {
namespace {

template <class T, void (*Free)(T*)>
using Owned = std::unique_ptr<T, decltype([](T* p) { Free(p); })>;

std::optional<Address> address_of(const std::string& url) {
  const Owned<evhttp_uri, &evhttp_uri_free> uri(evhttp_uri_parse(url.c_str()));
  const char* host = uri ? evhttp_uri_get_host(uri.get()) : nullptr;
  const char* scheme = uri ? evhttp_uri_get_scheme(uri.get()) : nullptr;
  if (host == nullptr || scheme == nullptr || std::string(scheme) != "http") return std::nullopt;
  const int port = evhttp_uri_get_port(uri.get());
  std::string name = host;
  if (name.size() > 2 && name.front() == '[') name = name.substr(1, name.size() - 2);
  return Address{std::move(name), static_cast<std::uint16_t>(port < 0 ? 80 : port)};
}

}  // namespace

// The name is looked up by our resolver: evhttp's way of doing it would block.
struct HttpCall::State {
  State(event::Loop& the_loop, HttpQuestion the_question, Done on_done)
      : loop(the_loop),
        question(std::move(the_question)),
        done(std::move(on_done)),
        resolver(the_loop),
        timer(the_loop, [this] { finish(std::move(result)); }) {}

  ~State() { give_up(); }

  void give_up() {
    resolver.give_up();
    if (request != nullptr) evhttp_cancel_request(std::exchange(request, nullptr));
  }

  void start(const std::string& url, Duration timeout) {
    auto found = address_of(url);
    if (!found) {
      result = fail(ErrorCode::kBadBody, "not a URL like http://HOST:PORT: " + url);
      return timer.start_once(Duration(0));
    }
    result = fail(ErrorCode::kUnavailable, url + " does not answer");
    address = std::move(*found);
    timer.start_once(timeout);
    begin.emplace(loop, [this] {
      resolver.resolve(address, [this](const Result<SocketAddress>& there) {
        if (there) return ask(there->address());
        timer.start_once(Duration(0));
      });
    });
    begin->start_once(Duration(0));
  }

  void ask(const Address& there) {
    connection.reset(
        evhttp_connection_base_new(loop.raw(), nullptr, there.host.c_str(), there.port));
    evhttp_connection_set_max_body_size(connection.get(),
                                        static_cast<ev_ssize_t>(question.max_answer_bytes));
    request = evhttp_request_new(
        [](evhttp_request* answer, void* self) { static_cast<State*>(self)->on_answer(answer); },
        this);
    evkeyvalq* headers = evhttp_request_get_output_headers(request);
    evhttp_add_header(headers, "Host", address.str().c_str());
    evhttp_add_header(headers, "Connection", "close");
    if (!question.bearer.empty()) {
      evhttp_add_header(headers, "Authorization", ("Bearer " + question.bearer).c_str());
    }
    const bool is_post = question.method == HttpMethod::kPost;
    if (is_post) evhttp_add_header(headers, "Content-Length", "0");
    if (evhttp_make_request(connection.get(), request, is_post ? EVHTTP_REQ_POST : EVHTTP_REQ_GET,
                            question.path.c_str()) != 0) {
      request = nullptr;
      timer.start_once(Duration(0));
    }
  }

  // evhttp frees the request. Its connection may not be freed inside this.
  void on_answer(evhttp_request* answer) {
    request = nullptr;
    if (answer != nullptr && evhttp_request_get_response_code(answer) != 0) {
      HttpAnswer got{evhttp_request_get_response_code(answer), {}};
      evbuffer* body = evhttp_request_get_input_buffer(answer);
      got.body.resize(evbuffer_get_length(body));
      evbuffer_remove(body, got.body.data(), got.body.size());
      result = std::move(got);
    }
    timer.start_once(Duration(0));
  }

  void finish(Result<HttpAnswer> answer) {
    give_up();
    const Done callback = std::exchange(done, nullptr);
    callback(std::move(answer));
  }

  event::Loop& loop;
  HttpQuestion question;
  Done done;
  Address address;
  Result<HttpAnswer> result;
  Resolver resolver;
  Owned<evhttp_connection, &evhttp_connection_free> connection;
  evhttp_request* request = nullptr;
  event::Timer timer;  // the time is over, or there is a result
  std::optional<event::Timer> begin;
};

HttpCall::HttpCall(event::Loop& loop, const std::string& base_url, HttpQuestion question,
                   Duration timeout, Done done)
    : state_(std::make_unique<State>(loop, std::move(question), std::move(done))) {
  state_->start(base_url, timeout);
}

HttpCall::~HttpCall() = default;

Result<HttpAnswer> call_http(const std::string& base_url, const HttpQuestion& question,
                             Duration timeout) {
  event::Loop loop;
  Result<HttpAnswer> result;
  const HttpCall get(loop, base_url, question, timeout, [&](Result<HttpAnswer> answer) {
    result = std::move(answer);
    loop.stop();
  });
  loop.run();
  return result;
}

}  // namespace martlet::net
