#include "wire/commands.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace martlet::wire {
namespace {

TEST(Commands, EveryCommandOfTheSchemaIsListedOnceInOrder) {
  std::vector<Command> expected;
  for (const Command command : proto::EnumValuesCommand()) {
    if (command != Command::None) expected.push_back(command);
  }
  std::vector<Command> listed;
  for (const CommandInfo& info : all_commands()) listed.push_back(info.command);
  EXPECT_EQ(listed, expected);
}

TEST(Commands, NamesAreThoseOfTheSchema) {
  for (const CommandInfo& info : all_commands()) {
    EXPECT_EQ(info.name, proto::EnumNameCommand(info.command));
  }
}

TEST(Commands, FoundByNumberAndByName) {
  EXPECT_EQ(find_command(std::uint16_t{16})->command, Command::Send);
  EXPECT_EQ(find_command("FetchPage")->command, Command::FetchPage);
  EXPECT_EQ(find_command(std::uint16_t{0}), nullptr);
  EXPECT_EQ(find_command(std::uint16_t{0x1234}), nullptr);
  EXPECT_EQ(find_command("Nothing"), nullptr);
}

TEST(Commands, EachIsARequestAnEventOrAnAnswer) {
  for (const CommandInfo& info : all_commands()) {
    const int kinds = is_request(info.command) + is_event(info.command) + is_answer(info.command);
    EXPECT_EQ(kinds, 1) << info.name;
  }
}

TEST(Commands, EveryRequestHasAnAnswer) {
  for (const CommandInfo& info : all_commands()) {
    if (!is_request(info.command)) continue;
    EXPECT_NE(find_command(answer_to(info.command)), nullptr) << info.name;
  }
}

TEST(Commands, OnlyAccountsAndThePulseNeedNoAuth) {
  for (const CommandInfo& info : all_commands()) {
    if (!is_request(info.command)) continue;
    EXPECT_EQ(info.needs_auth, static_cast<int>(info.command) >= 16) << info.name;
  }
}

TEST(Commands, GarbageVerifiesForNone) {
  for (const CommandInfo& info : all_commands()) {
    EXPECT_FALSE(verify_body(info.command, std::string(40, '\xFF'))) << info.name;
    EXPECT_FALSE(verify_body(info.command, "{}")) << info.name;
  }
}

}  // namespace
}  // namespace martlet::wire
