#include "bench/floor/raw_core.h"

#include <nats/nats.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

namespace martlet::bench {
namespace {

constexpr int kSubjects = 10'000;
constexpr std::int64_t kFarthest = 20'000;  // messages between publisher and receiver
constexpr int kBurst = 100;
constexpr std::int64_t kFlushTimeoutMs = 10'000;

void check(natsStatus status) {
  if (status == NATS_OK) return;
  std::fprintf(stderr, "floor: %s\n", natsStatus_GetText(status));
  std::exit(1);
}

void count(natsConnection*, natsSubscription*, natsMsg* message, void* counter) {
  static_cast<std::atomic<std::int64_t>*>(counter)->fetch_add(1, std::memory_order_relaxed);
  natsMsg_Destroy(message);
}

natsConnection* connect(const std::string& url) {
  natsOptions* options = nullptr;
  natsConnection* connection = nullptr;
  check(natsOptions_Create(&options));
  check(natsOptions_SetURL(options, url.c_str()));
  check(natsOptions_UseGlobalMessageDelivery(options, true));
  check(natsConnection_Connect(&connection, options));
  natsOptions_Destroy(options);
  return connection;
}

}  // namespace

double raw_core(const std::string& url, double seconds) {
  natsConnection* to = connect(url);
  natsConnection* from = connect(url);
  std::atomic<std::int64_t> received = 0;
  std::vector<natsSubscription*> subscriptions(kSubjects);
  std::vector<std::string> subjects;
  for (int i = 0; i < kSubjects; ++i) {
    subjects.push_back("raw.u." + std::to_string(i));
    check(natsConnection_Subscribe(&subscriptions[static_cast<std::size_t>(i)], from,
                                   subjects.back().c_str(), count, &received));
  }
  check(natsConnection_FlushTimeout(from, kFlushTimeoutMs));
  const std::string payload(16, 'x');
  const auto begin = std::chrono::steady_clock::now();
  const auto end = begin + std::chrono::duration<double>(seconds);
  std::int64_t sent = 0;
  while (std::chrono::steady_clock::now() < end) {
    if (sent - received > kFarthest) {
      std::this_thread::sleep_for(std::chrono::microseconds(100));
      continue;
    }
    for (int i = 0; i < kBurst; ++i, ++sent) {
      check(natsConnection_Publish(to, subjects[static_cast<std::size_t>(sent % kSubjects)].c_str(),
                                   payload.data(), static_cast<int>(payload.size())));
    }
  }
  const double took =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  const double rate = static_cast<double>(received) / took;
  natsConnection_Close(to);
  natsConnection_Close(from);
  for (natsSubscription* subscription : subscriptions) natsSubscription_Destroy(subscription);
  natsConnection_Destroy(to);
  natsConnection_Destroy(from);
  return rate;
}

}  // namespace martlet::bench
