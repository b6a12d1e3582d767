#include "dispatcher/parking.h"

#include <algorithm>
#include <unordered_set>
#include <utility>

#include "base/assert.h"
#include "dispatcher/limits.h"

namespace martlet::dispatcher {
namespace {

std::size_t cost_of(const SendFrame& frame) {
  const std::size_t bytes = sizeof(SendFrame) + frame.content.size();
  if (frame.act == nullptr) return bytes;
  // The names are here four times at most, and once more in the content.
  return bytes + sizeof(GroupAct) + frame.content.size() +
         4 * sizeof(UserId) * frame.act->newcomers.size();
}

}  // namespace

bool Parking::holds(const ConversationId& conversation, const UserId& sender) const {
  const auto room = rooms_.find(conversation.str());
  if (room == rooms_.end()) return false;
  const auto& frames = room->second.frames;
  return std::any_of(frames.begin(), frames.end(),
                     [&](const Waiting& waiting) { return waiting.frame.user == sender; });
}

bool Parking::has_room_for(const SendFrame& frame) const {
  if (frames_ >= max_frames_ || bytes_ + cost_of(frame) > kMaxParkedBytes) return false;
  const auto mine = by_user_.find(frame.user);
  return mine == by_user_.end() || mine->second < kMaxParkedFramesPerUser;
}

Parking::Parked Parking::park(SendFrame frame, Needs needs, MonotonicTime until) {
  const auto found = rooms_.find(frame.conversation.str());
  if (found != rooms_.end()) {
    for (const Waiting& waiting : found->second.frames) {
      if (waiting.frame.asker == frame.asker && waiting.frame.id == frame.id) {
        return Parked::kRepeat;
      }
    }
  }
  if (!has_room_for(frame)) return Parked::kFull;
  Room& room = rooms_[frame.conversation.str()];
  if (room.frames.empty()) room.conversation = frame.conversation;
  ++frames_;
  ++by_user_[frame.user];
  bytes_ += cost_of(frame);
  if (needs.head && room.head == Lookup::kNone) room.head = Lookup::kWanted;
  if (room.head == Lookup::kWanted || needs.lookup || needs.users) list(room);
  room.frames.push_back({std::move(frame), until, needs.lookup ? Lookup::kWanted : Lookup::kNone,
                         needs.users ? Lookup::kWanted : Lookup::kNone});
  return Parked::kYes;
}

void Parking::list(Room& room) {
  if (std::exchange(room.is_listed, true)) return;
  to_ask_.push_back(room.conversation.str());
}

bool Parking::collect(Room& room, wire::ColdQuestion& question) {
  asked_about_.push_back(room.conversation);
  if (room.head == Lookup::kWanted) {
    question.conversations.push_back(room.conversation);
    room.head = Lookup::kAsked;
  }
  std::unordered_set<std::string> here;  // copies of one message are asked once
  Users users;
  for (Waiting& waiting : room.frames) {
    const SendFrame& frame = waiting.frame;
    if (waiting.lookup == Lookup::kWanted) {
      if (here.insert(frame.user.str() + to_string(frame.id)).second) {
        if (question.items() >= kMaxColdItems) return false;
        question.messages.push_back({frame.conversation, frame.user, frame.id});
      }
      waiting.lookup = Lookup::kAsked;
    }
    if (waiting.users == Lookup::kWanted && !collect_users(waiting, users, question)) return false;
  }
  return true;
}

// All of a frame's users or none, so that one answer tells of them.
bool Parking::collect_users(Waiting& waiting, Users& asked, wire::ColdQuestion& question) {
  const std::vector<UserId>& newcomers = waiting.frame.act->newcomers;
  MARTLET_ASSERT(newcomers.size() <= kMaxColdItems);
  if (question.items() + newcomers.size() > kMaxColdItems) return false;
  const GroupId group = waiting.frame.conversation.group();
  for (const UserId& user : newcomers) {
    if (asked.insert(user).second) question.users.push_back({user, group});
  }
  waiting.users = Lookup::kAsked;
  return true;
}

std::optional<wire::ColdQuestion> Parking::next_question(ShardId shard, Generation generation,
                                                         LogPosition min_watermark) {
  if (asked_ || to_ask_.empty()) return std::nullopt;
  wire::ColdQuestion question{
      .shard = shard, .generation = generation, .min_watermark = min_watermark};
  asked_about_.clear();
  while (!to_ask_.empty() && question.items() < kMaxColdItems) {
    const auto room = rooms_.find(to_ask_.front());
    to_ask_.pop_front();
    if (room == rooms_.end()) continue;
    room->second.is_listed = false;
    if (collect(room->second, question)) continue;
    list(room->second);
    break;
  }
  if (question.items() == 0) return std::nullopt;
  asked_ = question;
  return question;
}

void Parking::question_failed() {
  MARTLET_ASSERT(asked_.has_value());
  asked_.reset();
  for (auto& [name, room] : rooms_) {
    bool wants = false;
    if (room.head == Lookup::kAsked) room.head = Lookup::kWanted;
    wants = room.head == Lookup::kWanted;
    for (Waiting& waiting : room.frames) {
      for (Lookup* lookup : {&waiting.lookup, &waiting.users}) {
        if (*lookup == Lookup::kAsked) *lookup = Lookup::kWanted;
        wants = wants || *lookup == Lookup::kWanted;
      }
    }
    if (wants) list(room);
  }
}

std::vector<ConversationId> Parking::question_answered(std::span<const wire::UserStatus> users) {
  MARTLET_ASSERT(asked_.has_value() && users.size() == asked_->users.size());
  for (const ConversationId& conversation : asked_->conversations) {
    const auto room = rooms_.find(conversation.str());
    if (room != rooms_.end()) room->second.head = Lookup::kNone;
  }
  for (const wire::MessageKey& key : asked_->messages) {
    const auto room = rooms_.find(key.conversation.str());
    if (room == rooms_.end()) continue;
    for (Waiting& waiting : room->second.frames) {
      if (waiting.frame.id != key.client_msg_id || waiting.frame.user != key.sender) continue;
      if (waiting.lookup != Lookup::kNone) waiting.lookup = Lookup::kDone;
    }
  }
  std::unordered_map<ConversationId, Statuses> told;
  for (std::size_t i = 0; i < users.size(); ++i) {
    const auto& [user, group] = asked_->users[i];
    told[ConversationId::of_group(group)].emplace(user, users[i]);
  }
  for (const auto& [conversation, statuses] : told) {
    const auto room = rooms_.find(conversation.str());
    if (room != rooms_.end()) tell_users(room->second, statuses);
  }
  asked_.reset();
  return std::exchange(asked_about_, {});
}

void Parking::tell_users(Room& room, const Statuses& told) {
  for (Waiting& waiting : room.frames) {
    if (waiting.users != Lookup::kAsked) continue;
    GroupAct& act = *waiting.frame.act;
    for (const UserId& user : act.newcomers) {
      const wire::UserStatus status = told.at(user);
      if (status == wire::UserStatus::kNoSuchUser) act.unknown.push_back(user);
      if (status == wire::UserStatus::kTooManyGroups) act.in_too_many.push_back(user);
      if (status == wire::UserStatus::kCameTooOften) act.came_too_often.push_back(user);
    }
    waiting.users = Lookup::kDone;
  }
}

void Parking::want_head(const ConversationId& conversation) {
  const auto room = rooms_.find(conversation.str());
  if (room == rooms_.end() || room->second.head != Lookup::kNone) return;
  room->second.head = Lookup::kWanted;
  list(room->second);
}

bool Parking::is_ready(const Waiting& waiting) {
  const auto is_known = [](Lookup lookup) {
    return lookup == Lookup::kNone || lookup == Lookup::kDone;
  };
  return is_known(waiting.lookup) && is_known(waiting.users);
}

std::vector<SendFrame> Parking::take_ready(const ConversationId& conversation) {
  std::vector<SendFrame> ready;
  const auto room = rooms_.find(conversation.str());
  if (room == rooms_.end()) return ready;
  room->second.head = Lookup::kNone;
  std::deque<Waiting> still;
  std::unordered_set<std::string> held;  // senders with an earlier frame that still waits
  for (Waiting& waiting : room->second.frames) {
    if (!is_ready(waiting) || held.contains(waiting.frame.user.str())) {
      held.insert(waiting.frame.user.str());
      still.push_back(std::move(waiting));
      continue;
    }
    left(waiting.frame);
    ready.push_back(std::move(waiting.frame));
  }
  room->second.frames = std::move(still);
  close_if_empty(conversation.str());
  return ready;
}

std::vector<SendFrame> Parking::take_all(const ConversationId& conversation) {
  std::vector<SendFrame> all;
  const auto room = rooms_.find(conversation.str());
  if (room == rooms_.end()) return all;
  for (Waiting& waiting : room->second.frames) {
    left(waiting.frame);
    all.push_back(std::move(waiting.frame));
  }
  rooms_.erase(room);
  return all;
}

std::vector<SendFrame> Parking::take_expired(MonotonicTime now) {
  std::vector<SendFrame> expired;
  std::vector<std::string> emptied;
  for (auto& [name, room] : rooms_) {
    // The oldest is in front, so most rooms need one look.
    if (room.frames.front().until > now) continue;
    std::deque<Waiting> still;
    std::unordered_set<std::string> refused;
    for (Waiting& waiting : room.frames) {
      const std::string& sender = waiting.frame.user.str();
      if (waiting.until > now && !refused.contains(sender)) {
        still.push_back(std::move(waiting));
        continue;
      }
      refused.insert(sender);
      left(waiting.frame);
      expired.push_back(std::move(waiting.frame));
    }
    room.frames = std::move(still);
    if (room.frames.empty()) emptied.push_back(name);
  }
  for (const std::string& name : emptied) close_if_empty(name);
  return expired;
}

void Parking::left(const SendFrame& frame) {
  MARTLET_ASSERT(frames_ > 0 && bytes_ >= cost_of(frame));
  --frames_;
  bytes_ -= cost_of(frame);
  const auto mine = by_user_.find(frame.user);
  MARTLET_ASSERT(mine != by_user_.end());
  if (--mine->second == 0) by_user_.erase(mine);
}

void Parking::close_if_empty(const std::string& name) {
  const auto room = rooms_.find(name);
  if (room != rooms_.end() && room->second.frames.empty()) rooms_.erase(room);
}

}  // namespace martlet::dispatcher
