#include <gtest/gtest.h>

#include <map>
#include <set>

#include "base/random.h"
#include "rig.h"
#include "wire/members_change.h"

namespace martlet::dispatcher::testing {
namespace {

using Kind = wire::AnswerKind;
using Action = MembersAction;
using namespace std::chrono_literals;

const std::vector<std::string> kUsers = {"alice", "bob", "carol", "dave"};
const std::vector<std::string> kGroups = {"team", "club", "crew"};

// What somebody asked for, and what became of it.
struct Request {
  std::string from;
  std::string group;
  ClientMsgId id;
  std::optional<MembersChange> change;  // none: a message
  WallMs first_sent_ms = 0;
  bool is_answered = false;  // for good
  ErrorCode refusal = ErrorCode::kNone;
  Seq seq;
};

// Groups under changes, messages, repeats, failures and take-overs, by seed. The log is the truth:
// its entries are replayed on a reference, which judges each of them, and every answer and event
// must agree with it.
class GroupModel {
 public:
  explicit GroupModel(std::uint64_t seed) : random_(seed), rig_({.heads = 2}) {}

  void run(int steps) {
    for (int i = 0; i < steps && !::testing::Test::HasFailure(); ++i) {
      step();
      hear();
    }
    recover();
    replay();
    check_answers();
    check_events();
  }

 private:
  bool one_in(std::uint64_t n) { return random_.below(n) == 0; }
  const std::string& any(const std::vector<std::string>& names) {
    return names[random_.below(names.size())];
  }

  void step() {
    switch (random_.below(12)) {
      case 0:
      case 1:
        return ask(std::nullopt);
      case 2:
      case 3:
        return ask(any_change());
      case 4:
      case 5:
        return repeat();
      case 6:
      case 7:
        if (rig_.append) finish_append();
        return;
      case 8:
        if (rig_.question) answer_question();
        return;
      case 9:
        if (one_in(8)) take_over();
        return;
      case 10:
        return store();
      default:
        rig_.moment.renewal_age = one_in(10) ? 2000ms : 100ms;
        return rig_.pass(one_in(30) ? Duration(31s) : Duration(10ms));
    }
  }

  MembersChange any_change() {
    // A group that is disbanded is at its end: seldom.
    switch (random_.below(one_in(30) ? 7 : 6)) {
      case 0:
        return created({any({"alice", "bob"}), any({"carol", "dave"})},
                       one_in(2) ? JoinPolicy::kAnyone : JoinPolicy::kInvited);
      case 1:
        return act_of(Action::kInvited, {any(kUsers)});
      case 2:
        return act_of(Action::kJoined);
      case 3:
        return act_of(Action::kLeft);
      case 4:
        return act_of(Action::kRemoved, {any(kUsers)});
      case 5:
        return act_of(Action::kRoleSet, {any(kUsers)},
                      one_in(2) ? GroupRole::kAdmin : GroupRole::kOwner);
      default:
        return act_of(Action::kDisbanded);
    }
  }

  void ask(std::optional<MembersChange> change) {
    requests_.push_back({any(kUsers), any(kGroups),
                         id_of(requests_.size() + 1, rig_.moment.wall_ms), std::move(change),
                         rig_.moment.wall_ms});
    transmit(requests_.size() - 1);
  }

  void repeat() {
    if (requests_.empty()) return;
    const std::size_t recent = std::min<std::size_t>(requests_.size(), 20);
    transmit(one_in(2) ? requests_.size() - 1 - random_.below(recent)
                       : random_.below(requests_.size()));
  }

  void transmit(std::size_t index) {
    if (one_in(10)) return;
    const Request& request = requests_[index];
    const auto number = static_cast<std::uint32_t>(index + 1);
    const WallMs first_sent_ms = one_in(10) ? 0 : request.first_sent_ms;
    if (request.change) {
      rig_.change({.from = request.from,
                   .group = request.group,
                   .id = request.id,
                   .change = *request.change,
                   .request_id = number,
                   .first_sent_ms = first_sent_ms});
    } else {
      rig_.send({.from = request.from,
                 .to = "g:" + request.group,
                 .id = request.id,
                 .request_id = number,
                 .first_sent_ms = first_sent_ms});
    }
  }

  void finish_append() {
    if (!one_in(20)) return rig_.finish_append();
    const AppendRequest lost = *rig_.append;
    if (one_in(2)) rig_.log.append(lost.expected_last, lost.batch);
    rig_.fail_append(bus::AppendFailure::kUnknown);
    take_over();
  }

  void answer_question() {
    if (one_in(10)) rig_.database.omits = 1;
    rig_.answer_question();
  }

  void take_over() {
    hear();
    const LogPosition published(random_.below(published_ + 1));
    rig_.take_over(published);
    hear_again(published);
    published_ = rig_.log.last().value();
  }

  // All above the published position, or a hint for its group.
  void hear_again(LogPosition published) {
    for (const LiveEntry& live : rig_.taken()->live) {
      EXPECT_GT(live.position, published);
      events_.push_back(live);
    }
    for (const ConversationId& missed : rig_.taken()->missed) {
      EXPECT_TRUE(missed.is_group() || missed.users().first == missed.users().second);
      hinted_.insert(missed.str());
    }
  }

  void store() {
    const std::uint64_t from = rig_.database.watermark.value();
    rig_.follow(LogPosition(from + random_.below(rig_.log.last().value() - from + 1)));
    if (one_in(3)) return;
    rig_.core().watermark(rig_.database.told(kShard));
    rig_.take();
    if (one_in(2)) purge();
  }

