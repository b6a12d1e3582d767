// martlet-bench-sockets IN_FLIGHT USERS TEXT_BYTES WARM_UP_S SECONDS GROUPS SIZE: what the kernel
// allows. GROUPS 0: one to one. Prints one line of JSON.

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/assert.h"
#include "bench/sockets/clients.h"

namespace {

using namespace martlet;
using namespace martlet::bench;

constexpr double kDrainS = 10;

double cpu_s(clockid_t clock) {
  timespec time{};
  MARTLET_ASSERT(::clock_gettime(clock, &time) == 0);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

// A server on a thread of its own.
class Running {
 public:
  explicit Running(SocketServer& server) : server_(server), thread_([&server] { server.run(); }) {}
  ~Running() {
    server_.stop();
    thread_.join();
  }
  double cpu() {
    clockid_t clock = 0;
    MARTLET_ASSERT(::pthread_getcpuclockid(thread_.native_handle(), &clock) == 0);
    return cpu_s(clock);
  }

 private:
  SocketServer& server_;
  std::thread thread_;
};

void set_no_delay(int fd) {
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

// Each user to their server.
void connect_all(const Layout& layout, SocketClients& clients, SocketServer* const* servers) {
  const net::UniqueFd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const raw = reinterpret_cast<sockaddr*>(&address);
  MARTLET_ASSERT(::bind(listener.get(), raw, size) == 0 && ::listen(listener.get(), 1) == 0);
  MARTLET_ASSERT(::getsockname(listener.get(), raw, &size) == 0);
  for (std::uint32_t user = 0; user < layout.users; ++user) {
    net::UniqueFd near(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    MARTLET_ASSERT(::connect(near.get(), raw, size) == 0);
    net::UniqueFd far(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
    MARTLET_ASSERT(far.is_open());
    set_no_delay(near.get());
    set_no_delay(far.get());
    clients.add(std::move(near));
    servers[user % Layout::kServers]->add(std::move(far));
  }
}

struct Reading {
  SocketClients::Counts counts;
  double servers_s, generator_s;
  MonotonicTime time;
};

Reading read(const SocketClients& clients, Running& first, Running& second) {
  return {clients.counts(), first.cpu() + second.cpu(), cpu_s(CLOCK_THREAD_CPUTIME_ID),
          SystemClock().now()};
}

void run_until(SocketClients& clients, MonotonicTime end) {
  while (SystemClock().now() < end) clients.turn();
}

Duration seconds(double count) {
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(count));
}

nlohmann::json result_of(const Reading& before, const Reading& after,
                         const SocketClients& clients) {
  const double took = std::chrono::duration<double>(after.time - before.time).count();
  const auto answered = static_cast<double>(after.counts.answered - before.counts.answered);
  const auto received = static_cast<double>(after.counts.received - before.counts.received);
  return {{"answered_per_s", answered / took},
          {"received_per_s", received / took},
          {"p50_ms", clients.latencies().percentile_ms(0.5).value_or(0)},
          {"p99_ms", clients.latencies().percentile_ms(0.99).value_or(0)},
          {"cpu_us",
           {{"servers", 1e6 * (after.servers_s - before.servers_s) / answered},
            {"generator", 1e6 * (after.generator_s - before.generator_s) / answered}}},
          {"seconds", took}};
}

nlohmann::json measure(const Layout& layout, std::size_t in_flight, double warm_up_s,
                       double seconds_s) {
  SocketServer first(layout, 0), second(layout, 1);
  first.set_other(second);
  second.set_other(first);
  SocketServer* const servers[] = {&first, &second};
  SocketClients clients(layout);
  connect_all(layout, clients, servers);
  Running serving_first(first), serving_second(second);
  clients.begin(in_flight);
  run_until(clients, SystemClock().now() + seconds(warm_up_s));
  clients.measure(true);
  const Reading before = read(clients, serving_first, serving_second);
  run_until(clients, before.time + seconds(seconds_s));
  const Reading after = read(clients, serving_first, serving_second);
  clients.measure(false);
  clients.stop();
  const auto& [sent, answered, received] = clients.counts();
  const MonotonicTime patience = SystemClock().now() + seconds(kDrainS);
  while ((answered < sent || received < sent * layout.copies()) && SystemClock().now() < patience) {
    clients.turn();
  }
  nlohmann::json result = result_of(before, after, clients);
  result["lost"] = sent - answered + sent * layout.copies() - received;
  return result;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 8) {
    std::fprintf(stderr,
                 "usage: martlet-bench-sockets IN_FLIGHT USERS TEXT_BYTES WARM_UP_S SECONDS GROUPS "
                 "SIZE\n");
    return 2;
  }
  const auto number = [&](int at) {
    return static_cast<std::uint32_t>(std::strtoul(argv[at], nullptr, 10));
  };
  Layout layout{.users = number(2), .groups = number(6), .size = number(7), .sizes = {}};
  layout.sizes = frame_sizes(number(3), layout.groups > 0);
  nlohmann::json result = measure(layout, number(1), std::atof(argv[4]), std::atof(argv[5]));
  const FrameSizes& sizes = layout.sizes;
  result["bytes"] = {{"send", sizes.send}, {"ack", sizes.ack}, {"event", sizes.event}};
  std::printf("%s\n", result.dump().c_str());
  return 0;
}
