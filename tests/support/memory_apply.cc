#include "support/memory_apply.h"

#include <optional>
#include <set>

#include "base/assert.h"
#include "base/planted.h"
#include "lib/pg/error.h"
#include "store/apply_plan.h"
#include "store/repeats.h"
#include "store/signed.h"
#include "support/memory_writer.h"
#include "wire/log_batch.h"

namespace martlet::test {
namespace {

using store::ApplyOutcome;
using store::ApplyPlan;
using store::ApplyRequest;
using store::ApplyResult;
using PlannedMessage = ApplyPlan::MessageRow;

struct ParsedBatch {
  LogPosition position;
  const Bytes* bytes;
  Result<wire::Batch> batch;
};
using ParsedBatches = std::vector<ParsedBatch>;

enum class MayRepeat { kNo, kYes };

struct Written {
  std::size_t messages = 0;
  std::size_t repeats = 0;
  std::size_t dead = 0;
};

ApplyResult failed(const pg::Error& error) {
  ApplyResult result;
  result.detail = error.sqlstate + " " + error.message;
  result.outcome = error.is_unique_violation() ? ApplyOutcome::kDuplicate : ApplyOutcome::kRefused;
  return result;
}

ApplyResult fenced() {
  return {ApplyOutcome::kFenced, "the shard's row has changed"};
}

class Apply {
 public:
  Apply(Tables& tables, const MemoryApplyOptions& options, const ApplyRequest& request,
        std::uint64_t& made_ids)
      : tables_(tables),
        options_(options),
        request_(request),
        writer_(tables, options, request.shard, made_ids) {
    for (const store::LoggedBatch& one : request.batches)
      batches_.push_back({one.position, &one.bytes, wire::parse_batch(one.bytes)});
  }
  ApplyResult run();

 private:
  ApplyPlan plan_of_all() const;
  void ensure_read_conversations(const ApplyPlan& plan);
  bool is_expected() const;
  ApplyResult apply_all(const ApplyPlan& plan, MayRepeat may_repeat);
  ApplyResult apply_one_by_one();
  ApplyResult apply_batch(const ParsedBatch& parsed);
  Written apply_entry(const PlannedMessage& one);
  Written write_plan(const ApplyPlan& plan, MayRepeat may_repeat);
  store::Repeats find_repeats(const ApplyPlan& plan) const;
  void write_tombstone(const PlannedMessage& one);
  void keep_dead(const std::vector<PlannedMessage>& messages, const pg::Error& why);
  void keep_unreadable(const ParsedBatch& parsed);
  void commit(ApplyResult& result);

