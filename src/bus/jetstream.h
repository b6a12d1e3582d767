#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"

// The requests and answers of JetStream's API that we use, as JSON. No I/O. Why we speak it
// ourselves: docs/adr/0002.
namespace martlet::bus::jetstream {

// What a refusal says; code 0: the answer could not be read.
struct ApiError {
  int code = 0;      // as in HTTP
  int err_code = 0;  // the server's own, see below
  std::string description;
};

inline constexpr int kStreamNotFound = 10059;
inline constexpr int kStreamNameInUse = 10058;
inline constexpr int kWrongLastSequence = 10071;
inline constexpr int kNoMessageFound = 10037;

template <class T>
using ApiResult = tl::expected<T, ApiError>;

Error to_error(const ApiError& error);

struct StreamConfig {
  std::string name;
  std::string subject;
  int replicas = 1;
  std::int64_t max_bytes = -1;
  std::int64_t max_message_bytes = -1;
  // A key-value bucket in the official layout: one value for each subject.
  bool key_value = false;
};

struct StreamState {
  std::string name;
  std::uint64_t first = 1;  // last + 1 when empty
  std::uint64_t last = 0;
  std::uint64_t bytes = 0;
};

struct StoredMessage {
  Bytes payload;  // empty for a deleted key
  std::uint64_t sequence = 0;
};

// Subjects of the API.
std::string create_stream_subject(std::string_view stream);
std::string update_stream_subject(std::string_view stream);
std::string stream_info_subject(std::string_view stream);
std::string purge_subject(std::string_view stream);
std::string list_subject();
std::string get_message_subject(std::string_view stream);
std::string create_consumer_subject(std::string_view stream);
std::string delete_consumer_subject(std::string_view stream, std::string_view consumer);
std::string next_subject(std::string_view stream, std::string_view consumer);

// Bodies of requests.
std::string stream_config(const StreamConfig& config);
std::string purge_below(std::uint64_t sequence);
std::string list_by_subject(std::string_view subject, std::size_t offset);
std::string last_of_subject(std::string_view subject);
// An ephemeral pull consumer without acknowledgements.
std::string consumer_from(std::string_view stream, std::uint64_t sequence, Duration idle_life);
// expires zero: only what is there now.
std::string next_batch(std::size_t messages, std::size_t max_bytes, Duration expires);

// Answers.
ApiResult<void> parse_success(BytesView json);
ApiResult<std::uint64_t> parse_ack(BytesView json);  // the sequence that was written
ApiResult<StreamState> parse_stream(BytesView json);
// How the stream of a STREAM.INFO differs from what it should be.
enum class Difference : std::uint8_t { kNone, kMaxBytes, kOther };
ApiResult<Difference> compare_stream(BytesView json, const StreamConfig& wanted);
// In words, which settings: "discard is old, not new".
ApiResult<std::vector<std::string>> stream_differences(BytesView json, const StreamConfig& wanted);
struct StreamPage {
  std::vector<StreamState> streams;
  std::vector<std::string> missing;  // exist, but the servers that have them do not answer
  std::size_t total = 0;
};
ApiResult<StreamPage> parse_stream_page(BytesView json);
ApiResult<StoredMessage> parse_message(BytesView json);
ApiResult<std::string> parse_consumer_name(BytesView json);

// What the reply subject of a delivered message tells ("$JS.ACK…", both layouts).
struct Delivery {
  std::uint64_t stream_sequence = 0;
  std::uint64_t pending = 0;  // how many more there were at that moment
};
std::optional<Delivery> parse_delivery(std::string_view reply);

}  // namespace martlet::bus::jetstream
