#include "store/apply.h"

#include "base/assert.h"
#include "store/group_changes.h"
#include "store/repeats.h"
#include "store/signed.h"
#include "wire/log_batch.h"

namespace martlet::store {
namespace {

struct ParsedBatch {
  LogPosition position;
  const Bytes* bytes;
  Result<wire::Batch> batch;
};

std::vector<ParsedBatch> parse(const std::vector<LoggedBatch>& logged) {
  std::vector<ParsedBatch> parsed;
  parsed.reserve(logged.size());
  for (const LoggedBatch& one : logged)
    parsed.push_back({one.position, &one.bytes, wire::parse_batch(one.bytes)});
  return parsed;
}

// True if the row is as expected; it stays locked until the transaction ends.
bool lock_shard(pg::Transaction& tx, const ApplyRequest& request) {
  const pg::Rows rows =
      tx.query("SELECT watermark, base, generation FROM shards WHERE shard = $1 FOR UPDATE",
               pg::Params().number(request.shard.value()));
  if (!tx.ok() || rows.size() != 1) return false;
  const ShardState& expected = request.expected;
  return rows.number(0, 0) == as_signed(expected.watermark.value()) &&
         rows.number(0, 1) == as_signed(expected.base) &&
         rows.number(0, 2) == expected.generation.value();
}

void move_watermark(pg::Transaction& tx, ShardId shard, LogPosition watermark) {
  tx.query("UPDATE shards SET watermark = $2 WHERE shard = $1",
           pg::Params().number(shard.value()).number(as_signed(watermark.value())));
}

// entry_index -1: the whole batch, which could not be read.
void keep_dead(pg::Transaction& tx, ShardId shard, LogPosition position, int entry_index,
               const pg::Error& why, BytesView bytes) {
  tx.query(
      "INSERT INTO dead_entries (shard, position, entry_index, sqlstate, reason, entry) VALUES "
      "($1, $2, $3, $4, $5, $6)",
      pg::Params()
          .number(shard.value())
          .number(as_signed(position.value()))
          .number(entry_index)
          .text(why.sqlstate)
          .text(why.message)
          .bytes(bytes));
}

void keep_unreadable(pg::Transaction& tx, ShardId shard, const ParsedBatch& parsed) {
  keep_dead(tx, shard, parsed.position, -1,
            {pg::Failure::kContent, "PARSE", parsed.batch.error().detail}, *parsed.bytes);
}

// Entries that are not what they should be, in one statement. They lie in `batches`. One that is
// wrong in two ways is kept once.
void keep_dead(pg::Transaction& tx, ShardId shard, const std::vector<ParsedBatch>& batches,
               const std::vector<ApplyPlan::MessageRow>& messages, const pg::Error& why) {
  if (messages.empty()) return;
  std::vector<std::int64_t> positions, indexes;
  std::vector<Bytes> entries;
  for (const ApplyPlan::MessageRow& one : messages) {
    const std::uint64_t first = batches.front().position.value();
    const wire::Batch& batch = *batches.at(one.position.value() - first).batch;
    positions.push_back(as_signed(one.position.value()));
    indexes.push_back(one.entry - batch.entries.data());
    entries.push_back(wire::encode(wire::Batch{batch.epoch, batch.generation, {*one.entry}}));
  }
  tx.query(
      "INSERT INTO dead_entries (shard, position, entry_index, sqlstate, reason, entry) SELECT "
      "$1::integer, t.position, t.i, $2, $3, t.entry FROM unnest($4::bigint[], $5::integer[], "
      "$6::bytea[]) AS t(position, i, entry) ON CONFLICT DO NOTHING",
      pg::Params()
          .number(shard.value())
          .text(why.sqlstate)
          .text(why.message)
          .numbers(positions)
          .numbers(indexes)
          .byte_strings(entries));
}

// Whether messages may be there already. It costs a statement to look.
enum class MayRepeat { kNo, kYes };

// What the result counts, of a plan that may be a part of the request.
struct Written {
  std::size_t messages = 0;
  std::size_t repeats = 0;
  std::size_t dead = 0;
};

Written write_plan(pg::Transaction& tx, ShardId shard, const std::vector<ParsedBatch>& batches,
                   const ApplyPlan& plan, MayRepeat may_repeat) {
  const RowIds ids = write_conversations(tx, shard, plan);
  if (!tx.ok()) return {};
  const GroupPlan groups = plan_groups(tx, plan, ids);
  write_members(tx, plan, ids, groups);
  write_groups(tx, groups);
  Repeats found;
  if (may_repeat == MayRepeat::kYes) {
    found = find_repeats(tx, plan, ids);
    write_tombstones(tx, found.repeats, ids, TombstoneIds::kNew);
    keep_dead(tx, shard, batches, found.lies,
              {pg::Failure::kContent, "23505", "a repeat with another content"});
  }
  write_messages(tx, may_repeat == MayRepeat::kYes ? found.fresh : plan.messages(), ids);
  keep_dead(tx, shard, batches, plan.unreadable(),
            {pg::Failure::kContent, "PARSE", "no change of members that can be read"});
  write_reads(tx, shard, plan);
  return {plan.messages().size() - found.repeats.size(), found.repeats.size(),
          plan.unreadable().size()};
}

// The place of a message that can't be stored: its seq and its client_msg_id stay taken.
void write_tombstone(pg::Transaction& tx, ShardId shard, const wire::Entry& entry,
                     LogPosition position, Generation generation) {
  ApplyPlan plan;
  plan.add(entry, position, generation);
  const RowIds ids = write_conversations(tx, shard, plan);
  if (!tx.ok()) return;
  const GroupPlan groups = plan_groups(tx, plan, ids);
  write_members(tx, plan, ids, groups);
  write_groups(tx, groups);
  write_tombstones(tx, plan.messages(), ids, TombstoneIds::kOwn);
}

ApplyResult failed(const pg::Error& error) {
  ApplyResult result;
  result.detail = error.sqlstate + " " + error.message;
  if (error.is_unique_violation()) {
    result.outcome = ApplyOutcome::kDuplicate;
  } else if (error.failure == pg::Failure::kContent) {
    result.outcome = ApplyOutcome::kRefused;
  } else if (error.failure == pg::Failure::kUnknown) {
    result.outcome = ApplyOutcome::kUnknown;
  } else {
    result.outcome = ApplyOutcome::kRetry;
  }
  return result;
}

// The usual way: all batches in one go.
ApplyPlan plan_of(const std::vector<ParsedBatch>& batches) {
  ApplyPlan plan;
  for (const ParsedBatch& parsed : batches) {
    if (!parsed.batch) continue;
    for (const wire::Entry& entry : parsed.batch->entries)
      plan.add(entry, parsed.position, parsed.batch->generation);
  }
  return plan;
}

ApplyResult fenced() {
  return {ApplyOutcome::kFenced, "the shard's row has changed"};
}

pg::Result<ApplyResult> apply_all(pg::Connection& connection, const ApplyRequest& request,
                                  const std::vector<ParsedBatch>& batches, const ApplyPlan& plan,
                                  MayRepeat may_repeat) {
  pg::Transaction tx(connection, pg::Mode::kReadWrite);
  if (!lock_shard(tx, request)) {
    if (tx.ok()) return fenced();
    return tl::unexpected(tx.error());
  }
  const Written written = write_plan(tx, request.shard, batches, plan, may_repeat);
  ApplyResult result;
  result.messages = written.messages;
  result.repeats = written.repeats;
  result.dead = written.dead;
  for (const ParsedBatch& parsed : batches) {
    if (parsed.batch) continue;
    keep_unreadable(tx, request.shard, parsed);
    ++result.dead;
  }
  move_watermark(tx, request.shard, batches.back().position);
  if (auto done = tx.commit(); !done) return tl::unexpected(done.error());
  result.outcome = ApplyOutcome::kCommitted;
  return result;
}

// One entry in a savepoint. What can't be helped shows in tx or `bug`.
Written apply_entry(pg::Transaction& tx, ShardId shard, const std::vector<ParsedBatch>& batches,
                    const ApplyPlan::MessageRow& one, std::optional<pg::Error>& bug) {
  ApplyPlan plan;
  plan.add(*one.entry, one.position, one.generation);
  Written written;
  const auto done =
      tx.attempt([&] { written = write_plan(tx, shard, batches, plan, MayRepeat::kYes); });
  if (!tx.ok()) return {};
  if (done) return written;
  if (done.error().is_unique_violation()) {
    bug = done.error();
    return {};
  }
  keep_dead(tx, shard, batches, {one}, done.error());
  if (wire::is_ordered(one.entry->kind)) {
    // Refused as well if the names are what is wrong: then the seq is a hole, told as withheld.
    (void)tx.attempt([&] { write_tombstone(tx, shard, *one.entry, one.position, one.generation); });
  }
  return {0, 0, 1};
}

ApplyResult apply_one_by_one(pg::Connection& connection, const ApplyRequest& request,
                             const std::vector<ParsedBatch>& batches) {
  ApplyResult result;
  pg::Transaction tx(connection, pg::Mode::kReadWrite);
  if (!lock_shard(tx, request)) return tx.ok() ? fenced() : failed(tx.error());
  for (const ParsedBatch& parsed : batches) {
    if (!parsed.batch) {
      keep_unreadable(tx, request.shard, parsed);
      ++result.dead;
      continue;
    }
    std::optional<pg::Error> bug;
    for (const wire::Entry& entry : parsed.batch->entries) {
      if (!tx.ok()) break;
      const Written written = apply_entry(tx, request.shard, batches,
                                          {&entry, parsed.position, parsed.batch->generation}, bug);
      if (bug) return failed(*bug);
      result.messages += written.messages;
      result.repeats += written.repeats;
      result.dead += written.dead;
    }
  }
  move_watermark(tx, request.shard, batches.back().position);
  if (auto done = tx.commit(); !done) return failed(done.error());
  result.outcome = ApplyOutcome::kCommitted;
  return result;
}

}  // namespace

ApplyResult apply(pg::Connection& connection, const ApplyRequest& request, std::uint16_t shards) {
  MARTLET_ASSERT(!request.batches.empty());
  std::uint64_t expected = request.expected.watermark.value();
  for (const LoggedBatch& batch : request.batches)
    MARTLET_ASSERT(batch.position.value() == ++expected);
  const std::vector<ParsedBatch> batches = parse(request.batches);
  const ApplyPlan plan = plan_of(batches);
  ensure_read_conversations(connection, plan, shards);
  if (!connection.is_usable()) return {ApplyOutcome::kRetry, "connection lost"};
  if (request.one_by_one) return apply_one_by_one(connection, request, batches);
  auto result = apply_all(connection, request, batches, plan, MayRepeat::kNo);
  if (!result && result.error().violates(kOnceIndex) && connection.is_usable())
    result = apply_all(connection, request, batches, plan, MayRepeat::kYes);
  return result ? *result : failed(result.error());
}

}  // namespace martlet::store
