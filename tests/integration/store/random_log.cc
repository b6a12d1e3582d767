#include "random_log.h"

#include "base/hash.h"
#include "database.h"
#include "wire/members_change.h"

namespace martlet::store {
namespace {

constexpr std::size_t kMaxEntriesPerBatch = 6;
constexpr std::size_t kBurst = 60;
constexpr const char* kUnreadable = "no change of members";
constexpr WallMs kBegin = 1'700'000'000'000;

bool one_in(Random& random, std::uint64_t n) {
  return random.below(n) == 0;
}

const std::string& any_of(Random& random, const std::vector<std::string>& names) {
  return names[random.below(names.size())];
}

// Mostly short, some that fill pages, a few that are refused.
Bytes any_content(Random& random) {
  std::size_t size = 5 + random.below(50);
  if (one_in(random, 8)) size = 10'000 + random.below(15'000);
  if (one_in(random, 60)) size = kRefusedBytes + 1 + random.below(1000);
  return random.bytes(size);
}

}  // namespace

const std::vector<std::string>& users_with_accounts() {
  static const std::vector<std::string> kUsers = {"anna", "Bert", "carl", "dora", "Emil", "x_1"};
  return kUsers;
}

UserId any_user(Random& random) {
  if (one_in(random, 25)) return user("ghost");
  return user(any_of(random, users_with_accounts()));
}

ConversationId any_pair(Random& random) {
  return ConversationId::between(any_user(random), any_user(random));
}

ConversationId any_group(Random& random) {
  static const std::vector<std::string> kGroups = {"birds", "fish", "a-1", "zoo"};
  return group(any_of(random, kGroups));
}

ConversationId any_conversation(Random& random) {
  return one_in(random, 2) ? any_group(random) : any_pair(random);
}

RandomLog::RandomLog(std::uint16_t shards) : shards_(shards) {
  for (Shard& shard : shards_) shard.state.generation = Generation(1);
}

std::uint64_t RandomLog::last_seq(const ConversationId& conversation) const {
  const auto found = seqs_.find(conversation.str());
  return found == seqs_.end() ? 0 : found->second;
}

wire::Entry RandomLog::placed(Random& random, wire::EntryKind kind,
                              const ConversationId& conversation, const UserId& sender) {
  wire::Entry entry;
  entry.kind = kind;
  entry.conversation = conversation;
  entry.seq = Seq(++seqs_[conversation.str()]);
  entry.message_id = MessageId(1000 + ++numbers_);
  entry.sender = sender;
  entry.device = DeviceId::trusted("d1");
  entry.client_msg_id = client_msg_id(numbers_);
  entry.time_ms = kBegin + random.below(1000);
  return entry;
}

wire::Entry RandomLog::message(Random& random, const ConversationId& conversation) {
  UserId sender = any_user(random);
  if (!conversation.is_group()) {
    const auto [first, second] = conversation.users();
    sender = one_in(random, 2) ? first : second;
  }
  wire::Entry entry = placed(random, wire::EntryKind::kMessage, conversation, sender);
  entry.content = any_content(random);
  entry.content_hash = base::hash64(entry.content);
  return entry;
}

// Sent again by its client, sometimes with another content.
wire::Entry RandomLog::repeat(Random& random, const wire::Entry& original) {
  wire::Entry entry = placed(random, original.kind, original.conversation, original.sender);
  entry.client_msg_id = original.client_msg_id;
  const bool may_lie =
      original.kind == wire::EntryKind::kMessage || original.content == kUnreadable;
  const bool lies = may_lie && one_in(random, 3);
  entry.content = lies ? any_content(random) : original.content;
  entry.content_hash = base::hash64(entry.content);
  return entry;
}

MembersChange RandomLog::any_change(Random& random, bool exists) const {
  using enum MembersAction;
  static const std::vector<MembersAction> kActions = {kInvited, kInvited, kJoined, kLeft,
                                                      kRemoved, kRoleSet, kJoined};
  MembersChange change;
  change.action = kActions[random.below(kActions.size())];
  if (!exists || one_in(random, 50)) change.action = kCreated;
  if (exists && one_in(random, 40)) change.action = kDisbanded;
  const bool names =
      change.action == kCreated || change.action == kInvited || change.action == kRemoved;
  const std::size_t count = names ? random.below(4) + (change.action == kCreated ? 0 : 1) : 0;
  for (std::size_t i = 0; i < count; ++i) change.users.push_back(any_user(random));
  if (change.action == kRoleSet) {
    change.users.push_back(any_user(random));
    change.role = static_cast<GroupRole>(1 + random.below(3));
  }
  if (change.action != kCreated) return change;
  change.title = one_in(random, 3) ? std::string("a\0b", 3) : "Überall";
  change.join = static_cast<JoinPolicy>(random.below(2));
  change.earlier_history = static_cast<EarlierHistory>(random.below(2));
  return change;
}

// Mostly one that a dispatcher would allow.
wire::Entry RandomLog::change(Random& random, const ConversationId& group) {
  const bool exists = groups_.contains(group.str());
  GroupMembers& members = groups_[group.str()];
  UserId actor = any_user(random);
  MembersChange change = any_change(random, exists);
  for (int tries = 0; exists && tries < 20; ++tries) {
    if (members.why_not(actor, change) == ErrorCode::kNone || one_in(random, 30)) break;
    actor = any_user(random);
    change = any_change(random, exists);
  }
  return this->members(random, group, actor, change);
}

wire::Entry RandomLog::members(Random& random, const ConversationId& group, const UserId& actor,
                               const MembersChange& change) {
  groups_[group.str()].apply(actor, change);
  wire::Entry entry = placed(random, wire::EntryKind::kMembers, group, actor);
  entry.content = one_in(random, 40) ? Bytes(kUnreadable) : wire::encode(change);
  entry.content_hash = base::hash64(entry.content);
  return entry;
}

