#include "persist/trace_desk.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/assert.h"
#include "persist/limits.h"

namespace martlet::persist {

struct TraceDesk::Call {
  std::string reply;
  wire::TraceQuestion question;
  wire::TraceAnswer answer;
};

namespace {

// Whose ends are waited for; empty: all, since a client's id may be in any.
std::vector<ShardId> shards_of(const wire::TraceQuestion& question, std::uint16_t shards) {
  if (question.message_id != MessageId()) {
    const ShardId shard = shard_of(question.message_id);
    if (shard.value() < shards) return {shard};
    return {ShardId(0)};  // none of ours: it is nowhere
  }
  if (question.conversation.empty()) return {};
  return {shard_of(question.conversation, shards)};
}

}  // namespace

void TraceDesk::handle(const bus::Incoming& message) {
  auto question = wire::parse_trace_question(message.payload);
  if (!question || message.reply.empty()) return parts_.metrics.malformed();
  parts_.metrics.traced();
  const auto call = std::make_shared<Call>();
  call->reply = message.reply;
  call->question = std::move(*question);
  const MonotonicTime started = parts_.loop.now();
  const bool taken = parts_.barrier.add(
      shards_of(call->question, parts_.shards), started, [this, call, started](bool behind) {
        parts_.metrics.barrier_took(parts_.loop.now() - started, behind);
        call->answer.behind = behind;
        look_up(call);
      });
  if (taken) return;
  call->answer.error = {ErrorCode::kBusy, "too many requests wait for the database"};
  answer(*call);
}

void TraceDesk::look_up(const std::shared_ptr<Call>& call) {
  parts_.store.trace(call->question, [this, alive = std::weak_ptr<int>(alive_),
                                      call](const Result<std::vector<wire::TraceRow>>& rows) {
    if (!alive.expired()) found(call, rows);
  });
}

// A database that does not answer is behind, as far as anybody can tell.
void TraceDesk::found(const std::shared_ptr<Call>& call,
                      const Result<std::vector<wire::TraceRow>>& rows) {
  if (!rows) {
    call->answer.behind = true;
    call->answer.error = rows.error();
    return answer(*call);
  }
  call->answer.rows = *rows;
  if (call->answer.rows.empty()) return answer(*call);
  ask_logs(call);
}

void TraceDesk::ask_logs(const std::shared_ptr<Call>& call) {
  std::vector<ShardId> shards;
  for (const wire::TraceRow& row : call->answer.rows) shards.push_back(row.shard);
  std::sort(shards.begin(), shards.end());
  shards.erase(std::unique(shards.begin(), shards.end()), shards.end());
  parts_.log.infos(
      shards, kInfoTimeout,
      [this, alive = std::weak_ptr<int>(alive_), call](const Result<bus::LogInfos>& infos) {
        if (alive.expired()) return;
        for (wire::TraceRow& row : call->answer.rows) {
          if (infos) note_first(row, *infos);
        }
        answer(*call);
      });
}

// Positions of an earlier generation mean nothing to the log that is there now.
void TraceDesk::note_first(wire::TraceRow& row, const bus::LogInfos& infos) const {
  if (row.shard.value() >= parts_.watermarks.shards()) return;
  const store::ShardState& state = parts_.watermarks.at(row.shard);
  if (state.generation != row.generation) return;
  for (const bus::LogInfo& info : infos.found) {
    if (info.shard == row.shard) row.first = LogPosition(state.base + info.first.value());
  }
}

void TraceDesk::answer(const Call& call) {
  const Bytes bytes = wire::encode(call.answer);
  MARTLET_ASSERT(bytes.size() <= kMaxAnswerBytes);
  parts_.bus.reply(call.reply, bytes);
}

}  // namespace martlet::persist
