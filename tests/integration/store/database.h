#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "lib/pg/connection.h"
#include "model/conversation.h"
#include "model/group.h"
#include "store/types.h"
#include "wire/log_batch.h"

namespace martlet::store {

inline constexpr std::uint16_t kShards = 16;

// A database of its own for each test, on the server of MARTLET_TEST_POSTGRES_URL.
class DatabaseTest : public testing::Test {
 protected:
  void SetUp() override;
  void TearDown() override;

  pg::ConnectOptions options() const;
  std::unique_ptr<pg::Connection> connect() const;
  // Up to date and with its shards; most tests start with this.
  std::unique_ptr<pg::Connection> prepared() const;
  // The first column of the first row, "" if there is none. Asserts that the statement works.
  std::string scalar(const std::string& sql) const;
  void run(const std::string& sql) const { scalar(sql); }
  void add_users(const std::vector<std::string>& users) const;
  std::string server_host() const;
  std::uint16_t server_port() const;
  // Ends the server's side of a connection and waits until it is gone.
  void cut(const pg::Connection& connection) const;

 private:
  std::string server_url_;
  std::string name_;
  std::string url_;
};

UserId user(std::string_view name);
ConversationId between(std::string_view a, std::string_view b);
ConversationId group(std::string_view name);
MembersChange change(MembersAction action, const std::vector<std::string>& users = {});
ShardId shard_of(const ConversationId& conversation);
ClientMsgId client_msg_id(std::uint64_t number);

// The log of one shard, written by a test and applied by itself.
class TestLog {
 public:
  explicit TestLog(ShardId shard) : shard_(shard) { expected_.generation = Generation(1); }

  // An entry of the next message of the conversation.
  wire::Entry message(const ConversationId& conversation, std::string_view sender,
                      std::string content = "hello");
  // An entry of the next change of a group's members.
  wire::Entry members(const ConversationId& group, std::string_view actor,
                      const MembersChange& change);
  wire::Entry read(const ConversationId& conversation, std::string_view reader, std::uint64_t seq);

  // A batch at the next position, kept until it is applied.
  void add(std::vector<wire::Entry> entries);
  void add_raw(Bytes bytes);
  ApplyRequest request(bool one_by_one = false) const;
  // Applies what was added and moves on if it was committed.
  ApplyResult apply(pg::Connection& connection, bool one_by_one = false);

  ShardState& expected() { return expected_; }
  LogPosition end() const { return LogPosition(expected_.watermark.value() + pending_.size()); }

 private:
  ShardId shard_;
  ShardState expected_;
  std::vector<LoggedBatch> pending_;
  std::map<std::string, std::uint64_t> seqs_;
  std::uint64_t numbers_ = 0;
};

}  // namespace martlet::store
