#include "api/trace_page.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

namespace martlet::api {
namespace {

using Json = nlohmann::ordered_json;

Json hop_json(const TimedStep& timed) {
  const TraceRing::Step& step = *timed.step;
  const wire::HopName& name = wire::hop_name(step.kind);
  Json json = {{"hop", name.name},
               {"time_us", step.time_us},
               {"service", step.process->service},
               {"process", step.process->name},
               {"instance", step.process->instance}};
  const bool is_counted = step.number > 0 || step.kind == wire::HopKind::kWritten;
  if (!name.count.empty() && is_counted) json[std::string(name.count)] = step.number;
  if (!step.user.empty()) json["user"] = step.user.str();
  if (step.error != ErrorCode::kNone) json["error"] = error_name(step.error);
  if (timed.impossible_us > 0) json["impossible_us"] = timed.impossible_us;
  return json;
}

void add_hops(Json& json, const TraceRing::Trace& trace) {
  Json hops = Json::array();
  for (const TimedStep& step : in_order(trace.steps)) hops.push_back(hop_json(step));
  json["flagged"] = trace.flagged;
  json["hops"] = std::move(hops);
  json["hops_left_out"] = trace.left_out;
  // Of which message those were that a process had no room for is not known.
  std::set<std::shared_ptr<const TraceRing::Process>> processes;
  for (const TraceRing::Step& step : trace.steps) processes.insert(step.process);
  std::uint64_t dropped = 0;
  for (const auto& process : processes) dropped += process->dropped;
  json["hops_dropped"] = dropped;
}

Json members_json(const wire::TraceRow& row) {
  Json members = Json::array();
  for (const wire::TraceMember& member : row.members) {
    members.push_back({{"user", member.user.str()},
                       {"sees", member.sees},
                       {"member", member.member},
                       {"read_seq", member.read_seq.value()},
                       {"read", member.sees && member.read_seq >= row.seq}});
  }
  return members;
}

void add_durable(Json& json, const wire::TraceRow& row) {
  Json durable = {{"time_ms", row.time_ms},
                  {"kind", proto::EnumNameContentKind(row.kind)},
                  {"bytes", row.bytes},
                  {"removed", row.removed},
                  {"shard", row.shard.value()},
                  {"generation", row.generation.value()},
                  {"position", row.position.value()},
                  {"stored", true},
                  {"watermark", row.watermark.value()}};
  const bool is_known = row.first != LogPosition();
  durable["in_log"] = is_known ? Json(row.position >= row.first) : Json(nullptr);
  durable["members"] = members_json(row);
  durable["members_count"] = row.members_count;
  json["durable"] = std::move(durable);
}

// The same of both, as far as either knows.
Json names_of(const TracedMessage& message) {
  const auto json = [](const ConversationId& conversation, Seq seq, MessageId message_id,
                       const UserId& sender, const ClientMsgId& id) -> Json {
    return {{"conversation", conversation.str()},
            {"seq", seq.value()},
            {"message_id", std::to_string(message_id.value())},
            {"sender", sender.str()},
            {"client_msg_id", to_string(id)}};
  };
  if (const wire::TraceRow* row = message.durable; row != nullptr) {
    return json(row->conversation, row->seq, row->message_id, row->sender, row->client_msg_id);
  }
  const TraceRing::Trace& trace = *message.trace;
  return json(trace.conversation, trace.seq, trace.message_id, trace.sender, trace.client_msg_id);
}

}  // namespace

std::vector<TracedMessage> join(const wire::TraceAnswer& durable,
                                const std::vector<const TraceRing::Trace*>& traces,
                                const TraceRing& ring) {
  std::vector<TracedMessage> messages;
  std::set<const TraceRing::Trace*> used;
  for (const wire::TraceRow& row : durable.rows) {
    const TraceRing::Trace* trace = ring.find(row);
    messages.push_back({&row, trace});
    used.insert(trace);
  }
  for (const TraceRing::Trace* trace : traces) {
    if (!used.contains(trace)) messages.push_back({nullptr, trace});
  }
  return messages;
}

std::string trace_page(const wire::TraceAnswer& durable,
                       const std::vector<TracedMessage>& messages) {
  Json list = Json::array();
  for (const TracedMessage& message : messages) {
    Json json = names_of(message);
    json["shows"] = message.trace != nullptr ? "hops" : "durable";
    json["durable"] = nullptr;
    if (message.durable != nullptr) add_durable(json, *message.durable);
    if (message.trace != nullptr) add_hops(json, *message.trace);
    list.push_back(std::move(json));
  }
  Json page = {{"behind", durable.behind}, {"messages", std::move(list)}};
  if (durable.error.code != ErrorCode::kNone) {
    page["error"] = error_name(durable.error.code);
    page["text"] = durable.error.detail.empty() ? std::string(error_text(durable.error.code))
                                                : durable.error.detail;
  }
  // Names of processes may come from a configuration with bytes that are no UTF-8.
  return page.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace martlet::api
