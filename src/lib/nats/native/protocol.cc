#include "lib/nats/native/protocol.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <nlohmann/json.hpp>

namespace martlet::nats::native {
namespace {

constexpr std::string_view kEnd = "\r\n";
constexpr std::string_view kHeadersVersion = "NATS/1.0\r\n";
// HMSG: subject, subscription, reply, size of the headers, size of all.
constexpr std::size_t kMaxWords = 5;

tl::unexpected<Error> malformed(const char* what) {
  return fail(ErrorCode::kBadBody, std::string("NATS protocol: ") + what);
}

struct Words {
  std::array<std::string_view, kMaxWords> word;
  std::size_t count = 0;
};

// None: there are more than there may be.
std::optional<Words> split(std::string_view line) {
  Words words;
  while (true) {
    const std::size_t begin = line.find_first_not_of(" \t");
    if (begin == std::string_view::npos) return words;
    if (words.count == kMaxWords) return std::nullopt;
    line.remove_prefix(begin);
    const std::size_t size = std::min(line.find_first_of(" \t"), line.size());
    words.word[words.count++] = line.substr(0, size);
    line.remove_prefix(size);
  }
}

template <class Number>
std::optional<Number> number(std::string_view digits) {
  Number value = 0;
  const char* end = digits.data() + digits.size();
  const auto parsed = std::from_chars(digits.data(), end, value);
  if (parsed.ec != std::errc() || parsed.ptr != end) return std::nullopt;
  return value;
}

template <class Number>
void append_number(Bytes& out, Number value) {
  std::array<char, 20> digits{};
  const auto written = std::to_chars(digits.data(), digits.data() + digits.size(), value);
  out.append(digits.data(), written.ptr);
}

// "MSG <subject> <sid> [reply] <size>" or "HMSG <subject> <sid> [reply] <headers> <size>"; `rest`
// is what follows the line.
Result<std::optional<Operation>> take_message(std::string_view arguments, bool has_headers,
                                              BytesView& bytes, BytesView rest) {
  const auto words = split(arguments);
  const std::size_t least = has_headers ? 4 : 3;
  if (!words || words->count < least || words->count > least + 1)
    return malformed("a message's line has other words");
  const auto& word = words->word;
  const auto sid = number<SubscriptionId>(word[1]);
  const auto size = number<std::size_t>(word[words->count - 1]);
  const auto headers =
      has_headers ? number<std::size_t>(word[words->count - 2]) : std::optional<std::size_t>(0);
  if (!sid || !size || !headers || *headers > *size)
    return malformed("a message's line has no sizes");
  if (*size > kMaxMessageBytes) return malformed("a message is too large");
  if (rest.size() < *size + kEnd.size()) return std::nullopt;
  if (rest.substr(*size, kEnd.size()) != kEnd) return malformed("a message has no end");
  Operation operation;
  operation.kind = Operation::Kind::kMessage;
  operation.subscription = *sid;
  operation.message.subject = word[0];
  if (words->count > least) operation.message.reply = word[2];
  operation.message.headers = rest.substr(0, *headers);
  operation.message.payload = rest.substr(*headers, *size - *headers);
  bytes = rest.substr(*size + kEnd.size());
  return operation;
}

std::string_view without_quotes(std::string_view text) {
  if (text.starts_with('\'')) text.remove_prefix(1);
  if (text.ends_with('\'')) text.remove_suffix(1);
  return text;
}

}  // namespace

Result<std::optional<Operation>> take_operation(BytesView& bytes) {
  const std::size_t line_size = bytes.substr(0, kMaxLineBytes).find('\n');
  if (line_size == BytesView::npos) {
    if (bytes.size() >= kMaxLineBytes) return malformed("a line is too long");
    return std::nullopt;
  }
  std::string_view line = bytes.substr(0, line_size);
  if (line.ends_with('\r')) line.remove_suffix(1);
  const BytesView rest = bytes.substr(line_size + 1);
  const std::size_t space = std::min(line.find_first_of(" \t"), line.size());
  const std::string_view verb = line.substr(0, space);
  const std::string_view arguments = line.substr(std::min(space + 1, line.size()));
  if (verb == "MSG") return take_message(arguments, false, bytes, rest);
  if (verb == "HMSG") return take_message(arguments, true, bytes, rest);
  Operation operation;
  if (verb == "PING") {
    operation.kind = Operation::Kind::kPing;
  } else if (verb == "PONG") {
    operation.kind = Operation::Kind::kPong;
  } else if (verb == "INFO") {
    operation.kind = Operation::Kind::kInfo;
    operation.text = arguments;
  } else if (verb == "-ERR") {
    operation.kind = Operation::Kind::kError;
    operation.text = without_quotes(arguments);
  } else if (verb != "+OK") {
    return malformed("an unknown verb");
  }
  bytes = rest;
  return operation;
}

std::optional<ServerInfo> parse_info(std::string_view json) {
  const auto value = nlohmann::json::parse(json, nullptr, false);
  if (!value.is_object()) return std::nullopt;
  ServerInfo info;
  const auto max_payload = value.find("max_payload");
  if (max_payload == value.end() || !max_payload->is_number_integer()) return std::nullopt;
  info.max_payload = max_payload->get<std::int64_t>();
  const auto truth = [&value](const char* key) {
    const auto found = value.find(key);
    return found != value.end() && found->is_boolean() && found->get<bool>();
  };
  const auto version = value.find("version");
  if (version != value.end() && version->is_string()) info.version = version->get<std::string>();
  info.headers = truth("headers");
  info.jetstream = truth("jetstream");
  info.needs_tls = truth("tls_required");
  info.offers_tls = info.needs_tls || truth("tls_available");
  const auto urls = value.find("connect_urls");
  if (urls != value.end() && urls->is_array()) {
    for (const auto& url : *urls)
      if (url.is_string()) info.connect_urls.push_back(url.get<std::string>());
  }
  return info;
}

void append_connect(Bytes& out, const Credentials& credentials, std::string_view name) {
  nlohmann::json options = {
      {"verbose", false}, {"pedantic", false},     {"tls_required", false},
      {"lang", "c++"},    {"version", "1"},        {"protocol", 1},
      {"headers", true},  {"no_responders", true}, {"name", std::string(name)},
  };
  if (!credentials.user.empty()) options["user"] = credentials.user;
  if (!credentials.password.empty()) options["pass"] = credentials.password;
  if (!credentials.token.empty()) options["auth_token"] = credentials.token;
  using ErrorHandler = nlohmann::json::error_handler_t;
  out += "CONNECT ";
  out += options.dump(-1, ' ', false, ErrorHandler::replace);
  out += kEnd;
}

void append_publish(Bytes& out, const Outgoing& message) {
  std::size_t header_bytes = 0;
  if (!message.headers.empty()) {
    header_bytes = kHeadersVersion.size() + kEnd.size();
    for (const auto& [key, value] : message.headers)
      header_bytes += key.size() + 2 + value.size() + kEnd.size();
  }
  out += header_bytes > 0 ? "HPUB " : "PUB ";
  out += message.subject;
  out += ' ';
  if (!message.reply.empty()) {
    out += message.reply;
    out += ' ';
  }
  if (header_bytes > 0) {
    append_number(out, header_bytes);
    out += ' ';
  }
  append_number(out, header_bytes + message.payload.size());
  out += kEnd;
  if (header_bytes > 0) {
    out += kHeadersVersion;
    for (const auto& [key, value] : message.headers) {
      out += key;
      out += ": ";
      out += value;
      out += kEnd;
    }
    out += kEnd;
  }
  out += message.payload;
  out += kEnd;
}

void append_subscribe(Bytes& out, SubscriptionId id, std::string_view subject,
                      std::string_view queue_group) {
  out += "SUB ";
  out += subject;
  out += ' ';
  if (!queue_group.empty()) {
    out += queue_group;
    out += ' ';
  }
  append_number(out, id);
  out += kEnd;
}

void append_unsubscribe(Bytes& out, SubscriptionId id) {
  out += "UNSUB ";
  append_number(out, id);
  out += kEnd;
}

}  // namespace martlet::nats::native
