#include "net/resolver.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <mutex>
#include <string>
#include <thread>
#include <utility>

namespace martlet::net {
namespace {

bool is_numeric(const std::string& host) {
  in6_addr address{};
  return ::inet_pton(AF_INET, host.c_str(), &address) == 1 ||
         ::inet_pton(AF_INET6, host.c_str(), &address) == 1;
}

}  // namespace

// Shared with the thread, which may outlive the resolver and the loop.
struct Resolver::Question {
  std::mutex mutex;
  event::Loop* loop = nullptr;  // null: given up; written by the loop's thread, under the mutex
  Found found;                  // of the loop's thread: it must end there
};

Resolver::Resolver(event::Loop& loop, LookUp look_up) : loop_(loop), look_up_(std::move(look_up)) {}

Resolver::~Resolver() {
  give_up();
}

void Resolver::give_up() {
  const std::shared_ptr<Question> question = std::exchange(question_, nullptr);
  if (!question) return;
  const Found ends_here = std::exchange(question->found, nullptr);
  const std::lock_guard lock(question->mutex);
  question->loop = nullptr;
}

void Resolver::resolve(const Address& address, Found found) {
  give_up();
  if (is_numeric(address.host)) return found(net::resolve(address));
  question_ = std::make_shared<Question>();
  question_->loop = &loop_;
  question_->found = std::move(found);
  std::thread([question = question_, look_up = look_up_, address] {
    const Result<SocketAddress> result = look_up(address);
    const std::lock_guard lock(question->mutex);
    if (question->loop == nullptr) return;
    question->loop->post([question, result] {
      const Found answer = std::exchange(question->found, nullptr);
      if (answer) answer(result);
    });
  }).detach();
}

}  // namespace martlet::net
