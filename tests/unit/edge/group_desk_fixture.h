#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "bus/subjects.h"
#include "edge/group_desk.h"
#include "fake_bus.h"
#include "wire/bodies.h"

namespace martlet::edge {

// A desk on a broker in memory, with the test in the place of persist and of the sessions.
class GroupDeskTest : public testing::Test, private GroupDeskPort {
 protected:
  using Lines = std::vector<std::string>;
  struct FixedClock final : Clock {
    MonotonicTime now() const override { return time; }
    WallMs wall_ms() const override { return 0; }
    MonotonicTime time{std::chrono::seconds(1000)};
  };
  static inline const GroupId kTeam = GroupId::trusted("team");

  GroupDeskTest() { restart({}); }

  static UserId user(const std::string& name) { return UserId::trusted(name); }

  void restart(const GroupDesk::Options& options) {
    desk_ = std::make_unique<GroupDesk>(GroupDesk::Parts{bus_, wheel_, clock_, metrics_, *this},
                                        options);
  }
  void deliver(const UserId& to, OutgoingEvent& event, const SessionId&) override {
    ASSERT_NE(event.in(wire::Codec::kFlatBuffers), nullptr);
    got_.push_back(to.str());
  }
  void hint_resync(const UserId& to, const ConversationId& conversation,
                   std::uint32_t within_ms) override {
    hints_.push_back(to.str() + ":" + conversation.str());
    within_ms_ = within_ms;
  }
  void hint_added(const UserId& to, const ConversationId& conversation,
                  std::uint32_t within_ms) override {
    hint_resync(to, conversation, within_ms);
  }
  void on_to_group(const GroupId& group, BytesView payload) override {
    got_.push_back(group.str() + ":" + std::string(payload));
  }

  void advance(Duration by) {
    clock_.time += by;
    wheel_.advance(clock_.time);
  }
  // The oldest question that nobody has answered.
  wire::GroupsQuestion question() {
    EXPECT_FALSE(bus_.asked.empty());
    if (bus_.asked.empty()) return {};
    EXPECT_EQ(bus_.asked.front().subject, bus::subject::rpc_groups());
    return wire::parse_groups_question(bus_.asked.front().payload).value();
  }
  void answer(Result<Bytes> reply) {
    ASSERT_FALSE(bus_.asked.empty());
    const FakeBus::Asked asked = std::move(bus_.asked.front());
    bus_.asked.pop_front();
    asked.callback(std::move(reply));
  }
  void answer(const wire::GroupsAnswer& with) { answer(wire::encode(with)); }
  static wire::GroupMembership place(const std::string& name, std::uint64_t from,
                                     std::uint64_t as_of, const GroupId& group = kTeam) {
    return {group, user(name), Seq(from), Seq(as_of)};
  }
  // A user with a session who is in the team as of then.
  void enter(const std::string& name, std::uint64_t from, std::uint64_t as_of) {
    desk_->begin(user(name));
    answer(wire::GroupsAnswer{.memberships = {place(name, from, as_of)}});
  }
  void sync(const std::string& name) {
    desk_->when_listening(user(name), [this](const Result<void>& result) {
      syncs_.push_back(result ? "ok" : std::string(error_name(result.error().code)));
    });
  }
  static GroupEvent event(std::uint64_t seq, std::uint64_t members_at) {
    static const Bytes body = wire::encode(wire::Message{.conversation = "g:team",
                                                         .seq = Seq(1),
                                                         .message_id = MessageId(1),
                                                         .sender = "zoe",
                                                         .client_msg_id = {{1}},
                                                         .content = wire::encode_text("hi")});
    return {.group = kTeam,
            .command = wire::Command::MessageEvent,
            .seq = Seq(seq),
            .members_at = Seq(members_at),
            .origin = {},
            .body = body,
            .change = {}};
  }
  static GroupEvent change(std::uint64_t seq, std::uint64_t members_at, MembersAction action,
                           const Lines& names = {}) {
    GroupEvent result = event(seq, members_at);
    result.change = {user("zoe"), {.action = action}};
    for (const auto& name : names) result.change->change.users.push_back(user(name));
    return result;
  }
  static wire::GroupsAnswer as_of(std::uint64_t members_at, const Lines& members) {
    wire::GroupsAnswer result{.members_at = Seq(members_at)};
    for (const auto& name : members) result.memberships.push_back(place(name, 1, members_at));
    return result;
  }
  static wire::GroupsAnswer behind(wire::GroupsAnswer answer) {
    answer.behind = true;
    answer.again_in_ms = 500;
    return answer;
  }
  static wire::SyncPage page_of(wire::Membership membership, std::uint64_t first,
                                std::uint64_t last, std::uint64_t members_at) {
    return {.conversations = {{.conversation = ConversationId::of_group(kTeam),
                               .last_seq = Seq(last),
                               .first_seq = Seq(first),
                               .membership = membership,
                               .members_at = Seq(members_at)}}};
  }
  void hear(const GroupEvent& one) { desk_->hear(one); }
  bool listens(const GroupId& group = kTeam) const {
    return bus_.has_subscription(bus::subject::group(group));
  }
  std::size_t delivered() const { return got_.size(); }

  FakeBus bus_;
  FixedClock clock_;
  TimerWheel wheel_{clock_.time, std::chrono::seconds(1), 64};
  metrics::Registry registry_;
  EdgeMetrics metrics_{registry_};
  Lines got_;
  Lines hints_;
  std::uint32_t within_ms_ = 0;  // of the last hint
  Lines syncs_;
  std::unique_ptr<GroupDesk> desk_;
};

}  // namespace martlet::edge
