#include "tools/verdicts.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <set>

namespace martlet::tools {
namespace {

constexpr std::string_view kKinds[] = {"api", "dispatcher", "edge", "persist"};
constexpr std::size_t kNamedAtMost = 8;

std::string label(const ServiceView& service) {
  return service.name.empty() ? service.kind + " " + service.instance : service.name;
}

std::string joined(const std::vector<std::string>& names) {
  std::string out;
  for (std::size_t i = 0; i < names.size() && i < kNamedAtMost; ++i) {
    out += (i > 0 ? ", " : "") + names[i];
  }
  if (names.size() > kNamedAtMost) out += fmt::format(" and {} more", names.size() - kNamedAtMost);
  return out;
}

// One finding for a question that is asked of every process: the worst, naming all that are so.
class Gathered {
 public:
  void add(Verdict verdict, std::string what) {
    if (verdict > worst_) named_.clear();
    worst_ = std::max(worst_, verdict);
    if (verdict == worst_ && verdict != Verdict::kOk) named_.push_back(std::move(what));
  }
  // cure: for what is wrong.
  Finding finding(std::string check, std::string fine, std::string cure) const {
    if (worst_ == Verdict::kOk) return {std::move(check), worst_, std::move(fine), ""};
    return {std::move(check), worst_, joined(named_), std::move(cure)};
  }

