#include "support/swarm/member.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "client/file_store.h"
#include "wire/content.h"
#include "wire/members_change.h"

namespace martlet::swarm {
namespace {

constexpr Duration kHistoryRetry = std::chrono::milliseconds(500);

const char* name_of(client::State state) {
  switch (state) {
    case client::State::kOff:
      return "off";
    case client::State::kConnecting:
      return "connecting";
    case client::State::kSigningIn:
      return "signing_in";
    case client::State::kOnline:
      return "online";
    case client::State::kStopping:
      break;
  }
  return "stopping";
}

std::unique_ptr<client::Store> open_store(const std::string& directory) {
  if (directory.empty()) return std::make_unique<client::MemoryStore>();
  auto store = client::FileStore::open(directory);
  if (store) return std::move(*store);
  std::fprintf(stderr, "swarm: %s\n", store.error().detail.c_str());
  std::exit(1);  // NOLINT(concurrency-mt-unsafe): at start
}

}  // namespace

Member::Member(event::Loop& loop, Random& random, const MemberConfig& config,
               const std::string& journals, const std::string& password, const std::string& api,
               Totals& totals)
    : loop_(loop),
      user_(config.user),
      device_(config.device),
      totals_(totals),
      journal_(journals + "/" + config.user.str() + "." + config.device.str() + ".jsonl"),
      store_(open_store(config.store)),
      back_(loop, [this] { come_back(); }),
      read_again_(loop, [this] { read_next(); }) {
  client::ClientOptions options;
  options.addresses = config.servers;
  options.user = user_;
  options.device = device_;
  options.proof.password = password;
  if (!api.empty()) {
    routes_.emplace(loop, api);
    options.find_edge = [this](const UserId& user, client::ClientOptions::Found found) {
      routes_->find(user, std::move(found));
    };
  }
  client_ = std::make_unique<client::Client>(loop, random, *store_, std::move(options), *this);
}

// The journal first: what was sent must be in it even if this process dies now.
Result<ClientMsgId> Member::send(const ConversationId& to, const std::string& text,
                                 client::Strength want) {
  const Bytes content = wire::encode_text(text);
  SystemRandom random;
  const ClientMsgId id = make_client_msg_id(event::LoopClock(loop_), random);
  journal_.sent(to, id, content);
  sent_at_[id] = loop_.now();
  ++totals_.sent;
  return client_->send(to, content, want, id);
}

Result<ClientMsgId> Member::change(const GroupId& group, const MembersChange& change) {
  SystemRandom random;
  const ClientMsgId id = make_client_msg_id(event::LoopClock(loop_), random);
  journal_.sent(ConversationId::of_group(group), id, wire::encode(change));
  journal_.change(group, id, change);
  return client_->change_group(group, change, id);
}

void Member::stop() {
  back_.cancel();
  if (away_ == Away::kGone) ended_ = true;
  away_ = Away::kNo;
  client_->stop();
}

void Member::go_away(Duration time) {
  if (ended_ || away_ != Away::kNo) return;
  away_ = Away::kGoing;
  away_for_ = time;
  client_->stop();
}

// One that is still going finds in on_end that it is to come back at once.
void Member::come_back() {
  if (away_ == Away::kGoing) away_for_ = Duration(0);
  if (away_ != Away::kGone) return;
  away_ = Away::kNo;
  back_.cancel();
  client_->start();
}

void Member::read_history() {
  journal_.history_begins();
  has_read_history_ = false;
  to_read_.assign(known_.begin(), known_.end());
  read_to_ = Seq(0);
  read_next();
}

void Member::read_next() {
  if (to_read_.empty()) {
    journal_.history_ends(known_.size());
    has_read_history_ = true;
    return;
  }
  wire::History query;
  query.conversation = to_read_.front();
  query.from = read_to_;
  query.direction = wire::Direction::Forward;
  query.limit = static_cast<std::uint32_t>(kMaxHistoryPageMessages);
  client_->history(query, [this](Result<client::HistoryAnswer> page) { on_page(std::move(page)); });
}

// What is not there yet, or refused for now, is asked for again; a final refusal as well: whoever
// waits for the end gives up one day and finds the journal without one.
void Member::on_page(Result<client::HistoryAnswer> page) {
  if (!page) return read_again_.start_once(kHistoryRetry);
  for (const client::Message& message : page->messages) {
    journal_.history(message);
    read_to_ = std::max(read_to_, message.seq);
  }
  if (!page->more && !page->again_in) {
    to_read_.pop_front();
    read_to_ = Seq(0);
  }
  read_again_.start_once(page->again_in.value_or(Duration(0)));
}

void Member::begin_check() {
  check_from_ = synced_;
  checking_ = true;
  client_->sync_now();
}

bool Member::is_checked() const {
  return ended_ || (checking_ && synced_ > check_from_ && client_->sync().is_settled());
}

void Member::on_state(client::State state, const std::string& why) {
  journal_.state(name_of(state), why);
}

void Member::on_message(const client::Message& message, client::Origin origin) {
  ++totals_.received;
  journal_.received(message, origin);
}

void Member::on_dropped(const ConversationId& conversation, Seq from) {
  ++totals_.dropped;
  journal_.dropped(conversation, from);
}

void Member::on_acked(const client::SendQueue::Acked& acked) {
  ++totals_.acked;
  double ms = -1;
  if (const auto since = sent_at_.find(acked.ack.id); since != sent_at_.end()) {
    ms = std::chrono::duration<double, std::milli>(loop_.now() - since->second).count();
    totals_.ack_ms.push_back(ms);
    sent_at_.erase(since);
  }
  journal_.acked(acked.ack, ms);
}

void Member::on_stored(const client::SendQueue::Stored& stored) {
  ++totals_.stored;
  journal_.stored(stored);
}

void Member::on_refused(const client::SendQueue::Refused& refused) {
  ++totals_.refused;
  sent_at_.erase(refused.message.id);
  journal_.refused(refused.message.conversation, refused.message.id, refused.error);
}

void Member::on_changed(const client::GroupChanges::Done& done) {
  ++totals_.changes;
  journal_.acked(done.ack, -1);
}

void Member::on_change_refused(const client::GroupChanges::Refused& refused) {
  ++totals_.changes_refused;
  journal_.refused(ConversationId::of_group(refused.change.group), refused.change.id,
                   refused.error);
}

void Member::on_news(const client::ConversationNews& news) {
  known_.insert(news.conversation);
}

void Member::on_synced(bool behind) {
  journal_.synced(behind, client_->sync().counters());
  if (!behind) ++synced_;
}

void Member::on_end(const Error& error) {
  if (away_ == Away::kGoing && error.code == ErrorCode::kNone) {
    away_ = Away::kGone;
    back_.start_once(away_for_);
    return;
  }
  ended_ = true;
  const bool is_stopped = error.code == ErrorCode::kNone;
  journal_.state("end",
                 is_stopped ? "stopped" : std::string(error_name(error.code)) + " " + error.detail);
}

}  // namespace martlet::swarm
