#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "event/loop.h"

namespace martlet::net {

struct HttpAnswer {
  int status = 0;
  std::string body;
};

enum class HttpMethod { kGet, kPost };

struct HttpQuestion {
  std::string path;
  HttpMethod method = HttpMethod::kGet;
  std::string bearer = {};  // a token for Authorization; empty: none
  std::size_t max_answer_bytes = 1024 * 1024;
};

// One GET or POST of http://HOST:PORT<path>, without a body. Loop thread; the loop must outlive it.
class HttpCall {
 public:
  using Done = std::function<void(Result<HttpAnswer>)>;

  // Calls back once, never inside the constructor, and must not be destroyed by that; not at all if
  // it is destroyed before. kBadBody: base_url is not like http://HOST:PORT. kUnavailable: no
  // answer in time, or one of more than max_answer_bytes.
  HttpCall(event::Loop& loop, const std::string& base_url, HttpQuestion question, Duration timeout,
           Done done);
  ~HttpCall();
  HttpCall(const HttpCall&) = delete;
  HttpCall& operator=(const HttpCall&) = delete;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// The same on a loop of its own: blocks.
Result<HttpAnswer> call_http(const std::string& base_url, const HttpQuestion& question,
                             Duration timeout);

}  // namespace martlet::net
