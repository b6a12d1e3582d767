#include "dispatcher/fanout.h"

#include <gtest/gtest.h>

#include "rig.h"
#include "wire/content.h"
#include "wire/events.h"
#include "wire/members_change.h"
#include "wire/message.h"

namespace martlet::dispatcher::testing {
namespace {

constexpr Ownership kOwner{kShard, Generation(2), Epoch(3)};

LiveEntry live_of(wire::EntryKind kind, const ConversationId& conversation) {
  LiveEntry live{LogPosition(9), {}, {}};
  live.entry.kind = kind;
  live.entry.conversation = conversation;
  live.entry.seq = Seq(7);
  live.entry.message_id = MessageId(1);
  live.entry.sender = user("alice");
  live.entry.client_msg_id = id_of(1);
  live.entry.content = wire::encode_text("x");
  return live;
}

wire::Event event_in(const Bytes& bytes) {
  const auto parsed = wire::parse_to_user(bytes);
  EXPECT_TRUE(parsed.has_value());
  return std::get<wire::Event>(*parsed);
}

TEST(Fanout, AMessageGoesToBothUsers) {
  const auto live = live_of(wire::EntryKind::kMessage, between("alice", "bob"));
  EXPECT_EQ(audience_of(live), (Audience{{}, {user("alice"), user("bob")}}));
  EXPECT_EQ(audience_of(between("bob", "bob")), (Audience{{}, {user("bob")}}));
  EXPECT_EQ(hints_for(live), std::vector<ConversationId>{between("alice", "bob")});
}

TEST(Fanout, AMessageOfAGroupIsPublishedOnce) {
  const auto live = live_of(wire::EntryKind::kMessage, group("team"));
  EXPECT_EQ(audience_of(live), (Audience{GroupId::trusted("team"), {}}));
  EXPECT_EQ(hints_for(live), std::vector<ConversationId>{group("team")});
}

TEST(Fanout, AChangeOfMembersAlsoGoesToThoseWhomItConcerns) {
  auto live = live_of(wire::EntryKind::kMembers, group("team"));
  live.concerned = {user("bob"), user("carol")};
  EXPECT_EQ(audience_of(live), (Audience{GroupId::trusted("team"), {user("bob"), user("carol")}}));
  EXPECT_EQ(hints_for(live), (std::vector<ConversationId>{group("team"), between("bob", "bob"),
                                                          between("carol", "carol")}));
}

TEST(Fanout, ACursorInAGroupIsItsReadersAlone) {
  const auto live = live_of(wire::EntryKind::kRead, group("team"));
  EXPECT_EQ(audience_of(live), (Audience{{}, {user("alice")}}));
  EXPECT_EQ(hints_for(live), std::vector<ConversationId>{between("alice", "alice")});
}

TEST(Fanout, AnEventOfAGroupSaysAsOfWhichMembers) {
  auto live = live_of(wire::EntryKind::kMessage, group("team"));
  live.members_at = Seq(4);
  const Bytes bytes = encode_live(kOwner, live);
  const wire::Event event = event_in(bytes);
  EXPECT_EQ(event.members_at, Seq(4));
  EXPECT_FALSE(event.members_change);
  EXPECT_EQ(event.seq, Seq(7));
  EXPECT_EQ(wire::parse_message(event.body)->members_at, Seq(4));
}

TEST(Fanout, AChangeSaysSo) {
  auto live = live_of(wire::EntryKind::kMembers, group("team"));
  live.entry.content = wire::encode(act_of(MembersAction::kLeft));
  const Bytes bytes = encode_live(kOwner, live);
  const wire::Event event = event_in(bytes);
  EXPECT_TRUE(event.members_change);
  EXPECT_EQ(event.command, wire::Command::MessageEvent);
  EXPECT_EQ(wire::parse_message(event.body)->content, live.entry.content);
}

TEST(Fanout, TypingHasNoNumber) {
  const Bytes bytes = encode_typing(kOwner, {group("team"), user("bob"), {5, 6}, Seq(4)});
  const wire::Event event = event_in(bytes);
  EXPECT_EQ(event.command, wire::Command::TypingEvent);
  EXPECT_EQ(event.seq, Seq());
  EXPECT_EQ(event.members_at, Seq(4));
  EXPECT_EQ(event.origin, (SessionId{5, 6}));
  EXPECT_EQ(wire::parse_typing_event(event.body)->user, user("bob"));
}

TEST(Fanout, AHintForAGroupGoesToTheGroup) {
  const Bytes bytes = encode_resync(kOwner, group("team"));
  EXPECT_EQ(event_in(bytes).command, wire::Command::ResyncEvent);
  EXPECT_EQ(audience_of(group("team")), (Audience{GroupId::trusted("team"), {}}));
}

}  // namespace
}  // namespace martlet::dispatcher::testing
