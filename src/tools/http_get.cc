#include "tools/http_get.h"

#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>

#include <memory>

namespace martlet::tools {
namespace {

struct Call {
  event_base* base = nullptr;
  HttpAnswer answer;
};

void on_answer(evhttp_request* request, void* context) {
  auto* call = static_cast<Call*>(context);
  if (request != nullptr) {
    call->answer.status = evhttp_request_get_response_code(request);
    evbuffer* body = evhttp_request_get_input_buffer(request);
    call->answer.body.resize(evbuffer_get_length(body));
    evbuffer_remove(body, call->answer.body.data(), call->answer.body.size());
  }
  event_base_loopexit(call->base, nullptr);
}

template <class T, void (*Free)(T*)>
using Owned = std::unique_ptr<T, decltype([](T* p) { Free(p); })>;

}  // namespace

Result<HttpAnswer> http_get(const std::string& base_url, const std::string& path,
                            double timeout_s) {
  const Owned<evhttp_uri, &evhttp_uri_free> uri(evhttp_uri_parse(base_url.c_str()));
  const char* host = uri ? evhttp_uri_get_host(uri.get()) : nullptr;
  const char* scheme = uri ? evhttp_uri_get_scheme(uri.get()) : nullptr;
  if (host == nullptr || scheme == nullptr || std::string(scheme) != "http") {
    return fail(ErrorCode::kBadBody, "not a URL like http://HOST:PORT: " + base_url);
  }
  const int port = evhttp_uri_get_port(uri.get());
  const Owned<event_base, &event_base_free> base(event_base_new());
  const Owned<evhttp_connection, &evhttp_connection_free> connection(evhttp_connection_base_new(
      base.get(), nullptr, host, static_cast<std::uint16_t>(port < 0 ? 80 : port)));
  evhttp_connection_set_timeout(connection.get(), static_cast<int>(timeout_s) + 1);
  Call call{base.get(), {}};
  evhttp_request* request = evhttp_request_new(&on_answer, &call);
  evkeyvalq* headers = evhttp_request_get_output_headers(request);
  evhttp_add_header(headers, "Host", host);
  evhttp_add_header(headers, "Connection", "close");
  if (evhttp_make_request(connection.get(), request, EVHTTP_REQ_GET, path.c_str()) == 0) {
    event_base_dispatch(base.get());
  }
  if (call.answer.status == 0) return fail(ErrorCode::kUnavailable, base_url + " does not answer");
  return call.answer;
}

}  // namespace martlet::tools
