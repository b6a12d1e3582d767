#include "random_questions.h"

#include "database.h"
#include "store/limits.h"

namespace martlet::store {
namespace {

constexpr std::size_t kTokens = 8;
constexpr int kMaxPages = 100;

// All times are multiples of it, so that some meet exactly.
constexpr WallMs kStepMs = 20'000;

bool one_in(Random& random, std::uint64_t n) {
  return random.below(n) == 0;
}

DeviceId any_device(Random& random) {
  return DeviceId::trusted("d" + std::to_string(random.below(60)));
}

}  // namespace

void RandomQuestions::ask(ModelPair& pair, const RandomLog& log, Random& random) {
  pair.load_shards();
  sync(pair, random);
  for (int i = 0; i < 3; ++i) {
    fetch(pair, log, random);
    history(pair, log, random);
  }
  cold(pair, log, random);
  groups(pair, random);
  group_pages(pair, random);
  devices(pair, random);
}

void RandomQuestions::sync(ModelPair& pair, Random& random) {
  SyncRequest request{any_user(random), {}, 0, random.below(4)};
  std::vector<SyncVector>& tokens = tokens_[request.user.str()];
  if (!tokens.empty() && !one_in(random, 4)) request.since = tokens[random.below(tokens.size())];
  if (request.since && one_in(random, 10)) request.since->positions.resize(kShards / 2);
  SyncVector now = pair.sync(request);
  if (tokens.size() == kTokens) tokens.erase(tokens.begin());
  tokens.push_back(std::move(now));
}

void RandomQuestions::fetch(ModelPair& pair, const RandomLog& log, Random& random) {
  FetchRequest request{any_user(random), {}, one_in(random, 2)};
  const std::uint64_t count = 1 + random.below(5);
  for (std::uint64_t i = 0; i < count; ++i) {
    const ConversationId conversation = any_conversation(random);
    const std::uint64_t last = log.last_seq(conversation);
    const std::uint64_t from = 1 + random.below(last + 3);
    request.ranges.push_back({conversation, Seq(from), Seq(from + random.below(last + 3))});
  }
  for (int page = 0; page < kMaxPages && !request.ranges.empty(); ++page) {
    const std::vector<wire::Range> asked = std::move(request.ranges);
    request.ranges = pair.fetch({request.user, asked, request.keep_unknown}).remaining;
    if (request.ranges == asked) break;
  }
}

void RandomQuestions::history(ModelPair& pair, const RandomLog& log, Random& random) {
  HistoryRequest request;
  request.user = any_user(random);
  request.body.conversation = any_conversation(random);
  request.body.from = Seq(random.below(log.last_seq(request.body.conversation) + 3));
  request.body.direction = one_in(random, 2) ? wire::Direction::Backward : wire::Direction::Forward;
  request.body.limit = static_cast<std::uint32_t>(random.below(6));
  for (int page = 0; page < kMaxPages; ++page) {
    const HistoryRows rows = pair.history(request);
    if (!rows.more || rows.messages.empty()) return;
    request.body.from = rows.messages.back().seq;
  }
}

void RandomQuestions::cold(ModelPair& pair, const RandomLog& log, Random& random) {
  ColdQuestions questions(1 + random.below(3));
  for (wire::ColdQuestion& question : questions) {
    question.shard = ShardId(static_cast<std::uint16_t>(random.below(kShards + 1)));
    for (std::uint64_t i = random.below(4); i > 0; --i)
      question.conversations.push_back(any_conversation(random));
    for (std::uint64_t i = random.below(4); i > 0; --i)
      question.users.push_back({any_user(random), any_group(random).group()});
    for (std::uint64_t i = random.below(4); i > 0 && !log.written().empty(); --i) {
      const wire::Entry& one = log.written()[random.below(log.written().size())];
      const UserId sender = one_in(random, 5) ? any_user(random) : one.sender;
      question.messages.push_back({one.conversation, sender, one.client_msg_id});
    }
  }
  pair.look_up_cold(questions);
}

void RandomQuestions::groups(ModelPair& pair, Random& random) {
  pair.find_memberships({any_user(random), {}, {}});
  wire::GroupsQuestion of_group;
  of_group.group = any_group(random).group();
  for (std::uint64_t i = random.below(5); i > 0; --i) of_group.users.push_back(any_user(random));
  pair.find_memberships(of_group);
}

void RandomQuestions::group_pages(ModelPair& pair, Random& random) {
  GroupInfoRequest info{any_user(random), any_group(random).group(), "", random.below(4)};
  for (int page = 0; page < kMaxPages; ++page) {
    const auto rows = pair.group_info(info);
    if (!rows || !rows->more || rows->members.empty()) break;
    info.after = rows->members.back().user.str();
  }
  GroupListRequest list{any_user(random), "", random.below(3)};
  for (int page = 0; page < kMaxPages; ++page) {
    const auto rows = pair.group_list(list);
    if (!rows.more || rows.groups.empty()) break;
    list.after = rows.groups.back().group.str();
  }
}

void RandomQuestions::administer(ModelPair& pair, Random& random, const UserId& who) {
  wire::AdminRequest request;
  request.act = static_cast<wire::AdminAct>(1 + random.below(5));
  request.who = "root";
  const bool is_drain = request.act == wire::AdminAct::kDrain;
  const bool is_ban = request.act >= wire::AdminAct::kBan;
  if (is_drain) request.edge = EdgeId::trusted("e1");
  if (!is_drain) request.user = one_in(random, 10) ? user("nobody") : who;
  if (is_ban || (!is_drain && one_in(random, 2))) request.device = any_device(random);
  pair.administer(request, now_ms_);
  pair.audit(1 + std::uint32_t(random.below(20)));
  if (one_in(random, 10)) pair.forget_audit(now_ms_ - std::min(now_ms_, WallMs{20 * kStepMs}));
}

void RandomQuestions::devices(ModelPair& pair, Random& random) {
  now_ms_ += random.below(4) * kStepMs;
  // Half of them are one user's, who comes to have as many devices as one may.
  const UserId who = one_in(random, 2) ? any_user(random) : user(users_with_accounts().front());
  for (int i = 0; i < 4; ++i) {
    NewToken token{random.bytes(16), now_ms_, now_ms_ + (1 + random.below(40)) * kStepMs};
    if (one_in(random, 4)) token.vouched_until_ms = now_ms_ + random.below(60) * kStepMs;
    if (refresh_tokens_.empty() || !one_in(random, 4)) {
      pair.start_login(who, any_device(random), token);
    } else {
      pair.refresh(refresh_tokens_[random.below(refresh_tokens_.size())], token);
    }
    refresh_tokens_.push_back(token.hash);
    if (refresh_tokens_.size() > kTokens) refresh_tokens_.erase(refresh_tokens_.begin());
  }
  if (one_in(random, 10))
    pair.sign_out({who, one_in(random, 2) ? any_device(random) : DeviceId(), any_device(random)});
  if (one_in(random, 4)) administer(pair, random, who);
  if (one_in(random, 10)) pair.forget_tokens(now_ms_ + kKeepExpiredTokensMs);
  if (one_in(random, 5)) pair.create_account(any_user(random), "another hash", now_ms_);
  pair.find_devices(who, now_ms_);
  pair.is_revoked(who, any_device(random));
  pair.find_password_hash(who);
}

}  // namespace martlet::store
