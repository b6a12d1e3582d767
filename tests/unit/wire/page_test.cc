// docs/protocol.md against the code: schema, commands, errors, limits, vectors.
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

#include "base/error.h"
#include "wire/bodies.h"
#include "wire/commands.h"
#include "wire/frame.h"
#include "wire/json_codec.h"
#include "wire/limits.h"

namespace martlet::wire {
namespace {

std::string read_file(const std::string& name) {
  std::ifstream file(std::string(MARTLET_SOURCE_ROOT) + "/" + name, std::ios::binary);
  EXPECT_TRUE(file.is_open()) << name;
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

const std::string& page() {
  static const std::string kPage = read_file("docs/protocol.md");
  return kPage;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

// The text between a heading and the next one of the same level.
std::string section(const std::string& heading) {
  const std::size_t begin = page().find("\n## " + heading + "\n");
  EXPECT_NE(begin, std::string::npos) << heading;
  if (begin == std::string::npos) return {};
  return page().substr(begin, page().find("\n## ", begin + 1) - begin);
}

// The rows of the tables of a section of which the first cell is a number.
std::vector<std::string> numbered_rows(const std::string& heading) {
  std::vector<std::string> rows;
  for (const std::string& line : lines_of(section(heading))) {
    if (line.size() > 2 && line.starts_with("| ") && std::isdigit(line[2]) != 0) {
      rows.push_back(line);
    }
  }
  return rows;
}

// They have their numbers, but clients are not sent them yet.
bool is_reserved(ErrorCode code) {
  return code == ErrorCode::kTooManyUnanswered || code == ErrorCode::kShuttingDown;
}

TEST(ProtocolPage, HasEveryErrorCode) {
  std::vector<std::string> expected;
  for (const ErrorCode code : all_error_codes()) {
    expected.push_back("| " + std::to_string(static_cast<int>(code)) + " | " +
                       std::string(error_name(code)) + " | " + (is_retryable(code) ? "yes" : "no") +
                       " | " + std::string(error_text(code)) +
                       (is_reserved(code) ? " (reserved) |" : " |"));
  }
  EXPECT_EQ(numbered_rows("Errors"), expected);
}

std::string row_of(const CommandInfo& info) {
  char number[32];
  const auto value = static_cast<unsigned>(info.command);
  std::snprintf(number, sizeof number, "| %u | 0x%04x | ", value, value);
  std::string row = number + std::string(info.name) + " | ";
  if (is_request(info.command)) {
    return row + "request | " + std::string(info.table) + " | " +
           std::string(find_command(answer_to(info.command))->name) + " | " +
           (info.needs_auth ? "yes" : "no") + " |";
  }
  return row + (is_event(info.command) ? "event | " : "answer | ") + std::string(info.table) +
         " | | |";
}

TEST(ProtocolPage, HasEveryCommand) {
  std::vector<std::string> expected;
  for (const CommandInfo& info : all_commands()) expected.push_back(row_of(info));
  EXPECT_EQ(numbered_rows("Commands"), expected);
}

TEST(ProtocolPage, HasTheSchemaWordForWord) {
  int found = 0;
  for (const char* file : {"schemas/client.fbs", "schemas/ids.fbs"}) {
    const std::string schema = read_file(file);
    const std::regex definition("\n((?:table|enum|struct) (\\w+) [^}]*\\})");
    for (std::sregex_iterator it(schema.begin(), schema.end(), definition), end; it != end; ++it) {
      if ((*it)[2] == "Command") continue;  // a table of its own
      ++found;
      EXPECT_NE(page().find((*it)[1]), std::string::npos) << (*it)[2];
    }
  }
  EXPECT_GT(found, 35);
}

std::string with_commas(std::uint64_t number) {
  std::string text = std::to_string(number);
  for (std::size_t i = text.size(); i > 3; i -= 3) text.insert(i - 3, ",");
  return text;
}

TEST(ProtocolPage, HasTheLimitsOfTheCode) {
  const std::string limits = section("Limits");
  for (const std::uint64_t limit : {std::uint64_t{kMaxBodyBytes},
                                    std::uint64_t{kMaxAnswerBytes},
                                    std::uint64_t{kMaxJsonAnswerBytes},
                                    std::uint64_t{kMaxJsonDepth},
                                    std::uint64_t{kMaxIdBytes},
                                    std::uint64_t{kMinPasswordBytes},
                                    std::uint64_t{kMaxPasswordBytes},
                                    std::uint64_t{kMaxLabelBytes},
                                    std::uint64_t{kMaxUrlBytes},
                                    std::uint64_t{kMaxSeq},
                                    std::uint64_t{kMaxRangesPerFetch},
                                    std::uint64_t{kMaxRangeSeqs},
                                    std::uint64_t{kFetchPageMessages},
                                    std::uint64_t{kHistoryPageMessages},
                                    std::uint64_t{kMaxHistoryPageMessages},
                                    std::uint64_t{kFirstSyncMessages},
                                    std::uint64_t{kMaxGroupMembers},
                                    std::uint64_t{kMaxUsersPerChange},
                                    std::uint64_t{kMaxGroupsPerUser},
                                    std::uint64_t{kMaxTitleBytes},
                                    std::uint64_t{kGroupPageMembers},
                                    std::uint64_t{kMaxGroupPageMembers},
                                    std::uint64_t{kGroupPageGroups}}) {
    EXPECT_NE(limits.find(with_commas(limit)), std::string::npos) << limit;
  }
}

// ---- vectors ------------------------------------------------------------------------------

using Vector = std::map<std::string, std::string>;

std::vector<Vector> read_vectors() {
  std::vector<Vector> vectors;
  bool is_inside = false;
  std::string key;
  for (const std::string& line : lines_of(page())) {
    if (line == "```vector") {
      vectors.emplace_back();
      is_inside = true;
    } else if (line == "```") {
      is_inside = false;
    } else if (is_inside && line.starts_with("       ")) {
      vectors.back()[key] += line.substr(7);
    } else if (is_inside) {
      key = line.substr(0, line.find(": "));
      vectors.back()[key] = line.substr(key.size() + 2);
    }
  }
  return vectors;
}

Bytes frame_of(const Vector& vector) {
  const auto frame = base::from_hex(vector.at("frame"));
  EXPECT_TRUE(frame.has_value()) << vector.at("name");
  return frame.value_or(Bytes());
}

template <class Parsed>
ErrorCode code_of(const Result<Parsed>& result) {
  return result ? ErrorCode::kNone : result.error().code;
}

ErrorCode parse(Command command, BytesView body) {
  switch (command) {
    case Command::Ping:
      return code_of(parse_ping(body));
    case Command::Register:
      return code_of(parse_register(body));
    case Command::Auth:
      return code_of(parse_auth(body));
    case Command::Refresh:
      return code_of(parse_refresh(body));
    case Command::Send:
      return code_of(parse_send(body));
    case Command::Fetch:
      return code_of(parse_fetch(body));
    case Command::Typing:
      return code_of(parse_typing(body));
    default:
      if (is_group_change(command)) return code_of(parse_group_change(command, body));
      ADD_FAILURE() << "no parser here for " << static_cast<int>(command);
      return ErrorCode::kNone;
  }
}

// What an edge makes of the bytes.
ErrorCode refusal_of(BytesView input) {
  FrameDecoder decoder(kMaxBodyBytes);
  const auto frame = decoder.next(input);
  if (!frame) return frame.error().code;
  if (!frame->has_value()) return ErrorCode::kNone;
  const auto command = static_cast<Command>((*frame)->header.command);
  if (find_command(command) == nullptr) return ErrorCode::kUnknownCommand;
  Bytes storage;
  const auto body = open_body(**frame, kMaxBodyBytes, storage);
  if (!body) return body.error().code;
  if ((*frame)->header.codec == Codec::kFlatBuffers) return parse(command, *body);
  const auto transcoded = json_to_body(command, *body, kMaxBodyBytes);
  return transcoded ? parse(command, *transcoded) : transcoded.error().code;
}

void replay(const Vector& vector) {
  SCOPED_TRACE(vector.at("name"));
  const Bytes bytes = frame_of(vector);
  BytesView input = bytes;
  FrameDecoder decoder(kMaxAnswerBytes);
  const auto frame = decoder.next(input);
  ASSERT_TRUE(frame && frame->has_value());
  EXPECT_TRUE(input.empty());
  const FrameHeader& header = (*frame)->header;
  const auto command = static_cast<Command>(header.command);
  EXPECT_EQ(std::to_string(static_cast<int>(header.codec)), vector.at("codec"));
  EXPECT_EQ(std::to_string(header.command) + " " + proto::EnumNameCommand(command),
            vector.at("command"));
  EXPECT_EQ(std::to_string(header.flags), vector.at("flags"));
  EXPECT_EQ(std::to_string(header.request_id), vector.at("request_id"));

  Bytes storage;
  const auto body = open_body(**frame, kMaxAnswerBytes, storage);
  ASSERT_TRUE(body) << body.error().detail;
  const std::string& text = vector.at("body");
  if (header.codec == Codec::kFlatBuffers) {
    EXPECT_EQ(body_to_json(command, *body).value(), text);
    return;
  }
  EXPECT_EQ(*body, text);
  const auto flat = json_to_body(command, *body, kMaxAnswerBytes);
  ASSERT_TRUE(flat) << flat.error().detail;
  EXPECT_EQ(body_to_json(command, *flat).value(), text);
  if (header.flags == 0) {
    EXPECT_EQ(encode_frame(header, text), bytes);
  }
}

TEST(ProtocolPage, VectorsMeanWhatThePageSays) {
  int replayed = 0;
  for (const Vector& vector : read_vectors()) {
    if (vector.contains("error")) continue;
    ++replayed;
    replay(vector);
  }
  EXPECT_GE(replayed, 18);
}

TEST(ProtocolPage, BadFramesAreRefusedAsThePageSays) {
  int replayed = 0;
  for (const Vector& vector : read_vectors()) {
    if (!vector.contains("error")) continue;
    ++replayed;
    EXPECT_EQ(error_name(refusal_of(frame_of(vector))), vector.at("error")) << vector.at("name");
  }
  EXPECT_GE(replayed, 21);
}

}  // namespace
}  // namespace martlet::wire
