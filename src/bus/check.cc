#include "bus/check.h"

#include <spdlog/fmt/fmt.h>

#include <array>
#include <charconv>
#include <functional>
#include <utility>

#include "bus/cluster_check.h"
#include "bus/jetstream.h"
#include "bus/nats_kv.h"
#include "bus/nats_log.h"
#include "bus/nats_log_reader.h"
#include "bus/subjects.h"
#include "lib/nats/native/handshake.h"
#include "model/limits.h"

namespace martlet::bus {
namespace {

namespace js = jetstream;

// For all questions about streams together.
constexpr Duration kStreamsTimeout = std::chrono::seconds(10);
constexpr std::size_t kNamedAtMost = 5;

std::array<int, 3> numbers_of(std::string_view version) {
  std::array<int, 3> numbers{};
  for (int& number : numbers) {
    const auto parsed = std::from_chars(version.data(), version.data() + version.size(), number);
    version.remove_prefix(static_cast<std::size_t>(parsed.ptr - version.data()));
    if (!version.starts_with('.')) break;
    version.remove_prefix(1);
  }
  return numbers;
}

std::string joined(const std::vector<std::string>& texts) {
  std::string out;
  for (std::size_t i = 0; i < texts.size() && i < kNamedAtMost; ++i) {
    out += (i > 0 ? "; " : "") + texts[i];
  }
  if (texts.size() > kNamedAtMost) out += fmt::format(" and {} more", texts.size() - kNamedAtMost);
  return out;
}

Finding judge_connection(const Error& error) {
  const bool is_refused = error.code == ErrorCode::kForbidden;
  return {"nats", Verdict::kFail, error.detail,
          is_refused ? "Give nats.url the user and password that the broker has for this role "
                       "(compose/nats-roles.conf)."
                     : "See whether nats-server runs there, and the network between; for TLS "
                       "nats.tls_ca."};
}

void judge_server(const nats::native::ServerInfo& info, int replicas, Findings& findings) {
  Finding version{"nats.version", Verdict::kOk, "nats-server " + info.version, ""};
  if (replicas > 1 && is_older(info.version, kLeastReplicatedVersion)) {
    version.verdict = Verdict::kWarn;
    version.what += fmt::format(" with {} replicas", replicas);
    version.cure = fmt::format("Three replicas are promised from {} on: upgrade the servers.",
                               kLeastReplicatedVersion);
  }
  findings.push_back(version);
  const bool is_large = info.max_payload >= static_cast<std::int64_t>(kMinServerPayloadBytes);
  findings.push_back({"nats.max_payload", is_large ? Verdict::kOk : Verdict::kFail,
                      fmt::format("{} bytes", info.max_payload),
                      is_large ? ""
                               : fmt::format("Set max_payload to {} at least, in the "
                                             "configuration of nats-server.",
                                             kMinServerPayloadBytes)});
  findings.push_back({"nats.jetstream", info.jetstream ? Verdict::kOk : Verdict::kFail,
                      info.jetstream ? "on" : "off",
                      info.jetstream ? ""
                                     : "Add jetstream { store_dir … } to the configuration of "
                                       "nats-server."});
}

Finding judge_rights(const std::vector<std::string>& refused, std::size_t tried) {
  if (refused.empty()) {
    return {"nats.permissions", Verdict::kOk,
            fmt::format("it may listen to all {} subjects", tried), ""};
  }
  return {"nats.permissions", Verdict::kFail, "it may not listen to " + joined(refused),
          "Give the role the rights of compose/nats-roles.conf, and reload nats-server."};
}

// The settings of several streams, asked all at once.
class StreamLook {
 public:
  StreamLook(event::Loop& loop, NatsBus& bus)
      : loop_(loop), bus_(bus), timer_(loop, [this] { loop_.stop(); }) {}

