#pragma once

#include "edge/context.h"
#include "edge/fence.h"
#include "wire/envelopes.h"

namespace martlet::edge {

// What comes from the broker: answers to this edge, events for users, announcements of owners.
// Drops what an owner says that has lost its shard. Loop thread.
class BusInbox {
 public:
  explicit BusInbox(EdgeContext& edge) : edge_(edge) {}

  void on_to_edge(BytesView payload);
  void on_to_user(const UserId& user, BytesView payload);
  void on_to_group(const GroupId& group, BytesView payload);
  void on_owner(BytesView payload);

 private:
  void on_answers(const wire::AnswerBatch& batch);
  void on_answer(const wire::Answer& answer, Generation generation);
  static void give(ClientLink& link, const wire::Answer& answer, Generation generation);
  void on_stored(ClientLink& link, const wire::Answer& answer);
  void on_kick(const wire::KickSession& kick);
  void on_event(const UserId& user, const wire::Event& event);
  bool accept(const wire::Event& event);
  ShardFence::Verdict see(ShardId shard, Ownership ownership);
  void on_kick_device(const UserId& user, const wire::KickDevice& kick);
  // The unanswered frames of the shard went to an owner that may be gone: again, at once.
  void on_new_owner(ShardId shard);
  void malformed(const char* what, const Error& error);

  EdgeContext& edge_;
  ShardFence fence_;
};

}  // namespace martlet::edge
