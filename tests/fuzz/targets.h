#pragma once

#include <span>
#include <string_view>

#include "base/bytes.h"

// One function for each decoder of bytes that came from somewhere else. It gets any bytes at all
// and returns; a broken promise of the decoder ends the process by MARTLET_ASSERT, so that
// libFuzzer, which calls one of them for ever, keeps the input. corpus/<name>/ holds inputs that
// once mattered, and corpus_test.cc feeds them to the function in every run of the tests.
namespace martlet::fuzz {

void bus_envelope(BytesView input);
void client_body(BytesView input);
void config(BytesView input);
void content(BytesView input);
void frame_stream(BytesView input);
void jetstream(BytesView input);
void journal(BytesView input);
void jwt(BytesView input);
void lease_record(BytesView input);
void log_batch(BytesView input);
void names(BytesView input);
void nats_stream(BytesView input);
void proxy_header(BytesView input);
void rpc(BytesView input);
void session_json(BytesView input);
void sync_token(BytesView input);

struct Target {
  std::string_view name;
  void (*run)(BytesView);
};

inline constexpr Target kTargets[] = {
    {"bus_envelope", bus_envelope},
    {"client_body", client_body},
    {"config", config},
    {"content", content},
    {"frame_stream", frame_stream},
    {"jetstream", jetstream},
    {"journal", journal},
    {"jwt", jwt},
    {"lease_record", lease_record},
    {"log_batch", log_batch},
    {"names", names},
    {"nats_stream", nats_stream},
    {"proxy_header", proxy_header},
    {"rpc", rpc},
    {"session_json", session_json},
    {"sync_token", sync_token},
};

}  // namespace martlet::fuzz
