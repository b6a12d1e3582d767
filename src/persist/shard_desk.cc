#include "persist/shard_desk.h"

#include "wire/rpc.h"

namespace martlet::persist {
namespace {
// Take-overs repeat their question; more at once than shards exist is an error somewhere.
constexpr std::size_t kMaxChecks = kMaxShards;
}  // namespace

void ShardDesk::handle(const bus::Incoming& message) {
  const auto question = wire::parse_shard_question(message.payload);
  if (!question || message.reply.empty()) return parts_.metrics.malformed();
  std::string reply(message.reply);
  const ShardId shard = question->shard;
  if (shard.value() >= parts_.watermarks.shards())
    return refuse(reply, shard, {ErrorCode::kBadRange, "no such shard"});
  if (checks_.size() >= kMaxChecks)
    return refuse(reply, shard, {ErrorCode::kBusy, "too many questions wait"});
  const std::uint64_t number = ++last_number_;
  checks_[number] = std::make_unique<LogCheck>(
      LogCheck::Parts{parts_.loop, parts_.store, parts_.log, parts_.metrics}, shard,
      question->known,
      [this, number, shard, reply = std::move(reply)](const Result<Inspection>& result) {
        checked(number, shard, reply, result);
      });
}

void ShardDesk::checked(std::uint64_t number, ShardId shard, const std::string& reply,
                        const Result<Inspection>& result) {
  if (result) {
    const store::ShardState& state = result->state;
    if (parts_.watermarks.learn(shard, state)) parts_.announce(shard);
    wire::ShardAnswer answer;
    answer.shard = shard;
    answer.generation = state.generation;
    answer.base = state.base;
    answer.watermark = state.watermark;
    parts_.bus.reply(reply, wire::encode(answer));
  } else {
    refuse(reply, shard, result.error());
  }
  checks_.erase(number);
}

void ShardDesk::refuse(const std::string& reply, ShardId shard, const Error& error) {
  wire::ShardAnswer answer;
  answer.shard = shard;
  answer.error = error;
  parts_.bus.reply(reply, wire::encode(answer));
}

}  // namespace martlet::persist
