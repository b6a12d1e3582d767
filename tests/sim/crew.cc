#include "sim/crew.h"

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <sstream>

#include "base/assert.h"
#include "sim/run.h"

namespace martlet::sim {
namespace {

// One child. It takes every n-th seed and writes lines: what it begins with, failures, what it
// counted of each seed.
struct Worker {
  std::uint64_t next = 0;  // the seed that it is at
  pid_t pid = -1;
  int fd = -1;
  std::string rest;  // an unfinished line
};

void report(std::FILE* out, std::uint64_t seed, const Outcome& outcome) {
  for (const Finding& finding : outcome.findings) {
    std::fprintf(out, "F\t%s\t%s\t%s\n", std::string(promise_of(finding.breach)).c_str(),
                 std::string(name_of(finding.breach)).c_str(), finding.detail.c_str());
  }
  for (const auto& [name, count] : outcome.coverage.all()) {
    std::fprintf(out, "C\t%llu\t%s\n", static_cast<unsigned long long>(count), name.c_str());
  }
  std::fprintf(out, "D\t%llu\n", static_cast<unsigned long long>(seed));
  std::fflush(out);
}

[[noreturn]] void work(int fd, std::uint64_t seed, const CrewOrders& orders) {
  std::FILE* out = ::fdopen(fd, "w");
  for (; seed < orders.from + orders.seeds; seed += orders.processes) {
    report(out, seed, run_world(seed));
  }
  std::fclose(out);
  std::_Exit(0);
}

class Crew {
 public:
  Crew(const CrewOrders& orders, const std::function<void(const Failure&)>& on_failure)
      : orders_(orders), on_failure_(on_failure) {}

  Sum run() {
    workers_.resize(orders_.processes);
    for (std::size_t i = 0; i < workers_.size(); ++i) {
      workers_[i].next = orders_.from + i;
      start(workers_[i]);
    }
    while (wait()) {
    }
    return std::move(sum_);
  }

 private:
  bool has_more(const Worker& worker) const { return worker.next < orders_.from + orders_.seeds; }

  void start(Worker& worker) {
    if (!has_more(worker)) return;
    int ends[2];
    MARTLET_ASSERT(::pipe(ends) == 0);
    std::fflush(stdout);
    worker.pid = ::fork();
    MARTLET_ASSERT(worker.pid >= 0);
    if (worker.pid == 0) {
      for (const Worker& other : workers_) {
        if (other.fd >= 0) ::close(other.fd);
      }
      ::close(ends[0]);
      work(ends[1], worker.next, orders_);
    }
    ::close(ends[1]);
    worker.fd = ends[0];
  }

  // False: nobody is left.
  bool wait() {
    std::vector<pollfd> polled;
    std::vector<Worker*> owners;
    for (Worker& worker : workers_) {
      if (worker.fd < 0) continue;
      polled.push_back({worker.fd, POLLIN, 0});
      owners.push_back(&worker);
    }
    if (polled.empty()) return false;
    ::poll(polled.data(), polled.size(), -1);
    for (std::size_t i = 0; i < polled.size(); ++i) {
      if (polled[i].revents != 0) read(*owners[i]);
    }
    return true;
  }

  void read(Worker& worker) {
    char buffer[65536];
    const ssize_t got = ::read(worker.fd, buffer, sizeof buffer);
    if (got <= 0) return ended(worker);
    worker.rest.append(buffer, static_cast<std::size_t>(got));
    std::size_t end = 0;
    for (std::size_t at; (at = worker.rest.find('\n', end)) != std::string::npos; end = at + 1) {
      take(worker, worker.rest.substr(end, at - end));
    }
    worker.rest.erase(0, end);
  }

  void ended(Worker& worker) {
    ::close(worker.fd);
    worker.fd = -1;
    int status = 0;
    ::waitpid(worker.pid, &status, 0);
    const bool crashed = !WIFEXITED(status) || WEXITSTATUS(status) != 0;
    if (stopped_ || !crashed) return;
    worker.rest.clear();
    Failure failure{worker.next, "P8", "crashed", "see --seed " + std::to_string(worker.next)};
    finish(worker, {std::move(failure)}, {});
    start(worker);
  }

  void take(Worker& worker, const std::string& line) {
    std::istringstream fields(line);
    std::string kind, first, second, third;
    std::getline(fields, kind, '\t');
    std::getline(fields, first, '\t');
    if (kind == "F") {
      std::getline(fields, second, '\t');
      std::getline(fields, third);
      failures_[&worker].push_back({worker.next, first, second, third});
    } else if (kind == "C") {
      std::getline(fields, second);
      coverage_[&worker].add(second, std::strtoull(first.c_str(), nullptr, 10));
    } else if (kind == "D") {
      finish(worker, std::move(failures_[&worker]), std::move(coverage_[&worker]));
      failures_.erase(&worker);
      coverage_.erase(&worker);
    }
  }

  void finish(Worker& worker, std::vector<Failure> failures, const Coverage& coverage) {
    ++sum_.seeds;
    sum_.coverage.add(coverage);
    sum_.sends.push_back(coverage.of("sends"));
    sum_.faults.push_back(coverage.of("faults"));
    sum_.clients.push_back(coverage.of("clients"));
    worker.next += orders_.processes;
    if (failures.empty()) return;
    ++sum_.failed;
    for (Failure& failure : failures) {
      on_failure_(failure);
      if (orders_.stop_at && orders_.stop_at(failure)) stop();
      sum_.failures.push_back(std::move(failure));
    }
  }

  // What the others still say is not read any more.
  void stop() {
    stopped_ = true;
    for (const Worker& worker : workers_) {
      if (worker.fd >= 0) ::kill(worker.pid, SIGKILL);
    }
  }

  const CrewOrders orders_;
  const std::function<void(const Failure&)> on_failure_;
  std::vector<Worker> workers_;
  std::map<Worker*, std::vector<Failure>> failures_;
  std::map<Worker*, Coverage> coverage_;
  bool stopped_ = false;
  Sum sum_;
};

}  // namespace

Sum run_worlds(const CrewOrders& orders, const std::function<void(const Failure&)>& on_failure) {
  return Crew(orders, on_failure).run();
}

}  // namespace martlet::sim