 private:
  Verdict worst_ = Verdict::kOk;
  std::vector<std::string> named_;
};

Verdict fullness(double used, double limit) {
  if (limit <= 0 || used < limit * kFullWarn) return Verdict::kOk;
  return used < limit * kFullFail ? Verdict::kWarn : Verdict::kFail;
}

std::vector<const ServiceView*> living(const ClusterStatus& status) {
  std::vector<const ServiceView*> all;
  for (const ServiceView& service : status.services) {
    if (!service.gone) all.push_back(&service);
  }
  return all;
}

Finding judge_api(const ClusterStatus& status) {
  if (status.trouble.empty()) return {"api.ready", Verdict::kOk, "it hears the cluster", ""};
  return {"api.ready", Verdict::kFail, "the api is " + status.trouble,
          "If it is not connected, see whether nats-server runs and is reached from the api "
          "(nats.url); what follows is what it heard last."};
}

Finding judge_kind(const ClusterStatus& status, std::string_view kind) {
  const std::string check = "services." + std::string(kind);
  std::size_t ready = 0;
  Gathered gathered;
  for (const ServiceView* service : living(status)) {
    if (service->kind != kind) continue;
    ready += service->ready ? 1 : 0;
    if (!service->ready) {
      gathered.add(Verdict::kFail, label(*service) + " is not ready: " + service->why);
    }
  }
  const Finding found =
      gathered.finding(check, fmt::format("{} ready", ready),
                       "Its log says more; `martlet-" + std::string(kind) +
                           " --check` with its configuration looks at what it needs.");
  if (ready > 0 || found.verdict != Verdict::kOk) return found;
  return {check, Verdict::kFail, "no " + std::string(kind) + " is heard",
          "Start one, or see in its log why it ended or cannot reach NATS."};
}

Finding judge_gone(const ClusterStatus& status) {
  Gathered gathered;
  for (const ServiceView& service : status.services) {
    if (!service.gone) continue;
    gathered.add(Verdict::kWarn, fmt::format("{} ({}) has been silent for {} s", label(service),
                                             service.kind, service.silence_ms / 1000));
  }
  return gathered.finding("services.gone", "nobody fell silent in the last minute",
                          "It was killed, hangs, or is cut off from NATS: see its log, and whether "
                          "it runs.");
}

Finding judge_versions(const ClusterStatus& status) {
  std::set<std::string> versions;
  std::set<std::uint64_t> protocols;
  std::vector<std::string> named;
  for (const ServiceView* service : living(status)) {
    versions.insert(service->version);
    protocols.insert(service->protocol);
    named.push_back(label(*service) + " " + service->version);
  }
  if (protocols.size() > 1) {
    return {"versions", Verdict::kFail, "processes speak different protocols: " + joined(named),
            "Bring all to the version that speaks both."};
  }
  if (versions.size() > 1) {
    return {"versions", Verdict::kWarn, "not one version everywhere: " + joined(named),
            "Fine while an upgrade is under way; else upgrade those that are behind."};
  }
  return {"versions", Verdict::kOk,
          versions.empty() ? "nobody is heard" : *versions.begin() + " everywhere", ""};
}

Finding judge_shard_counts(const ClusterStatus& status) {
  std::set<std::uint64_t> counts;
  std::vector<std::string> named;
  for (const ServiceView* service : living(status)) {
    if (service->kind == "api") continue;  // it needs none
    counts.insert(service->shards_configured);
    named.push_back(fmt::format("{} {}", label(*service), service->shards_configured));
  }
  if (counts.size() <= 1) {
    return {"shards.count", Verdict::kOk,
            fmt::format("{} everywhere", counts.empty() ? 0 : *counts.begin()), ""};
  }
  return {"shards.count", Verdict::kFail, "cluster.shards differs: " + joined(named),
          "Give all the number that the cluster was begun with; it cannot be changed."};
}

Verdict skew(std::uint64_t ms) {
  return ms > kClockFailMs ? Verdict::kFail : ms > kClockWarnMs ? Verdict::kWarn : Verdict::kOk;
}

std::uint64_t apart(WallMs a, WallMs b) {
  return a > b ? a - b : b - a;
}

constexpr const char* kClockCure =
    "Run a time service (chrony, systemd-timesyncd) on that machine.";

Finding judge_clocks(const ClusterStatus& status) {
  Gathered gathered;
  for (const ServiceView* service : living(status)) {
    const std::uint64_t ms = apart(service->now_ms, service->heard_ms);
    gathered.add(skew(ms),
                 fmt::format("the clock of {} is {} ms {} the api's", label(*service), ms,
                             service->now_ms > service->heard_ms ? "ahead of" : "behind"));
  }
  return gathered.finding("clocks", "all agree with the api's", kClockCure);
}

Finding judge_descriptors(const ClusterStatus& status) {
  Gathered gathered;
  for (const ServiceView* service : living(status)) {
    const double limit = service->value("process_max_fds");
    const double used = service->value("process_open_fds");
    const double wanted = service->value("martlet_edge_connection_limit");
    gathered.add(fullness(used, limit),
                 fmt::format("{} has {:.0f} of {:.0f} files open", label(*service), used, limit));
    if (limit > 0 && limit < wanted) {
      gathered.add(Verdict::kWarn,
                   fmt::format("{} may have {:.0f} files open, and {:.0f} connections",
                               label(*service), limit, wanted));
    }
  }
  return gathered.finding("descriptors", "no process is near its limit",
                          "Raise the limit of open files of the process (LimitNOFILE=, ulimits: "
                          "nofile), or lower edge.max_connections.");
}

Finding judge_connections(const ClusterStatus& status) {
  Gathered gathered;
  for (const ServiceView* service : living(status)) {
    const double limit = service->value("martlet_edge_connection_limit");
    const double used = service->value("martlet_edge_connections");
    gathered.add(fullness(used, limit),
                 fmt::format("{} has {:.0f} of {:.0f} connections", label(*service), used, limit));
  }
  return gathered.finding("connections", "every edge has room", "Add edges (GET /v1/scale).");
}

Finding judge_loops(const ClusterStatus& status) {
  Gathered gathered;
  for (const ServiceView* service : living(status)) {
    const double lag = service->value("martlet_loop_worst_lag_seconds");
    if (lag < kLoopLagWarnS) continue;
    gathered.add(Verdict::kWarn,
                 fmt::format("the loop of {} was {:.0f} ms late", label(*service), lag * 1000));
  }
  return gathered.finding("loops", "all are on time",
                          "The processor or the disk of its machine is too busy: look with "
                          "`martlet top`.");
}

Finding judge_persists(const ClusterStatus& status) {
  Gathered gathered;
  for (const ServiceView* service : living(status)) {
    const double stuck = service->value("martlet_persist_shards_stuck");
    if (stuck > 0) {
      gathered.add(Verdict::kFail,
                   fmt::format("{} cannot store {:.0f} shards", label(*service), stuck));
    }
    const double alarms = service->value("martlet_persist_alarms_total");
    if (alarms > 0) {
      gathered.add(Verdict::kWarn,
                   fmt::format("{} raised {:.0f} alarms since its start", label(*service), alarms));
    }
  }
  return gathered.finding("persist.alarms", "none",
                          "See its log at level error, and docs/operations.md, Alarms.");
}

Finding judge_owned(const std::map<std::uint64_t, ShardView>& shards) {
  std::vector<std::string> free;
  for (const auto& [number, shard] : shards) {
    if (!shard.is_served) free.push_back(std::to_string(number));
  }
  if (free.empty() && !shards.empty()) {
    return {"shards.owned", Verdict::kOk, fmt::format("all {} are served", shards.size()), ""};
  }
  return {
      "shards.owned", Verdict::kFail,
      shards.empty() ? "nobody says how many there are"
                     : "no dispatcher serves shard " + joined(free),
      "A take-over lasts some 3 s; if it stays so, start dispatchers, and see in their logs why "
      "they do not take it (persist and the log must answer)."};
}

Finding judge_stored(const std::map<std::uint64_t, ShardView>& shards) {
  Gathered gathered;
  for (const auto& [number, shard] : shards) {
    if (shard.storer == nullptr && shard.end > 0) {
      gathered.add(Verdict::kFail, fmt::format("no persist stores shard {}", number));
    }
    const Verdict late = shard.unstored_s >= kUnstoredFailS   ? Verdict::kFail
                         : shard.unstored_s >= kUnstoredWarnS ? Verdict::kWarn
                                                              : Verdict::kOk;
    gathered.add(late,
                 fmt::format("shard {}: {} batches wait for the database, the oldest for "
                             "{:.0f} s",
                             number, shard.storer == nullptr ? "some" : std::to_string(shard.lag()),
                             shard.unstored_s));
  }
  return gathered.finding("shards.stored", "the database has what the logs have",
                          "See whether persist is ready and PostgreSQL answers; nothing is lost "
                          "while the logs have room.");
}

Finding judge_logs(const std::map<std::uint64_t, ShardView>& shards) {
  Gathered gathered;
  for (const auto& [number, shard] : shards) {
    if (shard.owner == nullptr) continue;
    const double limit = shard.owner->value("martlet_dispatcher_log_limit_bytes");
    const double used = static_cast<double>(shard.log_bytes);
    gathered.add(fullness(used, limit), fmt::format("the log of shard {} has {:.0f} of {:.0f} MiB",
                                                    number, used / (1 << 20), limit / (1 << 20)));
  }
  return gathered.finding(
      "shards.logs", "every log has room",
      "Persist does not store fast enough; at the limit senders are told FULL.");
}

}  // namespace

Findings judge_services(const ClusterStatus& status) {
  Findings findings = {judge_api(status)};
  for (const std::string_view kind : kKinds) findings.push_back(judge_kind(status, kind));
  findings.push_back(judge_gone(status));
  findings.push_back(judge_versions(status));
  findings.push_back(judge_clocks(status));
  findings.push_back(judge_descriptors(status));
  findings.push_back(judge_connections(status));
  findings.push_back(judge_loops(status));
  findings.push_back(judge_persists(status));
  return findings;
}

Findings judge_shards(const ClusterStatus& status) {
  const auto shards = shards_of(status);
  return {judge_shard_counts(status), judge_owned(shards), judge_stored(shards),
          judge_logs(shards)};
}

Findings judge_here(const ClusterStatus& status, const LocalFacts& facts) {
  Findings findings;
  std::uint64_t ms = 0;  // the answer was made somewhere between the two
  if (status.now_ms < facts.asked_ms) ms = facts.asked_ms - status.now_ms;
  if (status.now_ms > facts.answered_ms) ms = status.now_ms - facts.answered_ms;
  Gathered clock;
  clock.add(skew(ms), fmt::format("this machine's clock and the api's are {} ms apart", ms));
  findings.push_back(clock.finding("here.clock", "agrees with the api's", kClockCure));
  Gathered files;
  files.add(
      fullness(static_cast<double>(facts.open_files), static_cast<double>(facts.max_files)),
      fmt::format("{} of {} files are open on this machine", facts.open_files, facts.max_files));
  findings.push_back(files.finding("here.files", "the kernel has room (fs.file-max)",
                                   "Raise it: sysctl fs.file-max."));
  Gathered memory;
  const double total = static_cast<double>(facts.memory_kib);
  memory.add(fullness(total - static_cast<double>(facts.available_kib), total) == Verdict::kFail
                 ? Verdict::kWarn
                 : Verdict::kOk,
             fmt::format("{} MiB of {} MiB are left on this machine", facts.available_kib / 1024,
                         facts.memory_kib / 1024));
  findings.push_back(
      memory.finding("here.memory", "there is some left",
                     "Find out who takes it: `martlet top` tells of our processes."));
  return findings;
}

}  // namespace martlet::tools
