#include "dispatcher/take_over.h"

#include <gtest/gtest.h>

#include "base/hash.h"
#include "rig.h"

namespace martlet::dispatcher::testing {
namespace {

using Kind = TakeOverStep::Kind;
using namespace std::chrono_literals;

// Step by step, with something going wrong in between.
class TakeOver : public ::testing::Test {
 protected:
  TakeOver() {
    // A first owner wrote three messages, which the database does not have yet.
    for (std::uint64_t i = 1; i <= 3; ++i) {
      rig.send({.id = id_of(i)});
      rig.settle();
    }
    rig.answers();
    begin(Epoch(2));
  }
  void begin(Epoch epoch, LogPosition published = {}) {
    core = std::make_unique<TakeOverCore>(
        TakeOverCore::Given{kShard, epoch, published, {}, MessageId()}, rig.limits, rig.metrics);
  }
  // Plays until the step is to be taken.
  TakeOverStep until(Kind kind) {
    for (int i = 0; i < 1000; ++i) {
      const TakeOverStep step = core->next_step();
      if (step.kind == kind) return step;
      play(step);
    }
    ADD_FAILURE() << "never came to the step";
    return {};
  }
  // Until the log is to be read from its first entry, behind the fence.
  TakeOverStep until_replay() {
    play(until(Kind::kAppendOwner));
    return until(Kind::kRead);
  }
  void play(const TakeOverStep& step) {
    switch (step.kind) {
      case Kind::kWait:
        rig.moment.now += kMaxTakeOverPause;
        return core->tick(rig.moment);
      case Kind::kEnsure:
        return core->ensured({}, rig.moment);
      case Kind::kAskShard:
        return core->shard_answer(rig.database.answer(kShard), rig.moment);
      case Kind::kSubscribe:
        return core->subscribed({}, rig.moment);
      case Kind::kInfo:
        return core->info(rig.log.info(), rig.moment);
      case Kind::kAppendOwner:
        return core->owner_appended(rig.log.append(step.expected_last, step.batch), rig.moment);
      case Kind::kRead: {
        if (step.is_new_reader) reading = step.from;
        const auto records = rig.log.read(reading, 2);
        if (records) reading = bus::LogSequence(reading.value() + records->size());
        return core->records(records, rig.moment);
      }
      default:
        FAIL() << "unexpected end";
    }
  }
  TakenOver finish() {
    until(Kind::kDone);
    return core->take_result();
  }
  // What the dead owner sent before it died.
  Bytes late_batch() {
    wire::Entry entry;
    entry.conversation = between("alice", "bob");
    entry.seq = Seq(4);
    entry.message_id = make_message_id(kShard, kStartMs + 1000, MessageId());
    entry.sender = user("alice");
    entry.client_msg_id = id_of(4);
    entry.time_ms = kStartMs;
    entry.content = "late";
    entry.content_hash = 1;
    wire::Batch batch{Epoch(1), Generation(1), {}};
    entry.content_hash = base::hash64(entry.content);
    batch.entries.push_back(entry);
    return wire::encode(batch);
  }
  static bus::AppendError unknown() { return {bus::AppendFailure::kUnknown, "time-out"}; }

