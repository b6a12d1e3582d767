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

// One GET http://HOST:PORT<path>. Loop thread; the loop must outlive it.
class HttpGet {
 public:
  using Done = std::function<void(Result<HttpAnswer>)>;

  // Calls back once, never inside the constructor, and must not be destroyed by that; not at all if
  // it is destroyed before. kBadBody: base_url is not like http://HOST:PORT. kUnavailable: no
  // answer in time, or one of more than kMaxHttpAnswerBytes.
  HttpGet(event::Loop& loop, const std::string& base_url, std::string path, Duration timeout,
          Done done);
  ~HttpGet();
  HttpGet(const HttpGet&) = delete;
  HttpGet& operator=(const HttpGet&) = delete;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

inline constexpr std::size_t kMaxHttpAnswerBytes = 1024 * 1024;

// The same on a loop of its own: blocks.
Result<HttpAnswer> http_get(const std::string& base_url, const std::string& path, Duration timeout);

}  // namespace martlet::net