wire::Entry RandomLog::read(Random& random, const UserId& reader) {
  wire::Entry entry;
  entry.kind = wire::EntryKind::kRead;
  entry.conversation =
      one_in(random, 2) ? any_group(random) : ConversationId::between(reader, any_user(random));
  entry.seq = Seq(1 + random.below(last_seq(entry.conversation) + 3));
  entry.sender = reader;
  entry.device = DeviceId::trusted("d1");
  entry.time_ms = kBegin;
  return entry;
}

wire::Entry RandomLog::entry(Random& random, const ConversationId& conversation) {
  if (one_in(random, 12) && !written_.empty()) {
    const wire::Entry& original = written_[random.below(written_.size())];
    if (original.conversation == conversation) return repeat(random, original);
  }
  if (conversation.is_group() && (!groups_.contains(conversation.str()) || one_in(random, 3)))
    return change(random, conversation);
  return message(random, conversation);
}

void RandomLog::write(Random& random) {
  std::vector<wire::Entry> entries;
  const std::size_t count = 1 + random.below(kMaxEntriesPerBatch);
  const UserId reader = any_user(random);
  const bool reads = one_in(random, 3);
  const ConversationId self = ConversationId::with_self(reader);
  const ConversationId conversation = reads ? self : any_conversation(random);
  for (std::size_t i = 0; i < count; ++i) {
    if (one_in(random, 15)) {
      wire::Entry owner;
      owner.kind = wire::EntryKind::kOwner;
      owner.message_id = MessageId(1000 + numbers_);
      entries.push_back(owner);
    } else if (reads && !one_in(random, 4)) {
      entries.push_back(read(random, reader));
    } else {
      entries.push_back(entry(random, conversation));
      written_.push_back(entries.back());
    }
  }
  append(shard_of(conversation), std::move(entries));
}

void RandomLog::write_burst(Random& random) {
  const ConversationId conversation = any_conversation(random);
  if (conversation.is_group() && !groups_.contains(conversation.str())) return;
  const bool is_long = one_in(random, 2);
  const UserId sender = conversation.is_group() ? any_user(random) : conversation.users().first;
  std::vector<wire::Entry> entries;
  for (std::size_t i = 0; i < kBurst; ++i) {
    const UserId& other = one_in(random, 30) ? any_user(random) : sender;
    entries.push_back(placed(random, wire::EntryKind::kMessage, conversation, other));
    entries.back().content = random.bytes(is_long ? 25'000 : 10);
    entries.back().content_hash = base::hash64(entries.back().content);
    if (entries.size() < kBurst / 10) continue;
    append(shard_of(conversation), std::move(entries));
    entries.clear();
  }
}

void RandomLog::write_restless(Random& random) {
  const ConversationId group = any_group(random);
  const UserId actor = any_user(random);
  const auto found = groups_.find(group.str());
  if (found == groups_.end() || found->second.role_of(actor) == GroupRole::kOwner) return;
  std::vector<wire::Entry> entries;
  for (std::size_t i = 0; i < kBurst / 2; ++i) {
    entries.push_back(
        members(random, group, actor, martlet::store::change(MembersAction::kJoined)));
    if (one_in(random, 3)) entries.push_back(message(random, group));
    entries.push_back(members(random, group, actor, martlet::store::change(MembersAction::kLeft)));
    if (one_in(random, 3)) entries.push_back(message(random, group));
  }
  append(shard_of(group), std::move(entries));
}

void RandomLog::write_garbage(Random& random) {
  append(ShardId(static_cast<std::uint16_t>(random.below(shards_.size()))), "this is no batch");
}

std::optional<ShardId> RandomLog::write_taken_seq(Random& random) {
  if (written_.empty()) return std::nullopt;
  wire::Entry again = written_[random.below(written_.size())];
  const ConversationId conversation = again.conversation;
  const ShardId shard = shard_of(conversation);
  if (!is_stored(shard)) return std::nullopt;
  again.kind = wire::EntryKind::kMessage;
  again.client_msg_id = client_msg_id(++numbers_);
  again.content = "another message";
  again.content_hash = base::hash64(again.content);
  append(shard, {entry(random, conversation), std::move(again)});
  return shard;
}

void RandomLog::append(ShardId shard, std::vector<wire::Entry> entries) {
  const Generation generation = state(shard).generation;
  append(shard, wire::encode(wire::Batch{Epoch(1), generation, std::move(entries)}));
}

void RandomLog::append(ShardId shard, Bytes bytes) {
  Shard& log = shards_.at(shard.value());
  const std::uint64_t end = log.state.watermark.value() + log.pending.size();
  log.pending.push_back({LogPosition(end + 1), std::move(bytes)});
}

ApplyRequest RandomLog::request(ShardId shard, std::size_t most) const {
  const Shard& log = shards_.at(shard.value());
  const std::size_t count = std::min(most, log.pending.size());
  const auto end = log.pending.begin() + static_cast<std::ptrdiff_t>(count);
  return {shard, log.state, {log.pending.begin(), end}};
}

void RandomLog::stored(const ApplyRequest& request) {
  Shard& log = shards_.at(request.shard.value());
  log.state.watermark = request.batches.back().position;
  const auto end = log.pending.begin() + static_cast<std::ptrdiff_t>(request.batches.size());
  log.pending.erase(log.pending.begin(), end);
}

void RandomLog::raised(ShardId shard, const ShardState& state) {
  shards_.at(shard.value()).state = state;
}

}  // namespace martlet::store
