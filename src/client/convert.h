#pragma once

#include "client/sync_engine.h"
#include "wire/bodies.h"

// Between wire's views, which die with the frame, and the client's values.
namespace martlet::client {

Message to_message(const wire::Message& message);
Acknowledged to_acknowledged(const wire::Ack& ack);
SyncAnswer to_sync_answer(const wire::SyncPage& page);
FetchAnswer to_fetch_answer(const wire::FetchPage& page);
wire::Fetch to_fetch(const SyncEngine::AskFetch& ask);
wire::GroupChange to_group_change(const OutgoingChange& change, std::optional<Duration> age);
wire::Send to_send(const OutgoingMessage& message, std::optional<Duration> age,
                   std::optional<ClientMsgId> follows);

inline Strength to_strength(wire::AckLevel level) {
  return level == wire::AckLevel::Stored ? Strength::kStored : Strength::kLogged;
}

}  // namespace martlet::client
