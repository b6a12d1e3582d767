#include "world.h"

#include <unistd.h>

#include <filesystem>

#include "bus/subjects.h"
#include "support/run_loop.h"
#include "wire/content.h"

namespace martlet::persist {

using namespace std::chrono_literals;

void PersistTest::SetUp() {
  DatabaseTest::SetUp();
  if (HasFatalFailure()) return;
  prepared();
  add_users({"alice", "bob", "carol"});
  keys_ = std::filesystem::temp_directory_path() / ("persist_test_" + std::to_string(getpid()));
  ASSERT_TRUE(auth::generate_key_pair(keys_.string(), "k1"));
  options_.postgres_url = options().url;
  options_.signing_key = (keys_ / "signing" / "k1.pem").string();
  bus_ = connect_bus();
  ASSERT_NE(bus_, nullptr);
  log_ = std::make_unique<bus::NatsLog>(*bus_);
  int created = 0;
  for (std::uint16_t i = 0; i < kShards; ++i)
    log_->ensure(ShardId(i), {8U << 20, 1}, [&](const Result<void>& done) {
      EXPECT_TRUE(done) << done.error().detail;
      ++created;
    });
  ASSERT_TRUE(wait_for([&] { return created == kShards; }));
  watermarks_ = bus_->subscribe(bus::subject::all_watermarks(), "", bus::Priority::kDroppable,
                                [this](const bus::Incoming& incoming) {
                                  const auto heard = wire::parse_watermark(incoming.payload);
                                  ASSERT_TRUE(heard);
                                  announced_[heard->shard] = heard->position;
                                });
}

void PersistTest::TearDown() {
  nodes_.clear();
  watermarks_.reset();
  log_.reset();
  bus_.reset();
  std::filesystem::remove_all(keys_);
  DatabaseTest::TearDown();
}

std::unique_ptr<bus::NatsBus> PersistTest::connect_bus() {
  bus::BusOptions bus_options;
  bus_options.url = server_.url();
  bus_options.name = "persist_test";
  auto bus = bus::connect(loop_, bus_options);
  EXPECT_TRUE(bus) << bus.error().detail;
  return bus ? std::move(*bus) : nullptr;
}

PersistTest::Node& PersistTest::start_persist() {
  Node& node = *nodes_.emplace_back(std::make_unique<Node>());
  auto bus = connect_bus();
  Backends backends;
  auto kv = std::make_unique<bus::NatsKv>(*bus, "im_leases");
  backends.log = std::make_unique<bus::NatsLog>(*bus);
  backends.leases = std::make_unique<bus::KvLeases>(
      loop_, *kv, random_, bus::LeaseOptions{"persist", base::to_hex(random_.bytes(8)), kShards});
  backends.cluster = std::move(kv);
  backends.bus = std::move(bus);
  store::PgStoreOptions database;
  database.url = options_.postgres_url;
  database.shards = kShards;
  database.writers = 2;
  database.readers = 2;
  backends.store = std::make_unique<store::PgStore>(loop_, database);
  backends.key =
      std::make_unique<auth::SigningKey>(std::move(*auth::SigningKey::load(options_.signing_key)));
  node.persist =
      std::make_unique<Persist>(loop_, *node.registry, options_, kShards, std::move(backends));
  bool started = false;
  node.persist->start([&](const Result<void>& done) {
    EXPECT_TRUE(done) << done.error().detail;
    started = true;
  });
  EXPECT_TRUE(wait_for([&] { return started; }));
  return node;
}

PersistTest::Node& PersistTest::start_following() {
  Node& node = start_persist();
  EXPECT_TRUE(wait_for([&] { return metric(node, "martlet_persist_shards_followed") == kShards; }));
  return node;
}

void PersistTest::stop_persist(Node& node) {
  bool stopped = false;
  node.persist->stop_phase_one([&] { node.persist->stop_phase_two([&] { stopped = true; }); });
  EXPECT_TRUE(wait_for([&] { return stopped; }));
  node.persist.reset();
}

double PersistTest::metric(const Node& node, const std::string& line) const {
  const std::string text = node.registry->render();
  const auto at = text.find("\n" + line + " ");
  EXPECT_NE(at, std::string::npos) << line;
  return at == std::string::npos ? -1 : std::stod(text.substr(at + line.size() + 2));
}

void PersistTest::restart_broker(const std::function<void()>& meanwhile) {
  server_.kill();
  const auto all = [&](bool connected) {
    for (const auto& node : nodes_) {
      if (node->persist && node->persist->ready().has_value() != connected) return false;
    }
    return bus_->is_connected() == connected;
  };
  ASSERT_TRUE(wait_for([&] { return all(false); }));
  meanwhile();
  server_.restart();
  ASSERT_TRUE(wait_for([&] { return all(true); }));
}

bool PersistTest::wait_for(const std::function<bool()>& condition) {
  return test::run_until(loop_, condition, 30s);
}

wire::Entry PersistTest::message(const ConversationId& conversation, std::string_view sender,
                                 std::string text) {
  const ShardId shard = store::shard_of(conversation);
  store::TestLog& writer = writers_.try_emplace(shard, shard).first->second;
  ++sent_;
  return writer.message(conversation, sender, wire::encode_text(text));
}

void PersistTest::append(ShardId shard, std::vector<wire::Entry> entries) {
  const auto generation = generations_.try_emplace(shard, Generation(1)).first->second;
  const Bytes batch = wire::encode(wire::Batch{Epoch(1), generation, std::move(entries)});
  bool done = false;
  log_->append(shard, bus::LogSequence(last_sequence_[shard]), batch, 5s,
               [&](const tl::expected<bus::LogSequence, bus::AppendError>& appended) {
                 ASSERT_TRUE(appended) << appended.error().detail;
                 last_sequence_[shard] = appended->value();
                 done = true;
               });
  ASSERT_TRUE(wait_for([&] { return done; }));
}

void PersistTest::send(std::string_view from, std::string_view to, int count) {
  const ConversationId conversation = between(from, to);
  for (int i = 0; i < count; ++i)
    append(store::shard_of(conversation), {message(conversation, from)});
}

bus::LogInfo PersistTest::info(ShardId shard) {
  std::optional<bus::LogInfo> out;
  log_->info(shard, 5s, [&](const Result<bus::LogInfo>& info) {
    ASSERT_TRUE(info) << info.error().detail;
    last_sequence_[shard] = info->last.value();
    out = *info;
  });
  EXPECT_TRUE(wait_for([&] { return out.has_value(); }));
  return *out;
}

bool PersistTest::all_stored() {
  return scalar("SELECT count(*) FROM messages") == std::to_string(sent_);
}

void PersistTest::expect_all_stored() {
  EXPECT_TRUE(wait_for([this] { return all_stored(); }))
      << scalar("SELECT count(*) FROM messages") << " of " << sent_;
  EXPECT_EQ(scalar("SELECT count(*) FROM (SELECT conversation_id FROM messages GROUP BY 1 HAVING "
                   "count(*) <> max(seq) OR min(seq) <> 1) x"),
            "0");
  EXPECT_EQ(scalar("SELECT count(*) FROM dead_entries"), "0");
}

Bytes PersistTest::request(const std::string& subject, const Bytes& payload) {
  std::optional<Bytes> out;
  bus_->request(subject, payload, 10s, [&](const Result<Bytes>& reply) {
    EXPECT_TRUE(reply) << reply.error().detail;
    out = reply ? *reply : Bytes();
  });
  EXPECT_TRUE(wait_for([&] { return out.has_value(); }));
  return *out;
}

wire::ClientAnswer PersistTest::ask(const std::string& subject, wire::Command command,
                                    std::string_view as_user, const Bytes& body) {
  wire::ClientRequest question;
  question.command = command;
  if (!as_user.empty()) {
    question.user = user(as_user);
    question.device = DeviceId::trusted("d1");
  }
  question.body = body;
  answer_ = request(subject, wire::encode(question));
  auto answer = wire::parse_client_answer(answer_);
  EXPECT_TRUE(answer) << answer.error().detail;
  return *answer;
}

wire::ClientAnswer PersistTest::read(wire::Command command, std::string_view as_user,
                                     const Bytes& body) {
  return ask(bus::subject::rpc_read(), command, as_user, body);
}

wire::SyncPage PersistTest::synced(std::string_view as_user, BytesView token, BytesView page) {
  const auto answer = read(wire::Command::Sync, as_user, wire::encode(wire::Sync{token, page}));
  EXPECT_EQ(answer.error.code, ErrorCode::kNone) << answer.error.detail;
  auto parsed = wire::parse_sync_page(answer.body);
  EXPECT_TRUE(parsed) << parsed.error().detail;
  return *parsed;
}

}  // namespace martlet::persist
