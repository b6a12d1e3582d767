#include "store/apply.h"

#include <map>
#include <optional>
#include <set>

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

// What one shard adds to a transaction.
struct Part {
  ShardId shard;
  std::vector<ParsedBatch> batches;
};

std::vector<Part> parse(const std::vector<ApplyRequest>& requests) {
  std::vector<Part> parts;
  for (const ApplyRequest& request : requests) {
    Part& part = parts.emplace_back(Part{request.shard, {}});
    part.batches.reserve(request.batches.size());
    for (const LoggedBatch& one : request.batches)
      part.batches.push_back({one.position, &one.bytes, wire::parse_batch(one.bytes)});
  }
  return parts;
}

// True if all rows are as expected: their watermarks are moved. The rows are locked in one order by
// everybody, and stay locked until the transaction ends.
bool move_watermarks(pg::Transaction& tx, const std::vector<ApplyRequest>& requests) {
  std::vector<std::int64_t> shards, watermarks, bases, generations, next;
  for (const ApplyRequest& request : requests) {
    shards.push_back(request.shard.value());
    watermarks.push_back(as_signed(request.expected.watermark.value()));
    bases.push_back(as_signed(request.expected.base));
    generations.push_back(request.expected.generation.value());
    next.push_back(as_signed(request.batches.back().position.value()));
  }
  const pg::Rows moved = tx.query(
      "WITH locked AS MATERIALIZED (SELECT shard, watermark, base, generation FROM shards WHERE "
      "shard = ANY($1::integer[]) ORDER BY shard FOR UPDATE) UPDATE shards s SET watermark = "
      "t.next FROM locked l JOIN unnest($1::integer[], $2::bigint[], $3::bigint[], $4::bigint[], "
      "$5::bigint[]) AS t(shard, watermark, base, generation, next) USING (shard, watermark, base, "
      "generation) WHERE s.shard = l.shard RETURNING s.shard",
      pg::Params()
          .numbers(shards)
          .numbers(watermarks)
          .numbers(bases)
          .numbers(generations)
          .numbers(next));
  return tx.ok() && moved.size() == requests.size();
}

// entry_index -1: the whole batch, which could not be read.
void keep_unreadable(pg::Transaction& tx, ShardId shard, const ParsedBatch& parsed) {
  tx.query(
      "INSERT INTO dead_entries (shard, position, entry_index, sqlstate, reason, entry) VALUES "
      "($1, $2, -1, 'PARSE', $3, $4)",
      pg::Params()
          .number(shard.value())
          .number(as_signed(parsed.position.value()))
          .text(parsed.batch.error().detail)
          .bytes(*parsed.bytes));
}

// Entries that are not what they should be, in one statement. One that is wrong in two ways is kept
// once.
void keep_dead(pg::Transaction& tx, const std::vector<ApplyPlan::MessageRow>& messages,
               const pg::Error& why) {
  if (messages.empty()) return;
  std::vector<std::int64_t> shards, positions, indexes;
  std::vector<Bytes> entries;
  for (const ApplyPlan::MessageRow& one : messages) {
    const wire::Batch& batch = *one.place.batch;
    shards.push_back(one.place.shard.value());
    positions.push_back(as_signed(one.place.position.value()));
    indexes.push_back(one.entry - batch.entries.data());
    entries.push_back(wire::encode(wire::Batch{batch.epoch, batch.generation, {*one.entry}}));
  }
  tx.query(
      "INSERT INTO dead_entries (shard, position, entry_index, sqlstate, reason, entry) SELECT "
      "t.shard, t.position, t.i, $1, $2, t.entry FROM unnest($3::integer[], $4::bigint[], "
      "$5::integer[], $6::bytea[]) AS t(shard, position, i, entry) ON CONFLICT DO NOTHING",
      pg::Params()
          .text(why.sqlstate)
          .text(why.message)
          .numbers(shards)
          .numbers(positions)
          .numbers(indexes)
          .byte_strings(entries));
}

// Whether messages may be there already. It costs a statement to look.
enum class MayRepeat { kNo, kYes };

// What the results count, by shard.
struct Written {
  std::size_t messages = 0;
  std::size_t repeats = 0;
  std::size_t dead = 0;
};
using WrittenOf = std::map<ShardId, Written>;

void write_plan(pg::Transaction& tx, const ApplyPlan& plan, MayRepeat may_repeat,
                WrittenOf& written) {
  const RowIds ids = write_conversations(tx, plan);
  if (!tx.ok()) return;
  const GroupPlan groups = plan_groups(tx, plan, ids);
  write_members(tx, plan, ids, groups);
  write_groups(tx, groups);
  Repeats found;
  if (may_repeat == MayRepeat::kYes) {
    found = find_repeats(tx, plan, ids);
    write_tombstones(tx, found.repeats, ids, TombstoneIds::kNew);
    keep_dead(tx, found.lies, {pg::Failure::kContent, "23505", "a repeat with another content"});
  }
  const auto& fresh = may_repeat == MayRepeat::kYes ? found.fresh : plan.messages();
  write_messages(tx, fresh, ids);
  keep_dead(tx, plan.unreadable(),
            {pg::Failure::kContent, "PARSE", "no change of members that can be read"});
  write_reads(tx, plan);
  for (const auto& one : fresh) ++written[one.place.shard].messages;
  for (const auto& one : found.repeats) ++written[one.place.shard].repeats;
  for (const auto& one : plan.unreadable()) ++written[one.place.shard].dead;
}

