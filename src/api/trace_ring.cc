#include "api/trace_ring.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"

namespace martlet::api {
namespace {

void learn(TraceRing::Trace& trace, const wire::Hop& hop) {
  if (!hop.conversation.empty()) trace.conversation = hop.conversation;
  if (hop.seq != Seq()) trace.seq = hop.seq;
  if (hop.message_id != MessageId()) trace.message_id = hop.message_id;
  if (hop.shard != ShardId()) trace.shard = hop.shard;
}

bool is_asked_for(const TraceRing::Trace& trace, const wire::TraceQuestion& question) {
  if (question.message_id != MessageId()) return trace.message_id == question.message_id;
  if (!question.client_msg_id.is_zero()) return trace.client_msg_id == question.client_msg_id;
  return trace.conversation == question.conversation && trace.seq == question.seq;
}

}  // namespace

void TraceRing::add(const wire::HopReport& report) {
  const auto process = process_of(report);
  for (const wire::Hop& hop : report.hops) add(hop, process);
}

// Kept as long as a hop of it is.
std::shared_ptr<const TraceRing::Process> TraceRing::process_of(const wire::HopReport& report) {
  if (processes_.size() >= kMaxEdges) {
    std::erase_if(processes_, [](const auto& item) { return item.second.expired(); });
  }
  auto& known = processes_[report.instance];
  auto process = known.lock();
  if (process == nullptr) {
    process = std::make_shared<Process>(
        Process{report.service, report.name, report.instance, report.dropped});
    known = process;
  }
  process->dropped = report.dropped;
  return process;
}

void TraceRing::add(const wire::Hop& hop, const std::shared_ptr<const Process>& process) {
  const Key key{hop.sender, hop.client_msg_id};
  const auto [found, is_new] = traces_.try_emplace(key);
  Trace& trace = found->second;
  if (is_new) {
    trace.sender = hop.sender;
    trace.client_msg_id = hop.client_msg_id;
    trace.flagged = hop.flagged;
    (hop.flagged ? flagged_ : sampled_).push_back(key);
  }
  learn(trace, hop);
  if (trace.steps.size() < limits_.hops_each) {
    trace.steps.push_back({hop.kind, hop.time_us, hop.number, hop.error, hop.user, process});
    ++hops_;
  } else {
    ++trace.left_out;
  }
  make_room();
}

void TraceRing::make_room() {
  while (sampled_.size() > limits_.sampled) forget_oldest(sampled_);
  while (flagged_.size() > limits_.flagged) forget_oldest(flagged_);
  while (hops_ > limits_.hops) forget_oldest(sampled_.empty() ? flagged_ : sampled_);
}

void TraceRing::forget_oldest(std::deque<Key>& order) {
  const auto found = traces_.find(order.front());
  MARTLET_ASSERT(found != traces_.end());
  hops_ -= found->second.steps.size();
  traces_.erase(found);
  order.pop_front();
}

std::vector<const TraceRing::Trace*> TraceRing::find(const wire::TraceQuestion& question) const {
  std::vector<const Trace*> found;
  for (const auto& [key, trace] : traces_) {
    if (is_asked_for(trace, question)) found.push_back(&trace);
  }
  std::sort(found.begin(), found.end(), [](const Trace* a, const Trace* b) {
    return a->steps.front().time_us > b->steps.front().time_us;
  });
  return found;
}

const TraceRing::Trace* TraceRing::find(const wire::TraceRow& row) const {
  const auto found = traces_.find({row.sender, row.client_msg_id});
  if (found == traces_.end()) return nullptr;
  const Trace& trace = found->second;
  // A sender may have used the id in another conversation too.
  const bool is_same = trace.conversation.empty() || trace.conversation == row.conversation;
  return is_same ? &trace : nullptr;
}

std::vector<TimedStep> in_order(const std::vector<TraceRing::Step>& steps) {
  std::vector<TimedStep> out;
  std::map<wire::HopKind, WallUs> first;
  for (const TraceRing::Step& step : steps) {
    out.push_back({&step, 0});
    const auto [known, is_new] = first.try_emplace(step.kind, step.time_us);
    if (!is_new) known->second = std::min(known->second, step.time_us);
  }
  std::stable_sort(out.begin(), out.end(), [](const TimedStep& a, const TimedStep& b) {
    return std::pair(a.step->time_us, a.step->kind) < std::pair(b.step->time_us, b.step->kind);
  });
  for (TimedStep& one : out) {
    const auto before = first.find(wire::hop_name(one.step->kind).after);
    const bool is_possible = before == first.end() || before->second <= one.step->time_us;
    if (!is_possible) one.impossible_us = before->second - one.step->time_us;
  }
  return out;
}

}  // namespace martlet::api
