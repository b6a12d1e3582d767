#include "tools/doctor.h"

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <string>

#include "base/clock.h"
#include "service/findings.h"
#include "tools/api.h"
#include "tools/cluster_status.h"
#include "tools/edge_link.h"
#include "tools/verdicts.h"
#include "wire/requests.h"

namespace martlet::tools {
namespace {

// For an edge to accept a connection and answer a PING.
constexpr double kEdgeTimeoutS = 5;
constexpr std::int64_t kDayMs = 24LL * 3600 * 1000;

Finding why_no_status(const ToolOptions& options, const Error& error) {
  switch (error.code) {
    case ErrorCode::kNotAuthenticated:
      return {"api.token", Verdict::kFail, error.detail,
              "Give --api-token-file FILE with a token of the api (martlet-api --add-token)."};
    case ErrorCode::kForbidden:
      return {"api.token", Verdict::kFail, error.detail,
              "Use a token with the role viewer or more."};
    default:
      break;
  }
  const std::string what =
      error.detail.empty() ? std::string(error_text(error.code)) : error.detail;
  if (options.api.empty()) {
    return {"api", Verdict::kFail, "no api is given", "Give --api http://HOST:PORT."};
  }
  return {"api", Verdict::kFail, what,
          "See whether martlet-api runs, listens there (http.listen), and is of this version."};
}

// The second word of a line of /proc that begins with `name`.
std::uint64_t number_in(const char* file, const std::string& name) {
  std::ifstream in(file);
  std::string word;
  while (in >> word) {
    std::uint64_t number = 0;
    if (word == name && in >> number) return number;
  }
  return 0;
}

void look_here(LocalFacts& facts) {
  std::ifstream files("/proc/sys/fs/file-nr");
  std::uint64_t unused = 0;
  files >> facts.open_files >> unused >> facts.max_files;
  facts.memory_kib = number_in("/proc/meminfo", "MemTotal:");
  facts.available_kib = number_in("/proc/meminfo", "MemAvailable:");
}

// Whether somebody who speaks our protocol answers there.
Finding reach(const std::string& check, const std::string& address, ToolOptions options) {
  options.servers = address;
  options.timeout_s = std::min(options.timeout_s, kEdgeTimeoutS);
  EdgeLink link;
  auto up = link.connect(options);
  if (up) {
    const auto pong = link.ask(wire::Command::Ping, wire::encode(wire::Ping{}));
    if (!pong) up = tl::unexpected(pong.error());
  }
  if (up) return {check, Verdict::kOk, address + " answers", ""};
  return {check, Verdict::kFail, address + ": " + up.error().detail,
          "Clients are sent there. See edge.advertise, the network between, and for TLS the "
          "certificate's chain and name (--tls-ca, --tls-name)."};
}

Finding judge_certificate(const ServiceView& edge, WallMs now_ms) {
  const double expires_s = edge.value("martlet_edge_tls_certificate_expires_timestamp_seconds");
  const auto left_ms =
      static_cast<std::int64_t>(expires_s * 1000) - static_cast<std::int64_t>(now_ms);
  const std::int64_t days = left_ms / kDayMs;
  Finding finding{"certificate." + edge.name, Verdict::kOk,
                  "good for " + std::to_string(days) + " days", ""};
  if (days >= kCertificateWarnDays) return finding;
  finding.verdict = left_ms > 0 ? Verdict::kWarn : Verdict::kFail;
  if (left_ms <= 0) finding.what = "has expired";
  finding.cure = "Replace the files of edge.tls_cert and edge.tls_key and send SIGHUP.";
  return finding;
}

const ServiceView* edge_named(const ClusterStatus& status, const std::string& name) {
  for (const ServiceView& service : status.services) {
    if (service.kind == "edge" && service.name == name && !service.gone) return &service;
  }
  return nullptr;
}

bool has_tls(const ServiceView* edge) {
  return edge != nullptr &&
         edge->value("martlet_edge_tls_certificate_expires_timestamp_seconds") > 0;
}

// The addresses that the api sends clients to, and that of --server, behind which edges may stand
// that have none of their own.
Findings look_at_edges(const ToolOptions& options, const ClusterStatus& status) {
  Findings findings;
  const auto page = ask_api(options, {"/v1/edges"});
  if (!page || !page->contains("edges") || !page->at("edges").is_array()) {
    findings.push_back({"edges", Verdict::kFail, "the api does not tell of them",
                        "See whether it is of this version."});
    return findings;
  }
  std::size_t without_address = 0;
  for (const nlohmann::json& one : page->at("edges")) {
    const std::string name = text_of(one, "name");
    const std::string address = text_of(one, "address");
    if (address.empty()) {
      ++without_address;
      continue;
    }
    ToolOptions there = options;
    const ServiceView* edge = edge_named(status, name);
    there.tls = has_tls(edge);
    if (!there.tls) there.tls_ca = there.tls_name = "";
    findings.push_back(reach("edge." + name, address, there));
  }
  for (const ServiceView& service : status.services) {
    if (service.kind == "edge" && !service.gone && has_tls(&service)) {
      findings.push_back(judge_certificate(service, status.now_ms));
    }
  }
  if (!options.servers.empty()) findings.push_back(reach("server", options.servers, options));
  if (without_address > 0 && options.servers.empty()) {
    findings.push_back({"server", Verdict::kWarn,
                        std::to_string(without_address) +
                            " edges have no address of their own, and none was given to try",
                        "Give --server HOST:PORT of what stands before them."});
  }
  return findings;
}

void append(Findings& all, const Findings& more) {
  all.insert(all.end(), more.begin(), more.end());
}

}  // namespace

Exit doctor(const ToolOptions& options) {
  const SystemClock clock;
  LocalFacts facts;
  look_here(facts);
  facts.asked_ms = clock.wall_ms();
  const auto status = ask_status(options);
  facts.answered_ms = clock.wall_ms();
  Findings findings;
  if (!status) {
    findings.push_back(why_no_status(options, status.error()));
  } else {
    findings.push_back({"api", Verdict::kOk, options.api + " answers, and takes the token", ""});
    append(findings, judge_services(*status));
    append(findings, judge_shards(*status));
    append(findings, look_at_edges(options, *status));
    append(findings, judge_here(*status, facts));
  }
  std::fputs(
      (options.json ? service::findings_json(findings) : service::findings_text(findings)).c_str(),
      stdout);
  return service::exit_code(findings) == 0 ? Exit::kOk : Exit::kRefused;
}

}  // namespace martlet::tools
