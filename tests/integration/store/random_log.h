#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/random.h"
#include "model/group.h"
#include "store/types.h"
#include "wire/log_batch.h"

namespace martlet::store {

// Contents longer than this are refused by the tests' database.
inline constexpr std::size_t kRefusedBytes = 30'000;

// Logs of all shards as dispatchers might write them, and somewhat worse: by chance. A value: a
// copy of it goes on from the same state.
class RandomLog {
 public:
  explicit RandomLog(std::uint16_t shards);

  // Some entries of a conversation or of a reader, at the end of their shard's log.
  void write(Random& random);
  // Many messages of one sender in one conversation.
  void write_burst(Random& random);
  // Somebody who comes into a group and leaves it, many times.
  void write_restless(Random& random);
  // One that can't be read.
  void write_garbage(Random& random);
  // A message under a seq that another one has: a bug of a dispatcher. Only where all is stored.
  std::optional<ShardId> write_taken_seq(Random& random);

  // Up to `most` of what is not stored yet; none: all is.
  ApplyRequest request(ShardId shard, std::size_t most) const;
  void stored(const ApplyRequest& request);
  // A tail was lost, and positions go on from here. Only where all is stored.
  void raised(ShardId shard, const ShardState& state);

  const ShardState& state(ShardId shard) const { return shards_.at(shard.value()).state; }
  bool is_stored(ShardId shard) const { return shards_.at(shard.value()).pending.empty(); }
  std::uint64_t last_seq(const ConversationId& conversation) const;
  // Messages that were written, for questions about them.
  const std::vector<wire::Entry>& written() const { return written_; }

 private:
  struct Shard {
    ShardState state;
    std::vector<LoggedBatch> pending;
  };

  wire::Entry placed(Random& random, wire::EntryKind kind, const ConversationId& conversation,
                     const UserId& sender);
  wire::Entry message(Random& random, const ConversationId& conversation);
  wire::Entry members(Random& random, const ConversationId& group, const UserId& actor,
                      const MembersChange& change);
  wire::Entry repeat(Random& random, const wire::Entry& original);
  wire::Entry change(Random& random, const ConversationId& group);
  wire::Entry read(Random& random, const UserId& reader);
  wire::Entry entry(Random& random, const ConversationId& conversation);
  MembersChange any_change(Random& random, bool exists) const;
  void append(ShardId shard, std::vector<wire::Entry> entries);
  void append(ShardId shard, Bytes bytes);

  std::vector<Shard> shards_;
  std::map<std::string, std::uint64_t> seqs_;
  std::map<std::string, GroupMembers> groups_;
  std::vector<wire::Entry> written_;
  std::uint64_t numbers_ = 0;
};

// Whom and what the logs are about. Some users have no account, some groups never come to be.
UserId any_user(Random& random);
ConversationId any_pair(Random& random);
ConversationId any_group(Random& random);
ConversationId any_conversation(Random& random);
const std::vector<std::string>& users_with_accounts();

}  // namespace martlet::store
