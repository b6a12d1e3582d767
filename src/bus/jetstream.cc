#include "bus/jetstream.h"

#include <spdlog/fmt/fmt.h>

#include <charconv>
#include <nlohmann/json.hpp>

namespace martlet::bus::jetstream {
namespace {

using Json = nlohmann::json;

// The least that servers accept; we never send message ids.
constexpr Duration kDuplicateWindow = std::chrono::milliseconds(100);

std::string api(std::string_view verb, std::string_view stream) {
  return fmt::format("$JS.API.{}.{}", verb, stream);
}

tl::unexpected<ApiError> unreadable() {
  return tl::unexpected(ApiError{0, 0, "the broker's answer could not be read"});
}

std::uint64_t number(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_number_unsigned() ? found->get<std::uint64_t>() : 0;
}

std::string text(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

// The answer as an object, or the refusal that it carries.
ApiResult<Json> parse(BytesView body) {
  Json json = Json::parse(body, nullptr, false);
  if (!json.is_object()) return unreadable();
  const auto error = json.find("error");
  if (error == json.end()) return json;
  if (!error->is_object()) return unreadable();
  return tl::unexpected(ApiError{static_cast<int>(number(*error, "code")),
                                 static_cast<int>(number(*error, "err_code")),
                                 text(*error, "description")});
}

std::optional<StreamState> read_stream(const Json& json) {
  const auto config = json.find("config");
  const auto state = json.find("state");
  if (config == json.end() || !config->is_object() || state == json.end() || !state->is_object()) {
    return std::nullopt;
  }
  StreamState result{text(*config, "name"), number(*state, "first_seq"), number(*state, "last_seq"),
                     number(*state, "bytes")};
  if (number(*state, "messages") == 0) result.first = result.last + 1;
  return result;
}

// The settings of the stream of a STREAM.INFO.
ApiResult<Json> config_of(BytesView body) {
  const auto json = parse(body);
  if (!json) return tl::unexpected(json.error());
  const auto config = json->find("config");
  if (config == json->end() || !config->is_object()) return unreadable();
  return *config;
}

}  // namespace

Error to_error(const ApiError& error) {
  const ErrorCode code = error.err_code == kWrongLastSequence ? ErrorCode::kConflict
                         : error.code == 404                  ? ErrorCode::kInternal
                                                              : ErrorCode::kUnavailable;
  return {code, fmt::format("JetStream: {} ({})", error.description, error.err_code)};
}

std::string create_stream_subject(std::string_view stream) {
  return api("STREAM.CREATE", stream);
}
std::string update_stream_subject(std::string_view stream) {
  return api("STREAM.UPDATE", stream);
}
std::string stream_info_subject(std::string_view stream) {
  return api("STREAM.INFO", stream);
}
std::string purge_subject(std::string_view stream) {
  return api("STREAM.PURGE", stream);
}
std::string list_subject() {
  return "$JS.API.STREAM.LIST";
}
std::string get_message_subject(std::string_view stream) {
  return api("STREAM.MSG.GET", stream);
}
std::string create_consumer_subject(std::string_view stream) {
  return api("CONSUMER.CREATE", stream);
}
std::string delete_consumer_subject(std::string_view stream, std::string_view consumer) {
  return fmt::format("$JS.API.CONSUMER.DELETE.{}.{}", stream, consumer);
}
std::string next_subject(std::string_view stream, std::string_view consumer) {
  return fmt::format("$JS.API.CONSUMER.MSG.NEXT.{}.{}", stream, consumer);
}

std::string stream_config(const StreamConfig& config) {
  Json json = {
      {"name", config.name},
      {"subjects", Json::array({config.subject})},
      {"retention", "limits"},
      {"storage", "file"},
      {"discard", "new"},
      {"max_consumers", -1},
      {"max_msgs", -1},
      {"max_bytes", config.max_bytes},
      {"max_age", 0},
      {"max_msg_size", config.max_message_bytes},
      {"num_replicas", config.replicas},
      {"duplicate_window", kDuplicateWindow.count()},
  };
  if (config.key_value) {
    json["max_msgs_per_subject"] = 1;
    json["allow_rollup_hdrs"] = true;
    json["deny_delete"] = true;
  }
  return json.dump();
}

std::string purge_below(std::uint64_t sequence) {
  return Json{{"seq", sequence}}.dump();
}

std::string list_by_subject(std::string_view subject, std::size_t offset) {
  return Json{{"subject", subject}, {"offset", offset}}.dump();
}

std::string last_of_subject(std::string_view subject) {
  return Json{{"last_by_subj", subject}}.dump();
}

std::string consumer_from(std::string_view stream, std::uint64_t sequence, Duration idle_life) {
  return Json{{"stream_name", stream},
              {"config",
               {{"deliver_policy", "by_start_sequence"},
                {"opt_start_seq", sequence},
                {"ack_policy", "none"},
                {"replay_policy", "instant"},
                {"mem_storage", true},
                {"inactive_threshold", idle_life.count()}}}}
      .dump();
}

std::string next_batch(std::size_t messages, std::size_t max_bytes, Duration expires) {
  Json json = {{"batch", messages}, {"max_bytes", max_bytes}};
  if (expires > Duration(0)) {
    json["expires"] = expires.count();
  } else {
    json["no_wait"] = true;
  }
  return json.dump();
}

ApiResult<void> parse_success(BytesView body) {
  return parse(body).map([](const Json&) {});
}

ApiResult<std::uint64_t> parse_ack(BytesView body) {
  const auto json = parse(body);
  if (!json) return tl::unexpected(json.error());
  const std::uint64_t sequence = number(*json, "seq");
  if (sequence == 0) return unreadable();
  return sequence;
}

ApiResult<StreamState> parse_stream(BytesView body) {
  const auto json = parse(body);
  if (!json) return tl::unexpected(json.error());
  const auto stream = read_stream(*json);
  if (!stream) return unreadable();
  return *stream;
}

ApiResult<Difference> compare_stream(BytesView body, const StreamConfig& wanted) {
  const auto config = config_of(body);
  if (!config) return tl::unexpected(config.error());
  Difference difference = Difference::kNone;
  const Json settings = Json::parse(stream_config(wanted));
  for (const auto& [name, value] : settings.items()) {
    const auto real = config->find(name);
    if (real != config->end() && *real == value) continue;
    if (name != "max_bytes") return Difference::kOther;
    difference = Difference::kMaxBytes;
  }
  return difference;
}

ApiResult<std::vector<std::string>> stream_differences(BytesView body, const StreamConfig& wanted) {
  const auto config = config_of(body);
  if (!config) return tl::unexpected(config.error());
  std::vector<std::string> differences;
  const Json settings = Json::parse(stream_config(wanted));
  for (const auto& [name, value] : settings.items()) {
    const auto real = config->find(name);
    if (real != config->end() && *real == value) continue;
    const std::string is = real == config->end() ? "not set" : real->dump();
    differences.push_back(fmt::format("{} is {}, not {}", name, is, value.dump()));
  }
  return differences;
}

ApiResult<StreamPage> parse_stream_page(BytesView body) {
  const auto json = parse(body);
  if (!json) return tl::unexpected(json.error());
  StreamPage page;
  page.total = number(*json, "total");
  const auto missing = json->find("missing");
  if (missing != json->end() && missing->is_array()) {
    for (const Json& name : *missing) {
      if (name.is_string()) page.missing.push_back(name.get<std::string>());
    }
  }
  const auto streams = json->find("streams");
  if (streams == json->end() || !streams->is_array()) return page;
  for (const Json& item : *streams) {
    const auto stream = item.is_object() ? read_stream(item) : std::nullopt;
    if (!stream) return unreadable();
    page.streams.push_back(*stream);
  }
  return page;
}

ApiResult<StoredMessage> parse_message(BytesView body) {
  const auto json = parse(body);
  if (!json) return tl::unexpected(json.error());
  const auto message = json->find("message");
  if (message == json->end() || !message->is_object()) return unreadable();
  const auto payload = base::from_base64(text(*message, "data"));
  const std::uint64_t sequence = number(*message, "seq");
  if (!payload || sequence == 0) return unreadable();
  return StoredMessage{*payload, sequence};
}

ApiResult<std::string> parse_consumer_name(BytesView body) {
  const auto json = parse(body);
  if (!json) return tl::unexpected(json.error());
  std::string name = text(*json, "name");
  if (name.empty()) return unreadable();
  return name;
}

// $JS.ACK.<stream>.<consumer>.<delivered>.<stream seq>.<consumer seq>.<time>.<pending>
// $JS.ACK.<domain>.<account>.<stream>.…<pending>[.<random>]
std::optional<Delivery> parse_delivery(std::string_view reply) {
  std::vector<std::string_view> tokens;
  for (std::size_t start = 0; start <= reply.size();) {
    const std::size_t end = std::min(reply.find('.', start), reply.size());
    tokens.push_back(reply.substr(start, end - start));
    start = end + 1;
  }
  if (tokens.size() < 9 || tokens[0] != "$JS" || tokens[1] != "ACK") return std::nullopt;
  if (tokens.size() == 10) return std::nullopt;
  const std::size_t shift = tokens.size() == 9 ? 0 : 2;
  const auto parse_token = [](std::string_view token, std::uint64_t& out) {
    const auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), out);
    return error == std::errc() && end == token.data() + token.size();
  };
  Delivery delivery;
  if (!parse_token(tokens[5 + shift], delivery.stream_sequence)) return std::nullopt;
  if (!parse_token(tokens[8 + shift], delivery.pending)) return std::nullopt;
  return delivery;
}

}  // namespace martlet::bus::jetstream