// The place of a message that can't be stored: its seq and its client_msg_id stay taken.
void write_tombstone(pg::Transaction& tx, const ApplyPlan& plan) {
  const RowIds ids = write_conversations(tx, plan);
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

ApplyResult fenced() {
  return {ApplyOutcome::kFenced, "the shard's row has changed"};
}

ApplyResult committed(const Written& written) {
  return {ApplyOutcome::kCommitted, "", written.messages, written.dead, written.repeats};
}

// The usual way: all batches in one go.
ApplyPlan plan_of(const std::vector<Part>& parts) {
  ApplyPlan plan;
  for (const Part& part : parts) {
    for (const ParsedBatch& parsed : part.batches) {
      if (!parsed.batch) continue;
      for (const wire::Entry& entry : parsed.batch->entries)
        plan.add(entry, {part.shard, parsed.position, &*parsed.batch});
    }
  }
  return plan;
}

pg::Result<ApplyResults> apply_all(pg::Connection& connection,
                                   const std::vector<ApplyRequest>& requests,
                                   const std::vector<Part>& parts, const ApplyPlan& plan,
                                   MayRepeat may_repeat) {
  pg::Transaction tx(connection, pg::Mode::kReadWrite);
  if (!move_watermarks(tx, requests)) {
    if (tx.ok()) return ApplyResults(requests.size(), fenced());
    return tl::unexpected(tx.error());
  }
  WrittenOf written;
  write_plan(tx, plan, may_repeat, written);
  for (const Part& part : parts) {
    for (const ParsedBatch& parsed : part.batches) {
      if (parsed.batch) continue;
      keep_unreadable(tx, part.shard, parsed);
      ++written[part.shard].dead;
    }
  }
  if (auto done = tx.commit(); !done) return tl::unexpected(done.error());
  ApplyResults results;
  for (const Part& part : parts) results.push_back(committed(written[part.shard]));
  return results;
}

// One entry in a savepoint. What can't be helped shows in tx or `bug`.
void apply_entry(pg::Transaction& tx, const wire::Entry& entry, const LogPlace& place,
                 Written& written, std::optional<pg::Error>& bug) {
  ApplyPlan plan;
  plan.add(entry, place);
  WrittenOf more;
  const auto done = tx.attempt([&] { write_plan(tx, plan, MayRepeat::kYes, more); });
  if (!tx.ok()) return;
  if (done) {
    written.messages += more[place.shard].messages;
    written.repeats += more[place.shard].repeats;
    written.dead += more[place.shard].dead;
    return;
  }
  if (done.error().is_unique_violation()) {
    bug = done.error();
    return;
  }
  keep_dead(tx, {{&entry, place}}, done.error());
  ++written.dead;
  // Refused as well if the names are what is wrong: then the seq is a hole, told as withheld.
  if (wire::is_ordered(entry.kind)) (void)tx.attempt([&] { write_tombstone(tx, plan); });
}

ApplyResult apply_one_by_one(pg::Connection& connection, const ApplyRequest& request,
                             const Part& part) {
  pg::Transaction tx(connection, pg::Mode::kReadWrite);
  if (!move_watermarks(tx, {request})) return tx.ok() ? fenced() : failed(tx.error());
  Written written;
  for (const ParsedBatch& parsed : part.batches) {
    if (!parsed.batch) {
      keep_unreadable(tx, part.shard, parsed);
      ++written.dead;
      continue;
    }
    const LogPlace place{part.shard, parsed.position, &*parsed.batch};
    std::optional<pg::Error> bug;
    for (const wire::Entry& entry : parsed.batch->entries) {
      if (!tx.ok()) break;
      apply_entry(tx, entry, place, written, bug);
      if (bug) return failed(*bug);
    }
  }
  if (auto done = tx.commit(); !done) return failed(done.error());
  return committed(written);
}

void check(const std::vector<ApplyRequest>& requests) {
  MARTLET_ASSERT(!requests.empty());
  std::set<ShardId> shards;
  for (const ApplyRequest& request : requests) {
    MARTLET_ASSERT(!request.batches.empty() && shards.insert(request.shard).second);
    MARTLET_ASSERT(!request.one_by_one || requests.size() == 1);
    std::uint64_t expected = request.expected.watermark.value();
    for (const LoggedBatch& batch : request.batches)
      MARTLET_ASSERT(batch.position.value() == ++expected);
  }
}

}  // namespace

ApplyResults apply(pg::Connection& connection, const std::vector<ApplyRequest>& requests,
                   std::uint16_t shards) {
  check(requests);
  const std::vector<Part> parts = parse(requests);
  const ApplyPlan plan = plan_of(parts);
  ensure_read_conversations(connection, plan, shards);
  const std::size_t size = requests.size();
  if (!connection.is_usable()) return ApplyResults(size, {ApplyOutcome::kRetry, "connection lost"});
  if (requests.front().one_by_one)
    return {apply_one_by_one(connection, requests.front(), parts.front())};
  auto results = apply_all(connection, requests, parts, plan, MayRepeat::kNo);
  if (!results && results.error().violates(kOnceIndex) && connection.is_usable())
    results = apply_all(connection, requests, parts, plan, MayRepeat::kYes);
  return results ? *results : ApplyResults(size, failed(results.error()));
}

}  // namespace martlet::store
