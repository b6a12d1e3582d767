#include "client/file_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>

#include "client/limits.h"
#include "client_test_support.h"

namespace martlet::client {
namespace {

class FileStoreTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "martlet_store_XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    directory_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  std::unique_ptr<FileStore> open() {
    Result<std::unique_ptr<FileStore>> store = FileStore::open(directory_);
    EXPECT_TRUE(store) << (store ? "" : store.error().detail);
    return store ? std::move(*store) : nullptr;
  }
  std::string file() const { return directory_ + "/device.jsonl"; }

  std::string directory_;
};

Credentials alice() {
  return {user("alice"), DeviceId::trusted("phone"), "access", "refresh", 123};
}

OutgoingMessage outgoing(std::uint64_t number) {
  OutgoingMessage m;
  m.to = user("bob");
  m.conversation = conversation();
  m.id = msg_id(number);
  m.content = Bytes("\0\xff bytes", 8);
  m.want = Strength::kStored;
  return m;
}

TEST_F(FileStoreTest, RemembersEverything) {
  const Cursor cursor{.shown = 3, .target = 9, .durable = 2, .generation = 4, .recent = {{3, 77}}};
  {
    const auto store = open();
    store->set_credentials(alice());
    store->set_cursor(conversation(), cursor);
    store->set_sync_token("token");
    store->add_send(outgoing(1));
    store->add_send(outgoing(2));
    store->remove_send(msg_id(1));
  }
  const auto store = open();
  EXPECT_EQ(store->state().credentials, alice());
  EXPECT_EQ(store->state().sync_token, "token");
  EXPECT_EQ(store->state().cursors.at(conversation()), cursor);
  ASSERT_EQ(store->state().sends.size(), 1U);
  EXPECT_EQ(store->state().sends[0].id, msg_id(2));
  EXPECT_EQ(store->state().sends[0].content, outgoing(2).content);
}

TEST_F(FileStoreTest, RemembersWhatGoesToGroups) {
  OutgoingMessage to_group = outgoing(1);
  to_group.to = {};
  to_group.conversation = conversation("g:team");
  const OutgoingChange change{GroupId::trusted("team"), msg_id(2),
                              MembersChange{MembersAction::kCreated,
                                            {user("bob"), user("carol")},
                                            GroupRole::kNone,
                                            "The \"Team\"",
                                            JoinPolicy::kAnyone,
                                            EarlierHistory::kShown}};
  OutgoingChange other = change;
  other.id = msg_id(3);
  {
    const auto store = open();
    store->add_send(to_group);
    store->add_change(change);
    store->add_change(other);
    store->remove_change(other.id);
  }
  open();  // rewritten
  const auto store = open();
  ASSERT_EQ(store->state().sends.size(), 1U);
  EXPECT_TRUE(store->state().sends[0].to.empty());
  EXPECT_EQ(store->state().sends[0].conversation, to_group.conversation);
  ASSERT_EQ(store->state().changes.size(), 1U);
  EXPECT_EQ(store->state().changes[0], change);
}

TEST_F(FileStoreTest, ShownMovesTheCursor) {
  open()->set_shown(conversation(), Seq(5), MessageId(50));
  const auto store = open();
  const Cursor& cursor = store->state().cursors.at(conversation());
  EXPECT_EQ(cursor.shown, 5U);
  EXPECT_EQ(cursor.recent.at(5), 50U);
}

TEST_F(FileStoreTest, AnotherUserStartsEmpty) {
  const auto store = open();
  store->set_credentials(alice());
  store->set_sync_token("token");
  Credentials other = alice();
  other.user = user("bob");
  store->set_credentials(other);
  EXPECT_EQ(store->state().sync_token, "");
}

TEST_F(FileStoreTest, NewTokensOfTheSameDeviceKeepTheRest) {
  const auto store = open();
  store->set_credentials(alice());
  store->set_sync_token("token");
  Credentials fresh = alice();
  fresh.access_token = "fresh";
  store->set_credentials(fresh);
  EXPECT_EQ(store->state().sync_token, "token");
}

TEST_F(FileStoreTest, LastLineCutShortIsDropped) {
  open()->set_sync_token("token");
  std::ofstream(file(), std::ios::app) << "{\"token\":\"bm90";
  EXPECT_EQ(open()->state().sync_token, "token");
}

TEST_F(FileStoreTest, StrangeFileIsRefused) {
  std::ofstream(file()) << "hello\n";
  EXPECT_FALSE(FileStore::open(directory_));
}

// A conversion would cut them off, or is undefined.
TEST_F(FileStoreTest, NumbersThatDoNotFitAreRefused) {
  for (const char* number : {"-1", "1.5", "1e300", "4294967296", "\"1\"", "null"}) {
    std::ofstream(file()) << R"({"cursor":{"conversation":"u:alice:bob","durable":0,"generation":)"
                          << number << R"(,"recent":[],"shown":0,"target":0}})" << '\n';
    EXPECT_FALSE(FileStore::open(directory_)) << number;
  }
}

TEST_F(FileStoreTest, SecondProcessIsRefused) {
  const auto store = open();
  const Result<std::unique_ptr<FileStore>> second = FileStore::open(directory_);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::kBusy);
}

TEST_F(FileStoreTest, StaysSmall) {
  const auto store = open();
  for (std::uint64_t seq = 1; seq <= 60'000; ++seq) {
    store->set_shown(conversation(), Seq(seq), MessageId(seq));
    if (seq % 100 == 0) store->set_cursor(conversation(), Cursor{.shown = seq, .target = seq});
  }
  EXPECT_LT(std::filesystem::file_size(file()), kJournalRewriteBytes + 4096);
  EXPECT_EQ(store->problem(), "");
}

TEST_F(FileStoreTest, FileIsForItsOwnerOnly) {
  const auto store = open();
  const auto mode = std::filesystem::status(file()).permissions();
  EXPECT_EQ(mode, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

// The child tells by a pipe what it has stored; what it told must be there after the kill.
TEST_F(FileStoreTest, KillLosesNothingThatWasSaid) {
  int pipe_fds[2];
  ASSERT_EQ(::pipe(pipe_fds), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const auto store = open();
    for (std::uint64_t seq = 1;; ++seq) {
      store->set_shown(conversation(), Seq(seq), MessageId(seq));
      if (::write(pipe_fds[1], &seq, sizeof seq) != sizeof seq) ::_exit(1);
    }
  }
  ::close(pipe_fds[1]);
  std::uint64_t told = 0;
  while (told < 5'000) ASSERT_EQ(::read(pipe_fds[0], &told, sizeof told), long{sizeof told});
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  for (std::uint64_t seq = 0; ::read(pipe_fds[0], &seq, sizeof seq) == long{sizeof seq};) {
    told = seq;
  }
  ::close(pipe_fds[0]);
  EXPECT_GE(open()->state().cursors.at(conversation()).shown, told);
}

}  // namespace
}  // namespace martlet::client
