#include <cstdlib>

#include "database.h"
#include "model_pair.h"
#include "random_log.h"
#include "random_questions.h"
#include "store/limits.h"

namespace martlet::store {
namespace {

constexpr int kRounds = 40;
constexpr std::size_t kMaxBatches = 8;

// PostgreSQL and the model of it that simulations use, told and asked the same by chance.
class ModelTest : public DatabaseTest {
 protected:
  void SetUp() override {
    DatabaseTest::SetUp();
    if (HasFatalFailure()) return;
    (void)prepared();
    run("DO $$ BEGIN EXECUTE 'ALTER DATABASE ' || current_database() || ' SET synchronous_commit "
        "= off'; END $$");
    run("ALTER TABLE messages ADD CHECK (octet_length(content) <= " +
        std::to_string(kRefusedBytes) + ")");
    model_.set_max_content_bytes(kRefusedBytes);
    connection_ = connect();
    pair_ = std::make_unique<ModelPair>(*connection_, model_);
    for (const std::string& name : users_with_accounts())
      pair_->create_account(user(name), "hash of " + name, 1);
  }
  void play(std::uint64_t seed);
  void apply_some(Random& random);
  void apply_together(Random& random);
  void apply(ApplyRequest request);
  void expect_fenced(ApplyRequest request, Random& random);
  void apply_taken_seq(Random& random);
  void lose_tail(Random& random);
  ShardId any_shard(Random& random) const {
    return ShardId(static_cast<std::uint16_t>(random.below(kShards)));
  }

  test::DatabaseModel model_{kShards};
  RandomLog log_{kShards};
  RandomQuestions questions_;
  std::unique_ptr<pg::Connection> connection_;
  std::unique_ptr<ModelPair> pair_;
  std::map<ApplyOutcome, int> outcomes_;
  int together_ = 0;  // transactions of several shards
};

// Cursors of those without an account, and the rows' ids of new conversations.
bool depends_on_which_shard_is_first(const ApplyRequest& request) {
  for (const LoggedBatch& one : request.batches) {
    const auto batch = wire::parse_batch(one.bytes);
    if (!batch) continue;
    for (const wire::Entry& entry : batch->entries)
      if (entry.kind == wire::EntryKind::kRead || entry.seq == Seq(1)) return true;
  }
  return false;
}

// What is refused is applied again, one by one.
void ModelTest::apply(ApplyRequest request) {
  ApplyResult result = pair_->apply(request);
  ++outcomes_[result.outcome];
  if (result.outcome == ApplyOutcome::kRefused) {
    request.one_by_one = true;
    result = pair_->apply(request);
    ++outcomes_[result.outcome];
  }
  ASSERT_EQ(result.outcome, ApplyOutcome::kCommitted) << result.detail;
  log_.stored(request);
}

void ModelTest::expect_fenced(ApplyRequest request, Random& random) {
  request.one_by_one = random.below(2) == 0;
  const ApplyResult result = pair_->apply(request);
  EXPECT_EQ(result.outcome, ApplyOutcome::kFenced) << result.detail;
  ++outcomes_[result.outcome];
}

void ModelTest::apply_some(Random& random) {
  for (std::uint16_t shard = 0; shard < kShards; ++shard) {
    ApplyRequest request = log_.request(ShardId(shard), 1 + random.below(kMaxBatches));
    if (request.batches.empty()) continue;
    request.one_by_one = random.below(6) == 0;
    ApplyRequest other = request;
    if (random.below(8) == 0) {
      other.expected.generation = other.expected.generation.next();
      expect_fenced(other, random);
    }
    apply(request);
    if (HasFatalFailure()) return;
    if (random.below(8) == 0) expect_fenced(request, random);
  }
}

// What can't go together is left to apply_some().
void ModelTest::apply_together(Random& random) {
  std::vector<ApplyRequest> requests;
  for (std::uint16_t shard = 0; shard < kShards; ++shard) {
    ApplyRequest request = log_.request(ShardId(shard), 1 + random.below(kMaxBatches));
    if (!request.batches.empty() && !depends_on_which_shard_is_first(request))
      requests.push_back(std::move(request));
  }
  if (requests.size() < 2 || !pair_->apply_together(requests)) return;
  ++together_;
  for (const ApplyRequest& request : requests) log_.stored(request);
}

// Nothing of such a batch is stored, whatever else is in it.
void ModelTest::apply_taken_seq(Random& random) {
  const RandomLog before = log_;
  const std::optional<ShardId> shard = log_.write_taken_seq(random);
  if (shard) {
    ApplyRequest request = log_.request(*shard, 1);
    const ApplyOutcome first = pair_->apply(request).outcome;
    EXPECT_TRUE(first == ApplyOutcome::kDuplicate || first == ApplyOutcome::kRefused);
    request.one_by_one = true;
    EXPECT_EQ(pair_->apply(request).outcome, ApplyOutcome::kDuplicate);
    ++outcomes_[ApplyOutcome::kDuplicate];
  }
  log_ = before;
}

void ModelTest::lose_tail(Random& random) {
  const ShardId shard = any_shard(random);
  if (!log_.is_stored(shard)) return;
  const ShardState state = log_.state(shard);
  const std::uint64_t sequence = state.watermark.value() - state.base;
  const std::uint64_t lost = random.below(sequence + 1);
  const LogPosition known(state.watermark.value() + (lost == 0 ? 1 : 0) + random.below(3));
  const RaisedBase raised = pair_->raise_base(shard, state, sequence - lost, known);
  EXPECT_TRUE(raised.changed);
  log_.raised(shard, raised.state);
  EXPECT_FALSE(pair_->raise_base(shard, state, sequence - lost, known).changed);
}

void ModelTest::play(std::uint64_t seed) {
  SCOPED_TRACE("MARTLET_MODEL_SEED=" + std::to_string(seed));
  SeededRandom random(seed);
  for (int round = 0; round < kRounds && !HasFailure(); ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    const std::uint64_t batches = random.below(8);
    for (std::uint64_t i = 0; i < batches; ++i) log_.write(random);
    if (random.below(10) == 0) log_.write_garbage(random);
    if (random.below(10) == 0) log_.write_burst(random);
    if (random.below(5) == 0) log_.write_restless(random);
    if (random.below(2) == 0) apply_together(random);
    apply_some(random);
    if (HasFatalFailure()) return;
    if (random.below(6) == 0) apply_taken_seq(random);
    if (random.below(4) == 0) lose_tail(random);
    questions_.ask(*pair_, log_, random);
  }
  pair_->compare_tables();
}

TEST_F(ModelTest, AnswersAsPostgresDoes) {
  play(1);
  if (HasFailure()) return;
  EXPECT_GT(pair_->compared(), 1000u);
  EXPECT_GT(outcomes_[ApplyOutcome::kCommitted], 50);
  EXPECT_GT(outcomes_[ApplyOutcome::kFenced], 5);
  EXPECT_GT(outcomes_[ApplyOutcome::kRefused], 2);
  EXPECT_GT(outcomes_[ApplyOutcome::kDuplicate], 2);
  EXPECT_GT(together_, 2);
}

TEST_F(ModelTest, AnswersAsPostgresDoesInAFreshSequence) {
  const char* given = std::getenv("MARTLET_MODEL_SEED");
  SystemRandom chance;
  const std::uint64_t seed =
      given == nullptr ? chance.below(1'000'000'000) : std::strtoull(given, nullptr, 10);
  RecordProperty("seed", std::to_string(seed));
  play(seed);
}

}  // namespace
}  // namespace martlet::store