  void purge() {
    const auto batches = rig_.log.batches();
    std::uint64_t keep = rig_.log.info().first.value();
    while (keep < rig_.database.watermark.value() &&
           batches[keep - 1].entries[0].time_ms + 30'000 < rig_.moment.wall_ms) {
      ++keep;
    }
    rig_.log.purge_below(bus::LogSequence(keep));
  }

  void hear() {
    for (LiveEntry& event : rig_.events()) {
      published_ = std::max(published_, event.position.value());
      events_.push_back(std::move(event));
    }
    for (const OutgoingAnswer& answer : rig_.answers()) hear(answer.answer);
  }

  void hear(const wire::Answer& answer) {
    Request& request = requests_.at(answer.request_id - 1);
    ASSERT_EQ(answer.client_msg_id, request.id);
    if (answer.kind == Kind::kRefused && is_retryable(answer.error)) return;
    if (answer.kind == Kind::kRefused) {
      EXPECT_NE(answer.error, ErrorCode::kConflict) << "a true copy is no conflict";
      EXPECT_EQ(request.seq, Seq()) << "accepted, and refused as " << error_name(answer.error);
      // Repeated after a refusal it may be judged anew.
      request.refusal = answer.error;
      request.is_answered = true;
      return;
    }
    EXPECT_TRUE(request.seq == Seq() || request.seq == answer.seq) << "two answers differ";
    request.seq = answer.seq;
    request.is_answered = true;
  }

  void recover() {
    rig_.moment.renewal_age = 100ms;
    for (int round = 0; round < 100; ++round) {
      bool is_open = false;
      for (std::size_t i = 0; i < requests_.size(); ++i) {
        if (requests_[i].is_answered) continue;
        is_open = true;
        transmit(i);
        rig_.settle();
        hear();
      }
      if (!is_open) return;
      rig_.store_all();
      rig_.pass(5s);
      hear();
    }
    ADD_FAILURE() << "a request was never answered";
  }

  // The reference: entries without gaps or repeats, each allowed by the members before it.
  void replay() {
    std::map<std::string, GroupMembers> members;
    std::map<std::string, Seq> last;
    std::map<std::string, Seq> members_at;
    std::set<ClientMsgId> seen;
    for (const wire::Batch& batch : rig_.log.batches()) {
      for (const wire::Entry& entry : batch.entries) {
        if (!wire::is_ordered(entry.kind)) continue;
        const std::string& name = entry.conversation.str();
        ASSERT_EQ(entry.seq, last[name].next()) << "a gap in " << name;
        last[name] = entry.seq;
        ASSERT_TRUE(seen.insert(entry.client_msg_id).second) << "it is there twice";
        Logged& logged = logged_[{name, entry.seq}];
        logged = {entry.client_msg_id, members_at[name], {}};
        if (entry.kind == wire::EntryKind::kMessage) {
          ASSERT_TRUE(members[name].has(entry.sender)) << "somebody wrote who is not in it";
          continue;
        }
        const MembersChange change = *wire::parse_members_change(entry.content);
        const bool is_created = change.action == Action::kCreated;
        ASSERT_EQ(is_created, entry.seq == Seq(1)) << "created once, before all else";
        ASSERT_TRUE(is_created || members[name].why_not(entry.sender, change) == ErrorCode::kNone);
        logged.concerned = concerned_by(change, members[name].apply(entry.sender, change));
        members_at[name] = entry.seq;
      }
    }
    EXPECT_FALSE(members.empty());
  }

  void check_answers() {
    std::size_t accepted = 0;
    for (const Request& request : requests_) {
      if (request.seq == Seq()) continue;
      ++accepted;
      const auto found = logged_.find({"g:" + request.group, request.seq});
      ASSERT_NE(found, logged_.end()) << "accepted, but not in the log";
      EXPECT_EQ(found->second.id, request.id);
    }
    EXPECT_GT(accepted, 10u) << "the model does nothing";
  }

  // What was shown is as of the members of then; what was not shown, is hinted.
  void check_events() {
    std::set<std::pair<std::string, Seq>> shown;
    for (const LiveEntry& event : events_) {
      const std::pair<std::string, Seq> key{event.entry.conversation.str(), event.entry.seq};
      ASSERT_TRUE(logged_.contains(key));
      EXPECT_EQ(event.members_at, logged_[key].members_at);
      EXPECT_EQ(event.concerned, logged_[key].concerned);
      shown.insert(key);
    }
    for (const auto& [key, logged] : logged_) {
      if (shown.contains(key)) continue;
      EXPECT_TRUE(hinted_.contains(key.first)) << "nobody was shown it";
      for (const UserId& user : logged.concerned) {
        EXPECT_TRUE(hinted_.contains(ConversationId::with_self(user).str()));
      }
    }
  }

  struct Logged {
    ClientMsgId id;
    Seq members_at;
    std::vector<UserId> concerned;
  };

  SeededRandom random_;
  Rig rig_;
  std::vector<Request> requests_;
  std::vector<LiveEntry> events_;
  std::set<std::string> hinted_;
  std::map<std::pair<std::string, Seq>, Logged> logged_;
  std::uint64_t published_ = 0;
};

class GroupModelTest : public ::testing::TestWithParam<std::uint64_t> {};

TEST_P(GroupModelTest, MembersAndNumbersHold) {
  SCOPED_TRACE("seed " + std::to_string(GetParam()));
  GroupModel model(GetParam());
  model.run(3'000);
}

INSTANTIATE_TEST_SUITE_P(Seeds, GroupModelTest, ::testing::Range<std::uint64_t>(1, 31));

}  // namespace
}  // namespace martlet::dispatcher::testing
