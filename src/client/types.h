#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/error.h"
#include "model/conversation.h"
#include "model/group.h"
#include "model/ids.h"

namespace martlet::client {

// Values of the client library. They own their bytes: an application may keep them.

// A message as the application sees it. content: an encoded Content, see wire; empty if removed.
struct Message {
  ConversationId conversation;
  Seq seq;
  MessageId id;
  UserId sender;
  ClientMsgId client_msg_id;
  WallMs time_ms = 0;
  Bytes content;
  Generation generation;
  bool removed = false;
};

// How a message came: pushed, asked for, or sent by this very device and acknowledged.
enum class Origin : std::uint8_t { kLive, kFetched, kOwn };

// Both ends included; from <= to.
struct SeqRange {
  std::uint64_t from = 0;
  std::uint64_t to = 0;
  friend bool operator==(const SeqRange&, const SeqRange&) = default;
};

struct ConversationRange {
  ConversationId conversation;
  SeqRange seqs;
  friend bool operator==(const ConversationRange&, const ConversationRange&) = default;
};

// What a sender asks for: in the log, or also told when the database has it.
enum class Strength : std::uint8_t { kLogged, kStored };

// Whether the servers' people may see later what happened to a message: by chance, or always
// (docs/operations.md, "Where is my message?").
enum class Follow : std::uint8_t { kByChance, kAlways };

// A message on its way out.
struct OutgoingMessage {
  UserId to;  // empty: to the group of the conversation
  ConversationId conversation;
  ClientMsgId id;
  Bytes content;
  Strength want = Strength::kLogged;
  Follow follow = Follow::kByChance;
};

// Something that the user does to a group, on its way out.
struct OutgoingChange {
  GroupId group;
  ClientMsgId id;
  MembersChange change;
  friend bool operator==(const OutgoingChange&, const OutgoingChange&) = default;
};

struct Acknowledged {
  ClientMsgId id;
  ConversationId conversation;
  Seq seq;
  MessageId message_id;
  WallMs time_ms = 0;
  Strength level = Strength::kLogged;
  Generation generation;
};

// What SYNC tells of a conversation.
struct ConversationNews {
  ConversationId conversation;
  Seq last_seq;
  Seq read_seq;
  Seq peer_read_seq;
  Seq start_seq;  // a device that does not know the conversation begins here; 0: with all of it
  std::uint64_t unread = 0;
  Generation generation;
  bool former = false;          // the user is no longer a member; last_seq is the end of that
  Seq members_at;               // groups: the last change of membership
  std::vector<Message> newest;  // only in a first sync, oldest first
};

struct SyncAnswer {
  std::vector<ConversationNews> conversations;
  Bytes next_page;  // not empty: ask again with it
  Bytes token;      // on the last page
  bool behind = false;
  std::uint32_t again_in_ms = 0;
};

struct FetchAnswer {
  std::vector<Message> messages;
  std::vector<ConversationRange> withheld;
  std::vector<ConversationRange> remaining;
};

}  // namespace martlet::client