  void look(const std::vector<js::StreamConfig>& wanted) {
    timer_.start_once(kStreamsTimeout);
    loop_.post([this, wanted] {
      waiting_ = wanted.size();
      for (const js::StreamConfig& one : wanted) ask(one);
    });
    loop_.run();
    if (waiting_ > 0) wrong_.push_back(fmt::format("{} streams are not told of", waiting_));
  }

  const std::vector<std::string>& wrong() const { return wrong_; }
  std::size_t absent() const { return absent_; }

 private:
  void ask(const js::StreamConfig& wanted) {
    ask_jetstream(bus_, js::stream_info_subject(wanted.name), {}, kStreamsTimeout,
                  [this, wanted](Result<BytesView> answer) {
                    answered(wanted, answer);
                    if (--waiting_ == 0) loop_.stop();
                  });
  }

  void answered(const js::StreamConfig& wanted, const Result<BytesView>& answer) {
    if (!answer) return wrong_.push_back(wanted.name + ": " + answer.error().detail);
    const auto differences = js::stream_differences(*answer, wanted);
    if (!differences) {
      if (differences.error().err_code == js::kStreamNotFound) {
        ++absent_;
        return;
      }
      return wrong_.push_back(wanted.name + ": " + differences.error().description);
    }
    for (const std::string& one : *differences) wrong_.push_back(wanted.name + ": " + one);
  }

  event::Loop& loop_;
  NatsBus& bus_;
  std::vector<std::string> wrong_;
  std::size_t absent_ = 0;  // made by the first dispatcher
  std::size_t waiting_ = 0;
  event::Timer timer_;
};

Finding judge_streams(const std::string& check, const std::vector<js::StreamConfig>& wanted,
                      const BusOptions& options) {
  event::Loop loop;
  const auto bus = connect(loop, options);
  if (!bus) return judge_connection(bus.error());
  StreamLook streams(loop, **bus);
  streams.look(wanted);
  if (!streams.wrong().empty()) {
    return {
        check, Verdict::kFail, joined(streams.wrong()),
        "Somebody changed it, or cluster.shards, nats.replicas or shard.log_bytes are not those "
        "of the cluster. A dispatcher adapts max_bytes when it takes the shard over; the rest "
        "is changed with `nats stream edit`."};
  }
  if (streams.absent() > 0) {
    return {check, Verdict::kWarn, fmt::format("{} do not exist", streams.absent()),
            "The first dispatcher of the cluster makes them; in a cluster that has run they are "
            "lost."};
  }
  return {check, Verdict::kOk, fmt::format("{} as they should be", wanted.size()), ""};
}

}  // namespace

bool is_older(std::string_view version, std::string_view than) {
  return numbers_of(version) < numbers_of(than);
}

Findings check_broker(const BrokerNeeds& needs) {
  nats::ConnectionOptions link;
  link.url = needs.bus.url;
  link.tls_ca = needs.bus.tls_ca;
  auto tls = nats::trust(link);
  if (!tls) return {{"nats", Verdict::kFail, tls.error().detail, "Give the file of nats.tls_ca."}};
  link.tls = std::move(*tls);
  const auto tried = nats::native::try_subjects(link, needs.bus.name + "-check", needs.hears);
  if (!tried) return {judge_connection(tried.error())};
  Findings findings = {{"nats", Verdict::kOk, nats::masked_url(link.url) + " takes us", ""}};
  judge_server(tried->info, needs.replicas, findings);
  findings.push_back(judge_rights(tried->refused, needs.hears.size()));
  if (!needs.sees_streams || !tried->info.jetstream) return findings;
  BusOptions options = needs.bus;
  options.name += "-check";
  options.wait = Duration(0);
  findings.push_back(
      judge_streams("nats.bucket", {kv_stream(kLeaseBucket, needs.replicas)}, options));
  if (!needs.logs) return findings;
  std::vector<js::StreamConfig> logs;
  for (std::uint16_t shard = 0; shard < needs.shards; ++shard) {
    logs.push_back(log_stream(ShardId(shard), *needs.logs));
  }
  findings.push_back(judge_streams("nats.logs", logs, options));
  return findings;
}

}  // namespace martlet::bus