  Tables& tables_;
  const MemoryApplyOptions& options_;
  const ApplyRequest& request_;
  MemoryWriter writer_;
  ParsedBatches batches_;
};

ApplyPlan Apply::plan_of_all() const {
  ApplyPlan plan;
  for (const ParsedBatch& parsed : batches_) {
    if (!parsed.batch) continue;
    for (const wire::Entry& entry : parsed.batch->entries)
      plan.add(entry, {request_.shard, parsed.position, &*parsed.batch});
  }
  return plan;
}

// In a transaction of its own, which lives on if the next one is fenced.
void Apply::ensure_read_conversations(const ApplyPlan& plan) {
  std::set<std::string> names;
  for (const auto& [key, change] : plan.reads()) {
    const auto conversation = ConversationId::trusted(key.second);
    const UserId reader = UserId::trusted(key.first);
    const auto users = conversation.is_group() ? std::pair(reader, reader) : conversation.users();
    const bool exist = tables_.accounts.contains(users.first.str()) &&
                       tables_.accounts.contains(users.second.str());
    if (exist && tables_.find(key.second) == nullptr) names.insert(key.second);
  }
  Journal journal;
  for (const std::string& name : names) {
    const ShardId shard = shard_of(ConversationId::trusted(name), options_.shards);
    tables_.add_conversation(name, shard, journal);
  }
}

bool Apply::is_expected() const {
  const std::size_t shard = request_.shard.value();
  return shard < tables_.shards.size() && tables_.shards[shard] == request_.expected;
}

store::Repeats Apply::find_repeats(const ApplyPlan& plan) const {
  store::StoredHashes stored;
  for (const PlannedMessage& one : plan.messages()) {
    const ConversationTable& table = *tables_.find(one.entry->conversation.str());
    const auto found = table.once.find({one.entry->client_msg_id, one.entry->sender.str()});
    if (found == table.once.end()) continue;
    stored.emplace(store::key_of(*one.entry), table.messages.at(found->second).content_hash);
  }
  return store::part_repeats(plan.messages(), std::move(stored));
}

Written Apply::write_plan(const ApplyPlan& plan, MayRepeat may_repeat) {
  writer_.write_conversations(plan);
  writer_.write_group_changes(plan);
  if (!writer_.ok()) return {};
  store::Repeats found;
  if (may_repeat == MayRepeat::kYes) {
    found = find_repeats(plan);
    writer_.write_tombstones(found.repeats, store::TombstoneIds::kNew);
    keep_dead(found.lies, {pg::Failure::kContent, "23505", "a repeat with another content"});
  }
  writer_.write_messages(may_repeat == MayRepeat::kYes ? found.fresh : plan.messages());
  keep_dead(plan.unreadable(),
            {pg::Failure::kContent, "PARSE", "no change of members that can be read"});
  writer_.write_reads(plan);
  return {plan.messages().size() - found.repeats.size(), found.repeats.size(),
          plan.unreadable().size()};
}

void Apply::write_tombstone(const PlannedMessage& one) {
  ApplyPlan plan;
  plan.add(*one.entry, one.place);
  writer_.write_conversations(plan);
  writer_.write_group_changes(plan);
  writer_.write_tombstones(plan.messages(), store::TombstoneIds::kOwn);
}

void Apply::keep_dead(const std::vector<PlannedMessage>& messages, const pg::Error& why) {
  for (const PlannedMessage& one : messages) {
    const wire::Batch& batch = *one.place.batch;
    writer_.keep_dead({request_.shard, one.place.position, one.entry - batch.entries.data(),
                       why.sqlstate, why.message,
                       wire::encode(wire::Batch{batch.epoch, batch.generation, {*one.entry}})});
  }
}

void Apply::keep_unreadable(const ParsedBatch& parsed) {
  writer_.keep_dead(
      {request_.shard, parsed.position, -1, "PARSE", parsed.batch.error().detail, *parsed.bytes});
}

void Apply::commit(ApplyResult& result) {
  tables_.shards[request_.shard.value()].watermark = batches_.back().position;
  writer_.commit();
  result.outcome = ApplyOutcome::kCommitted;
}

ApplyResult Apply::apply_all(const ApplyPlan& plan, MayRepeat may_repeat) {
  const Written written = write_plan(plan, may_repeat);
  ApplyResult result;
  result.messages = written.messages;
  result.repeats = written.repeats;
  result.dead = written.dead;
  for (const ParsedBatch& parsed : batches_) {
    if (parsed.batch) continue;
    keep_unreadable(parsed);
    ++result.dead;
  }
  if (writer_.ok()) {
    commit(result);
    return result;
  }
  const pg::Error error = writer_.roll_back();
  const bool is_repeat = error.violates(store::kOnceIndex) && may_repeat == MayRepeat::kNo;
  return is_repeat ? apply_all(plan, MayRepeat::kYes) : failed(error);
}

Written Apply::apply_entry(const PlannedMessage& one) {
  ApplyPlan plan;
  plan.add(*one.entry, one.place);
  const std::size_t savepoint = writer_.mark();
  const Written written = write_plan(plan, MayRepeat::kYes);
  if (writer_.ok()) return written;
  if (writer_.error().is_unique_violation()) return {};
  const pg::Error error = writer_.roll_back(savepoint);
  keep_dead({one}, error);
  if (wire::is_ordered(one.entry->kind) && writer_.ok()) {
    const std::size_t before = writer_.mark();
    write_tombstone(one);
    if (!writer_.ok()) (void)writer_.roll_back(before);
  }
  return {0, 0, 1};
}

ApplyResult Apply::apply_batch(const ParsedBatch& parsed) {
  ApplyResult result;
  if (!parsed.batch) {
    keep_unreadable(parsed);
    result.dead = 1;
    return result;
  }
  for (const wire::Entry& entry : parsed.batch->entries) {
    const Written written =
        apply_entry({&entry, {request_.shard, parsed.position, &*parsed.batch}});
    if (!writer_.ok()) break;
    result.messages += written.messages;
    result.repeats += written.repeats;
    result.dead += written.dead;
  }
  return result;
}

ApplyResult Apply::apply_one_by_one() {
  ApplyResult result;
  for (const ParsedBatch& parsed : batches_) {
    const ApplyResult one = apply_batch(parsed);
    if (!writer_.ok()) return failed(writer_.roll_back());
    result.messages += one.messages;
    result.repeats += one.repeats;
    result.dead += one.dead;
  }
  commit(result);
  return result;
}

ApplyResult Apply::run() {
  const ApplyPlan plan = plan_of_all();
  ensure_read_conversations(plan);
  // Planted fault: the transaction does not look at the shard's row.
  if (!is_expected() && !is_planted(Planted::kApplyTwice)) return fenced();
  return request_.one_by_one ? apply_one_by_one() : apply_all(plan, MayRepeat::kNo);
}

}  // namespace

ApplyResult apply_to_tables(Tables& tables, const MemoryApplyOptions& options,
                            const ApplyRequest& request, std::uint64_t& made_ids) {
  MARTLET_ASSERT(!request.batches.empty());
  std::uint64_t expected = request.expected.watermark.value();
  for (const store::LoggedBatch& batch : request.batches)
    MARTLET_ASSERT(batch.position.value() == ++expected);
  return Apply(tables, options, request, made_ids).run();
}

}  // namespace martlet::test
