#pragma once

#include <map>
#include <set>
#include <string>
#include <tuple>

#include "base/result.h"
#include "model/ids.h"
#include "wire/envelopes.h"
#include "wire/log_batch.h"
#include "wire/rpc.h"

namespace martlet::test {

// What persist knows of one shard: the entries of its log up to a watermark. Asserts what
// PostgreSQL would refuse: a number or a message twice, a gap.
class FakeDatabase {
 public:
  std::set<std::string> users;
  std::set<std::string> in_many_groups;                          // users who may be in no more
  std::set<std::pair<std::string, std::string>> came_too_often;  // user, group
  std::size_t omits = 0;  // so many groups find no room in the next answers
  Generation generation{1};
  std::uint64_t base = 0;
  LogPosition watermark;
  bool is_up = true;
  std::size_t questions = 0;
  std::size_t items = 0;

  // The next batch of the log.
  void apply(LogPosition position, const wire::Batch& batch);
  // A log that ends below the watermark, or below what it is known to have had, lost its tail.
  // False: what is left of it is not here yet.
  bool check_end(std::uint64_t last_sequence, LogPosition known = {});
  wire::Watermark told(ShardId shard) const { return {shard, generation, base, watermark}; }
  Result<wire::ColdAnswer> answer(const wire::ColdQuestion& question);
  Result<wire::ShardAnswer> answer(ShardId shard);
  // Null: never created.
  const wire::GroupState* group(const ConversationId& conversation) const;

 private:
  using Key = std::tuple<std::string, std::string, ClientMsgId>;
  void apply_change(const wire::Entry& entry);
  wire::UserStatus status_of(const wire::Newcomer& newcomer) const;
  wire::ConversationHead group_head(const ConversationId& conversation);
  wire::ConversationHead head(const ConversationId& conversation);

  std::map<std::string, Seq> last_seqs_;
  std::map<std::string, wire::GroupState> groups_;
  std::map<Key, wire::StoredMessage> messages_;
};

}  // namespace martlet::test
