#include "tools/trace.h"

#include <algorithm>
#include <cctype>
#include <cstdio>

#include "tools/api.h"

namespace martlet::tools {
namespace {

using nlohmann::json;

constexpr std::size_t kUuidDigits = 32;

const json& list_of(const json& object, const char* field) {
  static const json kNone = json::array();
  const auto found = object.find(field);
  return found != object.end() && found->is_array() ? *found : kNone;
}

bool are_all(const std::string& text, int (*is_one)(int)) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [is_one](char c) {
    return is_one(static_cast<unsigned char>(c)) != 0;
  });
}

std::string padded(std::string text, std::size_t width) {
  if (text.size() < width) text.append(width - text.size(), ' ');
  return text;
}

// "2026-11-23T08:00:00.000123Z"
std::string utc_us(std::uint64_t us) {
  char fraction[16];
  std::snprintf(fraction, sizeof fraction, ".%06uZ", static_cast<unsigned>(us % 1'000'000));
  std::string text = utc(us / 1000);
  text.pop_back();
  return text + fraction;
}

std::string process_of(const json& hop) {
  const std::string name = text_of(hop, "process");
  return (name.empty() ? text_of(hop, "service") : name) + " (" + text_of(hop, "instance") + ")";
}

std::string remarks_of(const json& hop) {
  std::string text;
  for (const char* field : {"times", "entries", "position", "subjects", "sessions"}) {
    if (hop.contains(field))
      text += std::string(" ") + field + "=" + std::to_string(number_of(hop, field));
  }
  for (const char* field : {"user", "error"}) {
    if (const std::string value = text_of(hop, field); !value.empty()) {
      text += std::string(" ") + field + "=" + value;
    }
  }
  if (const auto us = number_of(hop, "impossible_us"); us > 0) {
    text += " impossible: " + std::to_string(us) +
            " us before what it follows, the clocks of the two differ";
  }
  return text;
}

std::string hops_text(const json& message) {
  std::string text =
      "  " + padded("time", 29) + padded("+us", 10) + padded("hop", 31) + "process\n";
  std::uint64_t before = 0;
  for (const json& hop : list_of(message, "hops")) {
    const std::uint64_t now = number_of(hop, "time_us");
    const std::string since = before == 0 ? "" : "+" + std::to_string(now - before);
    before = now;
    text += "  " + padded(utc_us(now), 29) + padded(since, 10) + padded(text_of(hop, "hop"), 31) +
            process_of(hop) + remarks_of(hop) + "\n";
  }
  if (const auto more = number_of(message, "hops_left_out"); more > 0) {
    text += "  and " + std::to_string(more) + " more hops\n";
  }
  if (const auto lost = number_of(message, "hops_dropped"); lost > 0) {
    text += "  these processes had no room for " + std::to_string(lost) +
            " hops since they started: some may be missing here\n";
  }
  return text;
}

std::string members_text(const json& durable) {
  std::string text;
  for (const json& member : list_of(durable, "members")) {
    std::string state = is_true(member, "sees") ? "sees it" : "withheld";
    if (is_true(member, "read")) state += ", read";
    if (!is_true(member, "member")) state += ", a member no more";
    text += "    " + padded(text_of(member, "user"), 24) + " " + state + " (cursor at " +
            std::to_string(number_of(member, "read_seq")) + ")\n";
  }
  const std::size_t shown = list_of(durable, "members").size();
  const std::uint64_t all = number_of(durable, "members_count");
  if (all > shown) text += "    and " + std::to_string(all - shown) + " more\n";
  return text;
}

std::string durable_text(const json& durable) {
  const std::uint64_t ms = number_of(durable, "time_ms");
  std::string when = utc_us(ms * 1000);  // known to the millisecond
  when.erase(when.size() - 4, 3);
  std::string text =
      "  appended " + when + ", shard " + std::to_string(number_of(durable, "shard")) +
      ", log position " + std::to_string(number_of(durable, "position")) + ", generation " +
      std::to_string(number_of(durable, "generation")) + ", " + text_of(durable, "kind") + " of " +
      std::to_string(number_of(durable, "bytes")) + " bytes\n";
  text += "  stored (watermark " + std::to_string(number_of(durable, "watermark")) + ")";
  const auto in_log = durable.find("in_log");
  const bool is_told = in_log != durable.end() && in_log->is_boolean();
  if (is_told) text += in_log->get<bool>() ? ", and still in the log" : ", no more in the log";
  if (is_true(durable, "removed")) text += "; the database refused its content";
  return text + "\n" + members_text(durable);
}

std::string message_text(const json& message) {
  const bool has_hops = text_of(message, "shows") == "hops";
  std::string text = "not recorded: what is durable\n";
  if (has_hops) {
    text = std::string("recorded: hop by hop, ") +
           (is_true(message, "flagged") ? "as its sender asked" : "chosen by chance") + "\n";
  }
  const std::uint64_t seq = number_of(message, "seq");
  const std::string conversation = text_of(message, "conversation");
  text += (conversation.empty() ? "conversation unknown" : conversation) +
          (seq > 0 ? " seq=" + std::to_string(seq) : " without a seq") + " from " +
          text_of(message, "sender") + " message_id=" + text_of(message, "message_id") +
          " client_msg_id=" + text_of(message, "client_msg_id") + "\n";
  if (has_hops) text += hops_text(message);
  const auto durable = message.find("durable");
  const bool is_durable = durable != message.end() && durable->is_object();
  return text + (is_durable ? durable_text(*durable) : "  not stored, as far as is known\n");
}

}  // namespace

Result<std::string> trace_path(const std::string& what) {
  if (const std::size_t colon = what.rfind(':'); colon != what.npos) {
    const std::string seq = what.substr(colon + 1);
    const auto conversation = ConversationId::parse(what.substr(0, colon));
    if (!conversation || !are_all(seq, &isdigit)) {
      return fail(ErrorCode::kBadId, "not CONVERSATION:SEQ: " + what);
    }
    return "/v1/trace?conversation=" + conversation->str() + "&seq=" + seq;
  }
  std::string digits = what;
  std::erase(digits, '-');
  if (digits.size() == kUuidDigits && are_all(digits, &isxdigit)) {
    return "/v1/trace?client_msg_id=" + digits;
  }
  if (are_all(what, &isdigit)) return "/v1/trace?message=" + what;
  return fail(ErrorCode::kBadId,
              "neither a message id, CONVERSATION:SEQ, nor a client_msg_id: " + what);
}

std::string trace_text(const json& page) {
  std::string text;
  if (is_true(page, "behind")) {
    const std::string why = text_of(page, "text");
    text = "behind: the database has not stored all that is in the logs" +
           (why.empty() ? "" : " (" + why + ")") + "\n";
  }
  for (const json& message : list_of(page, "messages")) {
    if (!text.empty()) text += "\n";
    text += message_text(message);
  }
  if (list_of(page, "messages").empty()) text += "not found yet, it may be in the log: ask again\n";
  return text;
}

Exit trace(const ToolOptions& options, const std::string& what) {
  const auto path = trace_path(what);
  if (!path) {
    complain(path.error());
    return Exit::kUsage;
  }
  const auto page = ask_api(options, {*path});
  if (!page) return fail_asking(options, page.error());
  const std::string text = options.json ? page->dump() + "\n" : trace_text(*page);
  std::printf("%s", text.c_str());
  return list_of(*page, "messages").empty() ? Exit::kUnreachable : Exit::kOk;
}

}  // namespace martlet::tools
