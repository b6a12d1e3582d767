#include "sim/device.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "sim/sockets.h"
#include "wire/content.h"

namespace martlet::sim {
namespace {

constexpr std::uint32_t kPriedMessages = 5;
constexpr Duration kMostSkew = std::chrono::milliseconds(500);
constexpr WallMs kForEver = 4'000'000'000'000;

client::StoreState new_store(const Device::Given& given) {
  client::StoreState state;
  state.credentials = {given.user, given.device, given.token, {}, kForEver};
  return state;
}

}  // namespace

Device::Device(Given given, DeviceHistory& history)
    : given_(std::move(given)), history_(history), store_(new_store(given_)) {
  history_.user = given_.user;
  history_.device = given_.device;
}

Device::~Device() {
  if (process_) kill();
}

void Device::start() {
  ended_ = false;
  process_ = std::make_unique<Process>();
  process_->lane =
      std::make_shared<Lane>(Lane{.name = given_.user.str() + "/" + given_.device.str(),
                                  .wall_skew = Scheduler::get().between(-kMostSkew, kMostSkew)});
  const InLane inside(process_->lane);
  process_->loop = std::make_unique<event::Loop>();
  client::ClientOptions options;
  options.addresses = given_.edges;
  options.user = given_.user;
  options.device = given_.device;
  process_->client = std::make_unique<client::Client>(*process_->loop, process_->random, store_,
                                                      std::move(options),
                                                      static_cast<client::ClientListener&>(*this));
  process_->client->start();
}

void Device::kill() {
  add_counters();
  Scheduler::get().kill(process_->lane);
  Sockets::get().process_died(process_->lane);
  process_.reset();
}

void Device::add_counters() {
  const client::SyncEngine::Counters& more = process_->client->sync().counters();
  counters_.syncs += more.syncs;
  counters_.fetches += more.fetches;
  counters_.live += more.live;
  counters_.fetched += more.fetched;
  counters_.duplicates += more.duplicates;
  counters_.gaps += more.gaps;
  counters_.live_missed += more.live_missed;
  counters_.waited += more.waited;
  counters_.old_generation += more.old_generation;
  repeats_ += process_->client->queue().counters().repeats;
}

const client::SyncEngine::Counters& Device::counters() {
  return counters_;
}

std::uint64_t Device::repeats() {
  return repeats_;
}

SentRecord& Device::note_sent(const ConversationId& to, const ClientMsgId& id) {
  sent_[id] = history_.sent.size();
  SentRecord& record = history_.sent.emplace_back();
  record.conversation = to;
  record.id = id;
  record.at = Scheduler::get().now();
  return record;
}

void Device::send(const ConversationId& to, const std::string& text, client::Strength want) {
  const InLane inside(process_->lane);
  const ClientMsgId id = make_client_msg_id(event::LoopClock(*process_->loop), process_->random);
  SentRecord& record = note_sent(to, id);
  record.content = wire::encode_text(text);
  record.wants_stored = want == client::Strength::kStored;
  MARTLET_LOG(debug, "send id={} to={} text={}", to_string(id), to.str(), text);
  const auto sent = process_->client->send(to, record.content, want, id);
  if (sent) return;
  record.outcome = SentRecord::Outcome::kRefused;
  record.refusal = sent.error().code;
}

void Device::change(const GroupId& group, const MembersChange& change) {
  const InLane inside(process_->lane);
  const ClientMsgId id = make_client_msg_id(event::LoopClock(*process_->loop), process_->random);
  SentRecord& record = note_sent(ConversationId::of_group(group), id);
  record.is_change = true;
  const auto asked = process_->client->change_group(group, change, id);
  if (asked) return;
  record.outcome = SentRecord::Outcome::kRefused;
  record.refusal = asked.error().code;
}

bool Device::is_at_rest() const {
  return process_ && process_->client->queue().unacknowledged() == 0 &&
         process_->client->changes().empty();
}

void Device::begin_check() {
  const InLane inside(process_->lane);
  check_from_ = synced_;
  process_->client->sync_now();
}

bool Device::is_checked() const {
  return process_ && synced_ > check_from_ && process_->client->sync().is_settled();
}

SentRecord* Device::find(const ClientMsgId& id) {
  const auto found = sent_.find(id);
  return found == sent_.end() ? nullptr : &history_.sent[found->second];
}

void Device::on_state(client::State state, const std::string& why) {
  if (state == client::State::kOnline) {
    ++logins_;
    asked_after_ = given_.acknowledged;
  }
  MARTLET_LOG(debug, "client_state state={} why={}", int(state), why);
}

void Device::on_message(const client::Message& message, client::Origin) {
  history_.shown.push_back({message.conversation, message.seq, message.id, message.sender,
                            message.client_msg_id, message.content, message.generation,
                            Scheduler::get().now()});
  MARTLET_LOG(debug, "shown {}#{} by={} id={}", message.conversation.str(), message.seq.value(),
              message.sender.str(), to_string(message.client_msg_id));
}

void Device::on_dropped(const ConversationId& conversation, Seq from) {
  history_.dropped.push_back({conversation, from, history_.shown.size()});
  MARTLET_LOG(debug, "dropped {} from={}", conversation.str(), from.value());
}

void Device::acknowledged(const client::Acknowledged& ack) {
  SentRecord* record = find(ack.id);
  if (record == nullptr) return;
  MARTLET_LOG(debug, "acked id={} to={} seq={}", to_string(ack.id), ack.conversation.str(),
              ack.seq.value());
  if (record->outcome != SentRecord::Outcome::kAcknowledged) {
    record->answered_at = Scheduler::get().now();
    record->first_generation = ack.generation;
  }
  Seq& highest = given_.acknowledged[ack.conversation];
  highest = std::max(highest, ack.seq);
  record->outcome = SentRecord::Outcome::kAcknowledged;
  record->seq = ack.seq;
  record->message_id = ack.message_id;
  record->generation = ack.generation;
  record->stored = record->stored || ack.level == client::Strength::kStored;
}

void Device::on_acked(const client::SendQueue::Acked& acked) {
  acknowledged(acked.ack);
}

void Device::on_stored(const client::SendQueue::Stored& stored) {
  SentRecord* record = find(stored.id);
  if (record == nullptr) return;
  record->stored = true;
  record->seq = stored.seq;
  MARTLET_LOG(debug, "stored id={} seq={}", to_string(stored.id), stored.seq.value());
}

void Device::on_refused(const client::SendQueue::Refused& refused) {
  SentRecord* record = find(refused.message.id);
  if (record == nullptr) return;
  record->outcome = SentRecord::Outcome::kRefused;
  record->refusal = refused.error.code;
  MARTLET_LOG(debug, "refused id={} code={}", to_string(record->id),
              error_name(refused.error.code));
}

void Device::on_changed(const client::GroupChanges::Done& done) {
  acknowledged(done.ack);
}

void Device::on_change_refused(const client::GroupChanges::Refused& refused) {
  SentRecord* record = find(refused.change.id);
  if (record == nullptr) return;
  record->outcome = SentRecord::Outcome::kRefused;
  record->refusal = refused.error.code;
  MARTLET_LOG(debug, "refused id={} code={}", to_string(record->id),
              error_name(refused.error.code));
}

void Device::on_synced(bool behind) {
  if (!behind) {
    ++synced_;
    note_untold();
  }
  asked_after_ = given_.acknowledged;
}

void Device::note_untold() {
  for (const auto& [conversation, seq] : asked_after_) {
    if (!conversation.is_group() && !conversation.has_user(given_.user)) continue;
    const client::Cursor* cursor = process_->client->sync().find_cursor(conversation);
    if (cursor != nullptr && cursor->target >= seq.value()) continue;
    history_.untold.emplace_back(conversation, seq);
  }
}

void Device::pry(const ConversationId& conversation) {
  const InLane inside(process_->lane);
  process_->client->history(
      {conversation, Seq(0), wire::Direction::Forward, kPriedMessages},
      [this, conversation](const Result<client::HistoryAnswer>& answer) {
        if (!answer) return;
        for (const client::Message& message : answer->messages) {
          history_.pried.push_back({message.conversation, message.seq, message.id, message.sender,
                                    message.client_msg_id, message.content, message.generation,
                                    Scheduler::get().now()});
        }
      });
}

void Device::on_end(const Error& error) {
  ended_ = true;
  MARTLET_LOG(debug, "client_end code={} detail={}", error_name(error.code), error.detail);
}

}  // namespace martlet::sim
