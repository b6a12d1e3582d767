#include "database.h"

#include <unistd.h>

#include <cstdlib>
#include <pqxx/pqxx>

#include "base/hash.h"
#include "store/apply.h"
#include "store/migrate.h"
#include "wire/members_change.h"

namespace martlet::store {
namespace {

// Statements about databases run outside of transactions.
void run_on_server(const std::string& url, const std::string& sql) {
  pqxx::connection connection(url);
  pqxx::nontransaction(connection).exec(sql);
}

}  // namespace

void DatabaseTest::SetUp() {
  const char* url = std::getenv("MARTLET_TEST_POSTGRES_URL");
  ASSERT_NE(url, nullptr) << "MARTLET_TEST_POSTGRES_URL names the server for these tests";
  static int count = 0;
  server_url_ = url;
  name_ = "store_test_" + std::to_string(getpid()) + "_" + std::to_string(++count);
  run_on_server(server_url_, "CREATE DATABASE " + name_);
  const auto query = server_url_.find('?');
  const std::string before = server_url_.substr(0, query);
  const auto slash = before.rfind('/');
  const bool has_database = slash > before.find("://") + 2;
  url_ = (has_database ? before.substr(0, slash) : before) + "/" + name_;
  if (query != std::string::npos) url_ += server_url_.substr(query);
}

void DatabaseTest::TearDown() {
  if (!name_.empty()) run_on_server(server_url_, "DROP DATABASE " + name_ + " WITH (FORCE)");
}

pg::ConnectOptions DatabaseTest::options() const {
  pg::ConnectOptions options;
  options.url = url_;
  options.application_name = "store_test";
  return options;
}

std::unique_ptr<pg::Connection> DatabaseTest::connect() const {
  auto connection = pg::Connection::open(options());
  EXPECT_TRUE(connection) << connection.error().message;
  return std::move(*connection);
}

std::unique_ptr<pg::Connection> DatabaseTest::prepared() const {
  auto connection = connect();
  const auto migrated = migrate(*connection);
  EXPECT_TRUE(migrated) << migrated.error().message;
  const auto shards = prepare_shards(*connection, kShards);
  EXPECT_TRUE(shards) << shards.error().message;
  return connection;
}

std::string DatabaseTest::scalar(const std::string& sql) const {
  auto connection = connect();
  pg::Transaction tx(*connection, pg::Mode::kReadWrite);
  const pg::Rows rows = tx.query(sql);
  const auto done = tx.commit();
  EXPECT_TRUE(done) << done.error().message;
  return rows.empty() ? "" : std::string(rows.text(0, 0));
}

void DatabaseTest::add_users(const std::vector<std::string>& users) const {
  for (const std::string& name : users)
    run("INSERT INTO accounts (user_id, password_hash, created_ms) VALUES ('" + name + "', '', 0)");
}

std::string DatabaseTest::server_host() const {
  return scalar("SELECT host(inet_server_addr())");
}

std::uint16_t DatabaseTest::server_port() const {
  return static_cast<std::uint16_t>(std::stoi(scalar("SELECT inet_server_port()")));
}

void DatabaseTest::cut(const pg::Connection& connection) const {
  scalar("SELECT pg_terminate_backend(" + std::to_string(connection.backend_pid()) + ", 10000)");
}

UserId user(std::string_view name) {
  return UserId::trusted(name);
}

ConversationId between(std::string_view a, std::string_view b) {
  return ConversationId::between(user(a), user(b));
}

ConversationId group(std::string_view name) {
  return ConversationId::of_group(GroupId::trusted(name));
}

MembersChange change(MembersAction action, const std::vector<std::string>& users) {
  MembersChange out;
  out.action = action;
  for (const std::string& name : users) out.users.push_back(user(name));
  return out;
}

ShardId shard_of(const ConversationId& conversation) {
  return martlet::shard_of(conversation, kShards);
}

ClientMsgId client_msg_id(std::uint64_t number) {
  ClientMsgId id;
  for (std::size_t i = 0; i < 8; ++i)
    id.bytes[15 - i] = static_cast<std::uint8_t>(number >> (8 * i));
  id.bytes[0] = 1;
  return id;
}

wire::Entry TestLog::message(const ConversationId& conversation, std::string_view sender,
                             std::string content) {
  wire::Entry entry;
  entry.kind = wire::EntryKind::kMessage;
  entry.conversation = conversation;
  entry.seq = Seq(++seqs_[conversation.str()]);
  entry.message_id = MessageId(1000 + ++numbers_);
  entry.sender = user(sender);
  entry.device = DeviceId::trusted("d1");
  entry.client_msg_id = client_msg_id(1000 * shard_.value() + numbers_);
  entry.time_ms = 1'700'000'000'000 + numbers_;
  entry.content = std::move(content);
  entry.content_hash = base::hash64(entry.content);
  return entry;
}

wire::Entry TestLog::members(const ConversationId& group, std::string_view actor,
                             const MembersChange& change) {
  wire::Entry entry = message(group, actor, wire::encode(change));
  entry.kind = wire::EntryKind::kMembers;
  return entry;
}

wire::Entry TestLog::read(const ConversationId& conversation, std::string_view reader,
                          std::uint64_t seq) {
  wire::Entry entry;
  entry.kind = wire::EntryKind::kRead;
  entry.conversation = conversation;
  entry.seq = Seq(seq);
  entry.sender = user(reader);
  entry.device = DeviceId::trusted("d1");
  entry.time_ms = 1'700'000'000'000;
  return entry;
}

void TestLog::add(std::vector<wire::Entry> entries) {
  add_raw(wire::encode(wire::Batch{Epoch(1), expected_.generation, std::move(entries)}));
}

void TestLog::add_raw(Bytes bytes) {
  pending_.push_back({end().next(), std::move(bytes)});
}

ApplyRequest TestLog::request(bool one_by_one) const {
  return {shard_, expected_, pending_, one_by_one};
}

ApplyResult TestLog::apply(pg::Connection& connection, bool one_by_one) {
  ApplyResult result = store::apply(connection, {request(one_by_one)}, kShards).front();
  if (result.outcome == ApplyOutcome::kCommitted) {
    expected_.watermark = end();
    pending_.clear();
  }
  return result;
}

}  // namespace martlet::store
