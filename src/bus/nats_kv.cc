#include "bus/nats_kv.h"

#include <utility>

#include "bus/jetstream.h"
#include "bus/nats_log_reader.h"
#include "bus/subjects.h"
#include "lib/nats/message.h"

namespace martlet::bus {
namespace {

namespace js = jetstream;

constexpr Duration kTimeout = std::chrono::seconds(2);

Result<std::uint64_t> read_revision(Result<const nats::Message*> answer) {
  if (!answer) return tl::unexpected(answer.error());
  if ((*answer)->status() == nats::kNoResponders) {
    return fail(ErrorCode::kUnavailable, "there is no such bucket");
  }
  const auto ack = js::parse_ack((*answer)->payload());
  if (!ack) return tl::unexpected(js::to_error(ack.error()));
  return *ack;
}

}  // namespace

NatsKv::NatsKv(NatsBus& bus, std::string bucket)
    : bus_(bus),
      bucket_(std::move(bucket)),
      stream_(subject::bucket_stream(bucket_)),
      prefix_(subject::bucket(bucket_)) {}

js::StreamConfig kv_stream(std::string_view bucket, int replicas) {
  js::StreamConfig config;
  config.name = subject::bucket_stream(bucket);
  config.subject = subject::bucket(bucket) + ">";
  config.replicas = replicas;
  config.key_value = true;
  return config;
}

void NatsKv::ensure(int replicas, Ensured callback) {
  ensure_stream(bus_, kv_stream(bucket_, replicas),
                [callback = std::move(callback)](const Result<js::StreamState>& stream) {
                  callback(stream.map([](const js::StreamState& state) { return state.last > 0; }));
                });
}

void NatsKv::get(std::string_view key, Got callback) {
  ask_jetstream(bus_, js::get_message_subject(stream_),
                js::last_of_subject(prefix_ + std::string(key)), kTimeout,
                [key = std::string(key), callback = std::move(callback)](Result<BytesView> answer) {
                  if (!answer) return callback(tl::unexpected(answer.error()));
                  auto message = js::parse_message(*answer);
                  if (message) {
                    return callback(KvEntry{key, std::move(message->payload), message->sequence});
                  }
                  if (message.error().err_code == js::kNoMessageFound)
                    return callback(std::nullopt);
                  callback(tl::unexpected(js::to_error(message.error())));
                });
}

void NatsKv::put(std::string_view key, BytesView value, Put callback) {
  write(key, {}, value, std::move(callback));
}

void NatsKv::update(std::string_view key, BytesView value, std::uint64_t expected, Put callback) {
  const nats::Header header = {"Nats-Expected-Last-Subject-Sequence", std::to_string(expected)};
  write(key, {&header, 1}, value, std::move(callback));
}

void NatsKv::write(std::string_view key, std::span<const nats::Header> headers, BytesView value,
                   Put callback) {
  const std::string subject = prefix_ + std::string(key);
  bus_.ask({subject, headers, value, kTimeout},
           [callback = std::move(callback)](Result<const nats::Message*> answer) {
             callback(read_revision(std::move(answer)));
           });
}

void NatsKv::on_write(std::function<void(std::string_view key, BytesView value)> listener) {
  writes_ = bus_.subscribe_messages(
      prefix_ + ">", Priority::kAnswers,
      [skip = prefix_.size(), listener = std::move(listener)](const nats::Message& message) {
        listener(message.subject().substr(skip), message.payload());
      });
}

}  // namespace martlet::bus
