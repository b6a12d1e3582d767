#include "model/conversation.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace martlet {
namespace {

UserId user(std::string_view name) {
  return UserId::trusted(name);
}

TEST(Conversation, UsersAreInBytewiseOrder) {
  EXPECT_EQ(ConversationId::between(user("bob"), user("alice")).str(), "u:alice:bob");
  EXPECT_EQ(ConversationId::between(user("alice"), user("bob")).str(), "u:alice:bob");
  EXPECT_EQ(ConversationId::between(user("a"), user("B")).str(), "u:B:a");
  EXPECT_EQ(ConversationId::between(user("a-"), user("a")).str(), "u:a:a-");
}

TEST(Conversation, NotesToOneselfHaveOneUserTwice) {
  const auto notes = ConversationId::with_self(user("bob"));
  EXPECT_EQ(notes.str(), "u:bob:bob");
  EXPECT_EQ(notes.peer_of(user("bob")), user("bob"));
}

TEST(Conversation, KnowsItsUsers) {
  const auto conversation = ConversationId::between(user("bob"), user("alice"));
  EXPECT_FALSE(conversation.is_group());
  EXPECT_EQ(conversation.users(), std::pair(user("alice"), user("bob")));
  EXPECT_TRUE(conversation.has_user(user("alice")));
  EXPECT_TRUE(conversation.has_user(user("bob")));
  EXPECT_FALSE(conversation.has_user(user("ali")));
  EXPECT_EQ(conversation.peer_of(user("alice")), user("bob"));
  EXPECT_EQ(conversation.peer_of(user("bob")), user("alice"));
}

TEST(Conversation, GroupKnowsItsName) {
  const auto conversation = ConversationId::of_group(GroupId::trusted("team"));
  EXPECT_EQ(conversation.str(), "g:team");
  EXPECT_TRUE(conversation.is_group());
  EXPECT_EQ(conversation.group().str(), "team");
}

TEST(Conversation, WhatIsMadeCanBeParsed) {
  for (const char* text : {"u:alice:bob", "u:a:a", "u:B:a", "g:team", "g:-", "u:_:a"}) {
    const auto parsed = ConversationId::parse(text);
    ASSERT_TRUE(parsed.has_value()) << text;
    EXPECT_EQ(parsed->str(), text);
  }
}

TEST(Conversation, MalformedNamesAreRefused) {
  const std::string long_id(65, 'x');
  for (const std::string& text : std::vector<std::string>{
           "", "u", "u:", "g:", "u:a", "u:a:", "u::a", "u:b:a", "u:a:b:c", "u:a.b:c", "g:a b",
           "g:*", "x:a", "U:a:b", "u:a:b ", "g:a\n", "g:" + long_id, "u:a:" + long_id}) {
    EXPECT_FALSE(ConversationId::parse(text).has_value()) << text;
  }
}

TEST(ConversationDeathTest, MalformedTrustedNameIsABug) {
  EXPECT_DEATH(ConversationId::trusted("u:b:a"), "has_value");
  EXPECT_DEATH(ConversationId::of_group(GroupId::trusted("team")).users(), "is_group");
}

// The values are the contract: a shard that moves splits a conversation in two.
TEST(Shard, NeverChanges) {
  const auto shard = [](const char* text, std::uint16_t shards) {
    return shard_of(ConversationId::trusted(text), shards).value();
  };
  EXPECT_EQ(shard("u:alice:bob", 16), 11);
  EXPECT_EQ(shard("u:bob:bob", 16), 10);
  EXPECT_EQ(shard("g:team", 16), 5);
  EXPECT_EQ(shard("g:team", 1), 0);
}

TEST(Shard, SpreadsEvenly) {
  constexpr int kConversations = 16'000;
  std::vector<int> counts(16);
  for (int i = 0; i < kConversations; ++i) {
    const auto peer = user("user" + std::to_string(i));
    ++counts[shard_of(ConversationId::between(user("alice"), peer), 16).value()];
  }
  for (const int count : counts) EXPECT_NEAR(count, kConversations / 16, 150);
}

}  // namespace
}  // namespace martlet