  Rig rig;
  std::unique_ptr<TakeOverCore> core;
  bus::LogSequence reading;
};

TEST_F(TakeOver, RemembersWhatTheLogHas) {
  TakenOver taken = finish();
  EXPECT_EQ(taken.start.last, rig.log.last());
  EXPECT_EQ(taken.start.epoch, Epoch(2));
  Head* head = taken.start.heads.find(between("alice", "bob"));
  ASSERT_NE(head, nullptr);
  EXPECT_EQ(head->last_seq, Seq(3));
  EXPECT_NE(taken.start.window.find(between("alice", "bob"), user("alice"), id_of(2)), nullptr);
  EXPECT_EQ(taken.start.window.complete_since(), 0u);
  EXPECT_GT(taken.start.last_message_id, MessageId());
}

TEST_F(TakeOver, SubscribesBeforeItFencesAndReads) {
  std::vector<Kind> order;
  for (int i = 0; i < 100; ++i) {
    const TakeOverStep step = core->next_step();
    if (order.empty() || order.back() != step.kind) order.push_back(step.kind);
    if (step.kind == Kind::kDone) break;
    play(step);
  }
  EXPECT_EQ(order, (std::vector<Kind>{Kind::kEnsure, Kind::kAskShard, Kind::kSubscribe, Kind::kInfo,
                                      Kind::kRead, Kind::kAppendOwner, Kind::kRead, Kind::kDone}));
}

TEST_F(TakeOver, WritesAnOwnerEntryOfItsEpoch) {
  finish();
  const wire::Batch last = rig.log.batches().back();
  EXPECT_EQ(last.epoch, Epoch(2));
  EXPECT_EQ(last.entries[0].kind, wire::EntryKind::kOwner);
}

TEST_F(TakeOver, ItsOwnerEntryContinuesTheMessageIds) {
  MessageId last;
  for (const wire::Batch& batch : rig.log.batches()) last = batch.entries.back().message_id;
  finish();
  EXPECT_EQ(rig.log.batches().back().entries[0].message_id, last);
}

// Only read cursors and owners are left of the log, and the clock is behind.
TEST_F(TakeOver, MessageIdsGoOnWhenEveryMessageWasPurged) {
  const MessageId last = rig.core().last_message_id();
  rig.read("bob", between("alice", "bob"), 1);
  rig.settle();
  rig.follow();
  rig.log.purge_below(rig.log.last());
  rig.moment.wall_ms -= 1'000'000;
  rig.take_over();
  EXPECT_GE(rig.core().last_message_id(), last);
}

TEST_F(TakeOver, SeesTheDeadOwnersAppendThatLandsBeforeItsFence) {
  const TakeOverStep owner = until(Kind::kAppendOwner);
  ASSERT_TRUE(rig.log.append(rig.log.last(), late_batch()).has_value());
  core->owner_appended(rig.log.append(owner.expected_last, owner.batch), rig.moment);
  TakenOver taken = finish();
  EXPECT_EQ(taken.start.heads.find(between("alice", "bob"))->last_seq, Seq(4));
}

TEST_F(TakeOver, AnOwnerEntryOfUnknownFateIsFollowedByAnother) {
  const TakeOverStep owner = until(Kind::kAppendOwner);
  ASSERT_TRUE(rig.log.append(owner.expected_last, owner.batch).has_value());
  core->owner_appended(tl::unexpected<bus::AppendError>(unknown()), rig.moment);
  TakenOver taken = finish();
  EXPECT_EQ(taken.start.last, rig.log.last());
  EXPECT_EQ(rig.log.batches().back().epoch, taken.start.epoch);
  EXPECT_EQ(taken.start.heads.find(between("alice", "bob"))->last_seq, Seq(3));
}

TEST_F(TakeOver, RaisesItsEpochAboveTheLogs) {
  rig.leases = 900;
  rig.take_over();
  begin(Epoch(5));
  TakenOver taken = finish();
  EXPECT_EQ(taken.start.epoch, Epoch(902));
  EXPECT_EQ(rig.log.batches().back().epoch, Epoch(902));
  EXPECT_EQ(taken.start.last, rig.log.last());
}

TEST_F(TakeOver, GivesUpWhenAnotherOwnerWroteBehindIt) {
  until_replay();
  rig.log.append(rig.log.last(), late_batch());
  const auto all = rig.log.read(bus::LogSequence(1), 100);
  core->records(all, rig.moment);
  EXPECT_EQ(core->next_step().kind, Kind::kGiveUp);
}

TEST_F(TakeOver, BeginsAgainWhenThePurgeOvertakesIt) {
  rig.follow();
  until_replay();
  rig.log.purge_below(bus::LogSequence(3));
  core->records(rig.log.read(bus::LogSequence(1), 2), rig.moment);
  TakenOver taken = finish();
  EXPECT_EQ(taken.start.last, rig.log.last());
  EXPECT_EQ(taken.start.heads.find(between("alice", "bob"))->last_seq, Seq(3));
}

TEST_F(TakeOver, RefusesAGapInTheLog) {
  until_replay();
  const auto later = rig.log.read(bus::LogSequence(2), 1);
  core->records(later, rig.moment);
  EXPECT_EQ(core->next_step().kind, Kind::kWait);
  const TakenOver taken = finish();
  EXPECT_EQ(taken.start.last, rig.log.last());
}

TEST_F(TakeOver, GivesUpOnALogThatCannotBeRead) {
  const TakeOverStep read = until_replay();
  core->records(std::vector<bus::LogRecord>{{read.from, "garbage"}}, rig.moment);
  EXPECT_EQ(core->next_step().kind, Kind::kGiveUp);
}

TEST_F(TakeOver, WaitsForTheDatabaseAsLongAsItTakes) {
  rig.database.is_up = false;
  for (int i = 0; i < 1000; ++i) {
    const TakeOverStep step = core->next_step();
    ASSERT_NE(step.kind, Kind::kGiveUp);
    ASSERT_NE(step.kind, Kind::kAppendOwner);
    play(step);
  }
  rig.database.is_up = true;
  const TakenOver taken = finish();
  EXPECT_EQ(taken.start.last, rig.log.last());
}

TEST_F(TakeOver, GivesUpAStepThatFailsForLong) {
  until(Kind::kInfo);
  for (int i = 0; i < 1000; ++i) {
    core->info(fail(ErrorCode::kTimeout, "no answer"), rig.moment);
    const TakeOverStep step = core->next_step();
    if (step.kind == Kind::kGiveUp) return;
    play(step);
    core->next_step();
  }
  FAIL() << "tries for ever";
}

TEST_F(TakeOver, AfterAPurgeTheWindowIsCompleteSinceTheFirstEntry) {
  rig.follow();
  rig.log.purge_below(bus::LogSequence(3));
  EXPECT_EQ(finish().start.window.complete_since(), kStartMs);
}

TEST_F(TakeOver, OldStoredEntriesLeaveTheWindow) {
  rig.follow();
  rig.moment.wall_ms += 60'000;
  TakenOver taken = finish();
  EXPECT_EQ(taken.start.window.size(), 0u);
  EXPECT_EQ(taken.start.window.complete_since(), kStartMs);
  EXPECT_NE(taken.start.heads.find(between("alice", "bob")), nullptr);
}

TEST_F(TakeOver, OldEntriesThatAreNotStoredStayInTheWindow) {
  rig.moment.wall_ms += 60'000;
  EXPECT_EQ(finish().start.window.size(), 3u);
}

// ---- live again ---------------------------------------------------------------------------------

TEST_F(TakeOver, HandsOutWhatWasPerhapsNotSeenLive) {
  begin(Epoch(2), LogPosition(3));  // OWNER, message 1 and 2 were seen
  TakenOver taken = finish();
  ASSERT_EQ(taken.live.size(), 1u);
  EXPECT_EQ(taken.live[0].entry.client_msg_id, id_of(3));
  EXPECT_EQ(taken.live[0].position, LogPosition(4));
  EXPECT_TRUE(taken.missed.empty());
}

TEST_F(TakeOver, HandsOutNoMoreThanTenThousandAndNamesTheRest) {
  // In batches, or this takes long.
  rig.send({.from = "carol", .to = "dave", .id = id_of(1)});
  rig.settle();
  for (std::uint64_t i = 0; i < kMaxRepublishedEntries + 5; ++i) rig.send({.id = id_of(100 + i)});
  rig.settle();
  begin(Epoch(2));
  TakenOver taken = finish();
  EXPECT_EQ(taken.live.size(), kMaxRepublishedEntries);
  EXPECT_EQ(taken.live.back().entry.client_msg_id, id_of(100 + kMaxRepublishedEntries + 4));
  EXPECT_TRUE(taken.missed.contains(between("carol", "dave")));
}

// ---- generations --------------------------------------------------------------------------------

TEST_F(TakeOver, AnEmptiedLogIsContinuedAboveTheWatermark) {
  rig.follow();
  const LogPosition stored = rig.database.watermark;
  rig.log.lose_after(bus::LogSequence(0));
  rig.take_over();
  EXPECT_EQ(rig.core().generation(), Generation(2));
  EXPECT_EQ(rig.core().fanned_out().value(), stored.value() + 1);
  rig.send({.id = id_of(10)});
  rig.settle();
  EXPECT_EQ(rig.only_answer().answer.seq, Seq(4));
}

TEST_F(TakeOver, AfterALossTheLogsOwnNumbersAreNotTrusted) {
  rig.follow();
  rig.log.lose_after(bus::LogSequence(2));  // OWNER and message 1 are left
  rig.take_over();
  rig.send({.id = id_of(10)});
  ASSERT_TRUE(rig.question.has_value());
  rig.settle();
  EXPECT_EQ(rig.only_answer().answer.seq, Seq(4));
}

// The trap: a later take-over sees an OWNER of the present generation, but before it the remains of
// the lost one.
TEST_F(TakeOver, RemainsOfALostGenerationAreNeverTrusted) {
  rig.follow();
  rig.log.lose_after(bus::LogSequence(2));
  rig.take_over();
  rig.send({.from = "carol", .to = "dave", .id = id_of(20)});
  rig.settle();
  rig.answers();
  rig.take_over();
  rig.send({.id = id_of(10)});
  rig.settle();
  EXPECT_EQ(rig.only_answer().answer.seq, Seq(4));
}

TEST_F(TakeOver, AMessageOfTheLostTailIsStillKnownByTheDatabase) {
  rig.follow();
  rig.log.lose_after(bus::LogSequence(2));
  rig.take_over();
  rig.send({.id = id_of(3)});
  rig.settle();
  EXPECT_EQ(rig.only_answer().answer.seq, Seq(3));
}

TEST_F(TakeOver, TellsPersistTheHighestPositionThatItKnowsOf) {
  begin(Epoch(2), LogPosition(3));
  EXPECT_EQ(until(Kind::kAskShard).known, LogPosition(3));
  core = std::make_unique<TakeOverCore>(
      TakeOverCore::Given{kShard, Epoch(2), LogPosition(3), LogPosition(4), MessageId()},
      rig.limits, rig.metrics);
  EXPECT_EQ(until(Kind::kAskShard).known, LogPosition(4));
}

// Nothing was stored yet: the watermark alone says nothing of the loss.
TEST_F(TakeOver, ALogThatLostWhatWasPublishedGoesOnInANewGeneration) {
  begin(Epoch(2), rig.core().fanned_out());
  rig.log.lose_after(bus::LogSequence(3));  // message 3 was seen and is gone
  play(until(Kind::kInfo));
  EXPECT_EQ(core->next_step().kind, Kind::kWait) << "no fence before the generation is settled";
  const TakeOverStep question = until(Kind::kAskShard);
  EXPECT_FALSE(rig.database.check_end(rig.log.last().value(), question.known));
  rig.follow();
  EXPECT_TRUE(rig.database.check_end(rig.log.last().value(), question.known));
  play(question);
  const TakenOver taken = finish();
  EXPECT_EQ(taken.start.generation, Generation(2));
  EXPECT_EQ(taken.start.base + taken.start.last.value(), 5u) << "above all that was ever told";
  EXPECT_EQ(rig.log.batches().back().generation, Generation(2));
}

TEST_F(TakeOver, ALogThatEndsBelowTheWatermarkIsNotFencedBeforePersistKnows) {
  rig.follow();
  until(Kind::kInfo);
  core->info(bus::LogInfo{kShard, bus::LogSequence(1), bus::LogSequence(2), 0}, rig.moment);
  EXPECT_EQ(core->next_step().kind, Kind::kWait);
  rig.moment.now += kMaxTakeOverPause;
  core->tick(rig.moment);
  EXPECT_EQ(core->next_step().kind, Kind::kAskShard);
}

}  // namespace
}  // namespace martlet::dispatcher::testing
