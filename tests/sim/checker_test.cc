#include "sim/checker.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "wire/content.h"
#include "wire/members_change.h"

namespace martlet::sim {
namespace {

// Histories written by hand. A writer makes one in which everything is as promised; each test
// spoils it in one way.
class Checker : public ::testing::Test {
 protected:
  static constexpr std::size_t kAlice = 0, kBob = 1, kCarol = 2;

  Checker() {
    for (const char* name : {"alice", "bob", "carol"}) {
      DeviceHistory& device = history.devices.emplace_back();
      device.user = UserId::trusted(name);
      device.device = DeviceId::trusted("phone");
    }
  }

  static ClientMsgId id_of(std::uint64_t number) {
    ClientMsgId id;
    for (std::size_t i = 0; i < 8; ++i) id.bytes[15 - i] = std::uint8_t(number >> (8 * i));
    return id;
  }

  bool sees(const DeviceHistory& device, const ConversationId& conversation) const {
    if (!conversation.is_group()) return conversation.has_user(device.user);
    return members.contains(device.user);
  }

  // Sent, acknowledged, stored, shown to all who may see it.
  void message(std::size_t from, const ConversationId& conversation) {
    const UserId sender = history.devices[from].user;
    put(from, conversation, wire::encode_text("text " + std::to_string(number + 1)), sender);
  }
  void change(std::size_t from, MembersChange what) {
    const std::set<UserId> before = members;
    for (const UserId& user : what.users) {
      what.action == MembersAction::kRemoved ? void() : void(members.insert(user));
    }
    if (what.action == MembersAction::kCreated) members.insert(history.devices[from].user);
    put(from, group, wire::encode(what), history.devices[from].user, true);
    if (what.action == MembersAction::kRemoved) {
      for (const UserId& user : what.users) members.erase(user);
    }
  }
  void put(std::size_t from, const ConversationId& conversation, const Bytes& content,
           const UserId& sender, bool is_change = false) {
    auto& stored = history.store[conversation];
    const Seq seq(stored.size() + 1);
    const MessageId message_id(++number);
    const ClientMsgId id = id_of(number);
    stored.push_back({seq, message_id, sender, id, content, Generation(1)});
    SentRecord sent;
    sent.conversation = conversation;
    sent.id = id;
    sent.content = content;
    sent.is_change = is_change;
    sent.outcome = SentRecord::Outcome::kAcknowledged;
    sent.seq = seq;
    sent.message_id = message_id;
    history.devices[from].sent.push_back(sent);
    for (DeviceHistory& device : history.devices) {
      if (!sees(device, conversation)) continue;
      device.shown.push_back({conversation, seq, message_id, sender, id, content, Generation(1)});
    }
  }

  // A talk of alice and bob, and a group of all three.
  void talk(std::size_t messages) {
    change(kAlice, {.action = MembersAction::kCreated,
                    .users = {UserId::trusted("bob"), UserId::trusted("carol")}});
    for (std::size_t i = 0; i < messages; ++i) {
      message(i % 2 == 0 ? kAlice : kBob, i % 3 == 0 ? group : pair);
    }
  }

  std::set<Breach> breaches() const {
    std::set<Breach> all;
    for (const Finding& finding : check(history)) all.insert(finding.breach);
    return all;
  }
  std::vector<StoredMessage>& stored() { return history.store[pair]; }
  // What bob saw of the talk.
  std::vector<ShownRecord*> shown() {
    std::vector<ShownRecord*> all;
    for (ShownRecord& one : history.devices[kBob].shown) {
      if (one.conversation == pair) all.push_back(&one);
    }
    return all;
  }

  const ConversationId pair =
      ConversationId::between(UserId::trusted("alice"), UserId::trusted("bob"));
  const ConversationId group = ConversationId::of_group(GroupId::trusted("team"));
  std::set<UserId> members;
  std::uint64_t number = 0;
  History history;
};

TEST_F(Checker, HasNoComplaintOfAGoodHistory) {
  talk(10'000);
  for (const DeviceHistory& device : history.devices) {
    HistoryRead read{device.user, group, {}};
    for (const ShownRecord& one : device.shown) {
      if (one.conversation == group) read.messages.push_back(one);
    }
    history.reads.push_back(read);
  }
  const auto findings = check(history);
  EXPECT_TRUE(findings.empty()) << findings.front().detail;
}

TEST_F(Checker, NamesALostMessage) {
  talk(20);
  stored().pop_back();
  EXPECT_TRUE(breaches().contains(Breach::kLost));
}

TEST_F(Checker, NamesAMessageThatIsStoredTwice) {
  talk(20);
  StoredMessage again = stored()[3];
  again.seq = stored().back().seq.next();
  again.message_id = MessageId(++number);
  stored().push_back(again);
  EXPECT_TRUE(breaches().contains(Breach::kDoubled));
}

TEST_F(Checker, NamesAMessageThatIsShownTwice) {
  talk(20);
  auto& all = history.devices[kBob].shown;
  all.insert(all.begin() + 5, all[4]);
  EXPECT_EQ(breaches(), std::set{Breach::kDoubled});
}

TEST_F(Checker, NamesTwoThatWereShownInTheWrongOrder) {
  talk(20);
  std::swap(*shown()[3], *shown()[4]);
  EXPECT_EQ(breaches(), std::set{Breach::kSwapped});
}

TEST_F(Checker, NamesTwoThatWereAcceptedInTheWrongOrder) {
  talk(20);
  std::vector<SentRecord*> sent;
  for (SentRecord& one : history.devices[kAlice].sent) {
    if (one.conversation == pair) sent.push_back(&one);
  }
  std::swap(*sent[1], *sent[2]);
  EXPECT_EQ(breaches(), std::set{Breach::kSwapped});
}

TEST_F(Checker, NamesAGapInTheSeqs) {
  talk(20);
  for (std::size_t i = 5; i < stored().size(); ++i) stored()[i].seq = stored()[i].seq.next();
  EXPECT_TRUE(breaches().contains(Breach::kGap));
}

TEST_F(Checker, NamesASeqThatIsNotEqualEverywhere) {
  talk(20);
  shown()[4]->message_id = MessageId(999);
  EXPECT_TRUE(breaches().contains(Breach::kUnequalSeq));
}

TEST_F(Checker, NamesAnAcknowledgementOfAnotherSeq) {
  talk(20);
  history.devices[kAlice].sent.back().seq = Seq(77);
  EXPECT_EQ(breaches(), std::set{Breach::kUnequalSeq});
}

TEST_F(Checker, NamesAMessageToARemovedMember) {
  talk(10);
  change(kAlice, {.action = MembersAction::kRemoved, .users = {UserId::trusted("carol")}});
  message(kBob, group);
  EXPECT_TRUE(breaches().empty());
  history.devices[kCarol].shown.push_back(history.devices[kBob].shown.back());
  EXPECT_EQ(breaches(), std::set{Breach::kShownToOutsider});
}

TEST_F(Checker, NamesAMessageOfARemovedMember) {
  talk(10);
  change(kAlice, {.action = MembersAction::kRemoved, .users = {UserId::trusted("carol")}});
  message(kCarol, group);
  EXPECT_TRUE(breaches().contains(Breach::kWrittenByOutsider));
}

TEST_F(Checker, NamesAnythingThatAnIntruderSaw) {
  talk(10);
  DeviceHistory& intruder = history.devices.emplace_back();
  intruder.user = UserId::trusted("bob");
  intruder.device = DeviceId::trusted("stolen");
  intruder.is_intruder = true;
  intruder.shown.push_back(*shown()[2]);
  EXPECT_EQ(breaches(), std::set{Breach::kShownToOutsider});
}

TEST_F(Checker, NamesAMessageThatADeviceLacks) {
  talk(20);
  history.devices[kBob].shown.pop_back();
  EXPECT_EQ(breaches(), std::set{Breach::kNotDelivered});
}

TEST_F(Checker, NamesAnAcknowledgedMessageThatHistoryDoesNotTell) {
  talk(20);
  HistoryRead read{UserId::trusted("bob"), pair, {}};
  for (const ShownRecord* one : shown()) read.messages.push_back(*one);
  read.messages.erase(read.messages.begin() + 3);
  history.reads.push_back(read);
  EXPECT_EQ(breaches(), std::set{Breach::kNotInHistory});
}

TEST_F(Checker, NamesAnAcknowledgedMessageThatASyncDidNotTell) {
  talk(20);
  history.devices[kBob].untold.emplace_back(pair, Seq(3));
  EXPECT_EQ(breaches(), std::set{Breach::kNotTold});
  history.ends_late = true;
  EXPECT_EQ(breaches(), std::set<Breach>());
}

TEST_F(Checker, NamesWhatHistoryToldToAnOutsider) {
  talk(20);
  history.devices[kCarol].pried.push_back(*shown()[2]);
  EXPECT_EQ(breaches(), std::set{Breach::kShownToOutsider});
}

TEST_F(Checker, NamesWhatAnIntruderWrote) {
  talk(20);
  DeviceHistory& intruder = history.devices.emplace_back();
  intruder.user = UserId::trusted("bob");
  intruder.is_intruder = true;
  intruder.sent.push_back(history.devices[kBob].sent.back());
  EXPECT_EQ(breaches(), std::set{Breach::kWrittenByOutsider});
}

TEST_F(Checker, NamesWhatCameLateWhileNothingWasWrong) {
  talk(20);
  history.calm = true;
  history.devices[kBob].stayed = true;
  shown()[3]->at += std::chrono::seconds(6);
  EXPECT_EQ(breaches(), std::set{Breach::kMissedLive});
}

TEST_F(Checker, WantsWhatAPowerCutTookToBeTakenBack) {
  talk(20);
  const ShownRecord last = *shown().back();
  stored().pop_back();
  history.power_cut = MonotonicTime(std::chrono::seconds(1));
  EXPECT_EQ(breaches(), std::set{Breach::kLost});
  for (DeviceHistory& device : history.devices) {
    device.dropped.push_back({pair, last.seq, device.shown.size()});
  }
  EXPECT_EQ(breaches(), std::set<Breach>());
  for (DeviceHistory& device : history.devices) {
    for (SentRecord& sent : device.sent) sent.stored = sent.conversation == pair;
  }
  EXPECT_EQ(breaches(), std::set{Breach::kLost});
}

TEST_F(Checker, ExcusesNothingThatTheLogAfterThePowerCutAcknowledged) {
  talk(20);
  const ShownRecord last = *shown().back();
  stored().pop_back();
  history.power_cut = MonotonicTime(std::chrono::seconds(1));
  for (DeviceHistory& device : history.devices) {
    device.dropped.push_back({pair, last.seq, device.shown.size()});
    for (SentRecord& sent : device.sent) sent.first_generation = Generation(2);
  }
  EXPECT_EQ(breaches(), std::set{Breach::kLost});
}

TEST_F(Checker, NamesWhatWasRefusedAndIsThere) {
  talk(20);
  history.devices[kAlice].sent.back().outcome = SentRecord::Outcome::kRefused;
  EXPECT_EQ(breaches(), std::set{Breach::kRefusedButThere});
}

TEST_F(Checker, NamesWhatIsOpenAtTheEnd) {
  talk(20);
  history.devices[kAlice].sent.back().outcome = SentRecord::Outcome::kOpen;
  EXPECT_EQ(breaches(), std::set{Breach::kUnanswered});
}

TEST_F(Checker, NamesAnEntryThatTheDatabaseRefused) {
  talk(20);
  history.dead_entries = 1;
  EXPECT_EQ(breaches(), std::set{Breach::kDeadEntry});
}

}  // namespace
}  // namespace martlet::sim
